import type { ResourceChange } from '@weft/xds-client';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type {
  ClusterConfig,
  ClusterEndpoints,
  RouteTable,
  RuntimeConfig,
  SecretConfig,
  VirtualHost,
} from './config.ts';
import type { ListenerResource } from './from-xds/listener.ts';

/**
 * Collects accepted resources and makes the next {@link RuntimeConfig} of them: what did not change stays the same object, so that
 * the data plane sees by identity what did.
 */
export class RuntimeConfigAssembly {
  readonly #listeners = new Map<string, ListenerResource>();
  readonly #routes = new Map<string, RouteTable>();
  readonly #virtualHosts = new Map<string, VirtualHost>();
  readonly #clusters = new Map<string, ClusterConfig>();
  readonly #endpoints = new Map<string, ClusterEndpoints>();
  readonly #secrets = new Map<string, SecretConfig>();
  /** Tables with the virtual hosts of VHDS in them, kept while neither changes. */
  readonly #joined = new Map<
    string,
    { readonly table: RouteTable; readonly key: string; readonly joined: RouteTable }
  >();
  #inboundDraining = false;

  /** Takes the changes of one batch. */
  update(changes: readonly ResourceChange[]): void {
    for (const change of changes) {
      const target = this.#mapOf(change.typeUrl);
      if (change.kind === 'set') {
        target?.set(change.name, change.value);
      } else {
        target?.delete(change.name);
      }
    }
  }

  /** From now on inbound listeners are left out, so that they drain while outbound traffic goes on. */
  leaveOutInbound(): void {
    this.#inboundDraining = true;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** The configuration of everything that was accepted so far. */
  config(): RuntimeConfig {
    const listeners = new Map<string, ListenerResource['listener']>();
    const routes = new Map<string, RouteTable>();
    for (const [name, { listener, inlineRoutes }] of this.#listeners) {
      if (this.#inboundDraining && listener.direction === 'inbound') {
        continue;
      }
      listeners.set(name, listener);
      for (const table of inlineRoutes) {
        routes.set(table.name, table);
      }
    }
    for (const [name, table] of this.#routes) {
      routes.set(name, table);
    }
    const hosts = this.#hostsByTable();
    for (const [name, table] of routes) {
      if (table.vhds) {
        routes.set(name, this.#join(table, hosts.get(name) ?? []));
      }
    }
    return {
      listeners,
      routes,
      clusters: new Map(this.#clusters),
      endpoints: new Map(this.#endpoints),
      secrets: new Map(this.#secrets),
    };
  }

  #mapOf(typeUrl: TypeUrl): Map<string, unknown> | undefined {
    switch (typeUrl) {
      case typeUrls.listener:
        return this.#listeners as Map<string, unknown>;
      case typeUrls.routeConfiguration:
        return this.#routes as Map<string, unknown>;
      case typeUrls.virtualHost:
        return this.#virtualHosts as Map<string, unknown>;
      case typeUrls.cluster:
        return this.#clusters as Map<string, unknown>;
      case typeUrls.endpoint:
        return this.#endpoints as Map<string, unknown>;
      case typeUrls.secret:
        return this.#secrets as Map<string, unknown>;
      default:
        return undefined;
    }
  }

  /** VHDS names are `<route configuration>/<authority>`; an authority holds no slash. */
  #hostsByTable(): Map<string, [name: string, host: VirtualHost][]> {
    const hosts = new Map<string, [string, VirtualHost][]>();
    for (const [name, host] of this.#virtualHosts) {
      const table = name.slice(0, name.lastIndexOf('/'));
      const list = hosts.get(table);
      if (list === undefined) {
        hosts.set(table, [[name, host]]);
      } else {
        list.push([name, host]);
      }
    }
    return hosts;
  }

  #join(table: RouteTable, hosts: readonly (readonly [string, VirtualHost])[]): RouteTable {
    // Objects are numbered, because virtual hosts have no version of their own in the runtime configuration.
    const key = hosts.map(([name, host]) => `${name}#${this.#numberOf(host)}`).join('\n');
    const known = this.#joined.get(table.name);
    if (known !== undefined && known.table === table && known.key === key) {
      return known.joined;
    }
    const joined: RouteTable = {
      ...table,
      virtualHosts: distinct(table.virtualHosts, hosts),
      version: `${table.version}+${this.#numberOf(table)}+${key.length === 0 ? 0 : this.#numberOf({})}`,
    };
    this.#joined.set(table.name, { table, key, joined });
    return joined;
  }

  readonly #numbers = new WeakMap<object, number>();
  #lastNumber = 0;

  #numberOf(object: object): number {
    const known = this.#numbers.get(object);
    if (known !== undefined) {
      return known;
    }
    this.#lastNumber += 1;
    this.#numbers.set(object, this.#lastNumber);
    return this.#lastNumber;
  }
}

/** Static virtual hosts first; a domain belongs to the first host that has it, so that a host known by two names counts once. */
function distinct(
  fixed: readonly VirtualHost[],
  dynamic: readonly (readonly [string, VirtualHost])[],
): readonly VirtualHost[] {
  const taken = new Set(fixed.flatMap((host) => host.domains));
  const hosts = [...fixed];
  for (const [, host] of [...dynamic].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const domains = host.domains.filter((domain) => !taken.has(domain));
    if (domains.length > 0) {
      hosts.push(domains.length === host.domains.length ? host : { ...host, domains });
      for (const domain of domains) {
        taken.add(domain);
      }
    }
  }
  return hosts;
}

import type { HeadFields } from '@weft/http-codec';
import type { RouteTable, VirtualHost } from '../runtime-config/config.ts';
import type { StreamInfo } from '../stream-info.ts';
import {
  type CompiledCluster,
  type CompiledRoute,
  type CompiledVirtualHost,
  compileVirtualHost,
} from './compile-route.ts';
import { DomainIndex } from './domain-index.ts';
import { applyHeaderEdits, type CompiledHeaderEdits, compileHeaderEdits } from './header-edits.ts';
import { matchesRest, matchesRoute, type RouteSubject } from './route-match.ts';

export type { CompiledCluster, CompiledRoute, CompiledVirtualHost } from './compile-route.ts';

/**
 * A route table ready for lookups. Virtual hosts are compiled when they are first asked for, and shared between versions of a table
 * where they are the same object; so is the index of domains where no domain changed.
 */
export class CompiledRouteTable {
  readonly config: RouteTable;
  readonly #requestEdits: CompiledHeaderEdits;
  readonly #responseEdits: CompiledHeaderEdits;
  readonly #domains: DomainIndex;
  #lastAuthority = '';
  #lastHost: CompiledVirtualHost | undefined = undefined;

  /** @param previous the version before, to share with. */
  constructor(config: RouteTable, previous?: CompiledRouteTable) {
    this.config = config;
    this.#requestEdits = compileHeaderEdits([config.headers], 'request');
    this.#responseEdits = compileHeaderEdits([config.headers], 'response');
    this.#domains =
      previous !== undefined && haveSameDomains(previous.config.virtualHosts, config.virtualHosts)
        ? previous.#domains
        : new DomainIndex(config.virtualHosts);
    this.#lastHost = this.#find('');
  }

  /** The virtual host of an authority: exact, then longest suffix, then longest prefix, then `*`. */
  virtualHostOf(authority: string): CompiledVirtualHost | undefined {
    // A connection gives the same string again and again: comparing it is cheaper than hashing it.
    if (authority === this.#lastAuthority) {
      return this.#lastHost;
    }
    this.#lastHost = this.#find(authority);
    this.#lastAuthority = authority;
    return this.#lastHost;
  }

  #find(authority: string): CompiledVirtualHost | undefined {
    const { ignorePortInHostMatching, virtualHosts, mostSpecificHeaderEditsWin } = this.config;
    const lower = authority.toLowerCase();
    const position = this.#domains.find(ignorePortInHostMatching ? withoutPort(lower) : lower);
    const host = virtualHosts[position];
    return host === undefined ? undefined : compileVirtualHost(host, mostSpecificHeaderEditsWin);
  }

  get editsRequests(): boolean {
    return this.#requestEdits.length > 0;
  }

  /** Does the edits of a route with its cluster, and of the table. */
  editRequest(choice: CompiledCluster, fields: HeadFields, info: StreamInfo): void {
    if (choice.firstRequestEdits.length > 0) {
      applyHeaderEdits(choice.firstRequestEdits, fields, info);
    }
    this.#apply(choice.requestEdits, this.#requestEdits, fields, info);
  }

  /** @param choice undefined: the proxy answers itself by `route`. */
  editResponse(
    choice: CompiledCluster | undefined,
    route: CompiledRoute | undefined,
    fields: HeadFields,
    info: StreamInfo,
  ): void {
    if (choice !== undefined && choice.firstResponseEdits.length > 0) {
      applyHeaderEdits(choice.firstResponseEdits, fields, info);
    }
    const edits = choice?.responseEdits ?? route?.responseEdits;
    if (edits !== undefined) {
      this.#apply(edits, this.#responseEdits, fields, info);
    }
  }

  #apply(specific: CompiledHeaderEdits, general: CompiledHeaderEdits, fields: HeadFields, info: StreamInfo): void {
    const { mostSpecificHeaderEditsWin: generalFirst } = this.config;
    if (generalFirst && general.length > 0) {
      applyHeaderEdits(general, fields, info);
    }
    if (specific.length > 0) {
      applyHeaderEdits(specific, fields, info);
    }
    if (!generalFirst && general.length > 0) {
      applyHeaderEdits(general, fields, info);
    }
  }

  /** Every cluster that a route may send to, where a name is known beforehand. */
  clusterNames(): Set<string> {
    const names = new Set<string>();
    for (const { routes } of this.config.virtualHosts) {
      for (const { action } of routes) {
        if (action.kind === 'forward') {
          for (const { cluster } of action.forward.clusters) {
            if (cluster !== '') {
              names.add(cluster);
            }
          }
        }
      }
    }
    return names;
  }
}

function haveSameDomains(before: readonly VirtualHost[], now: readonly VirtualHost[]): boolean {
  return (
    before.length === now.length &&
    before.every((host, index) => {
      const other = now[index] as VirtualHost;
      return host === other || equalTexts(host.domains, other.domains);
    })
  );
}

function equalTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}

/** The first route that matches, in order. */
export function findRoute(virtualHost: CompiledVirtualHost, subject: RouteSubject): CompiledRoute | undefined {
  const { routes, index } = virtualHost;
  const path = subject.pathOnly;
  if (index !== undefined) {
    return routes[index.first(path, { virtualHost, subject, path }, acceptsCandidate)];
  }
  for (let position = 0; position < routes.length; position += 1) {
    const route = routes[position] as CompiledRoute;
    if (matchesRoute(route.config.match, route.path, subject, path)) {
      return route;
    }
  }
  return undefined;
}

interface Search {
  readonly virtualHost: CompiledVirtualHost;
  readonly subject: RouteSubject;
  readonly path: string;
}

/** The index knows that the path of a candidate matches, unless it is one that it cannot index. */
function acceptsCandidate(position: number, { virtualHost, subject, path }: Search): boolean {
  const route = virtualHost.routes[position] as CompiledRoute;
  return route.path.value === '' && route.path.kind !== 'prefix'
    ? matchesRoute(route.config.match, route.path, subject, path)
    : matchesRest(route.config.match, subject);
}

/** The cluster whose interval of cumulative weight holds `point`, which is in [0, totalWeight). */
export function chooseCluster(route: CompiledRoute, point: number): CompiledCluster | undefined {
  const { clusters } = route;
  if (clusters.length === 1) {
    return clusters[0];
  }
  for (const cluster of clusters) {
    if (point < cluster.cumulativeWeight) {
      return cluster;
    }
  }
  return undefined;
}

/** `host:port` without the port; IPv6 literals keep their brackets. */
export function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  if (colon < 0 || host.indexOf(']', colon) >= 0) {
    return host;
  }
  return host.slice(0, colon);
}

const compiledTables = new WeakMap<RouteTable, CompiledRouteTable>();

/** Compiles a table, once for each object. @param previous the version before, if there is one. */
export function compileRouteTable(table: RouteTable, previous?: CompiledRouteTable): CompiledRouteTable {
  let compiled = compiledTables.get(table);
  if (compiled === undefined) {
    compiled = new CompiledRouteTable(table, previous);
    compiledTables.set(table, compiled);
  }
  return compiled;
}

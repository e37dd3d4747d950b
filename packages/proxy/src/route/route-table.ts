import type {
  ForwardAction,
  HeaderEdits,
  Route,
  RouteTable,
  VirtualHost,
  WeightedCluster,
} from '../runtime-config/config.ts';
import { type CompiledHeaderEdits, compileHeaderEdits } from './header-edits.ts';
import { matchesRoute, type RouteSubject } from './route-match.ts';

/** A choice of a route's cluster with the header edits that go with it. */
export interface CompiledCluster {
  readonly config: WeightedCluster;
  /** Sum of the weights up to and including this one. */
  readonly cumulativeWeight: number;
  readonly requestEdits: CompiledHeaderEdits;
  readonly responseEdits: CompiledHeaderEdits;
}

export interface CompiledRoute {
  readonly config: Route;
  readonly virtualHost: VirtualHost;
  readonly table: RouteTable;
  /** Undefined for redirects and direct responses. */
  readonly forward: ForwardAction | undefined;
  readonly clusters: readonly CompiledCluster[];
  readonly totalWeight: number;
  /** Edits of the response when the proxy answers itself. */
  readonly responseEdits: CompiledHeaderEdits;
  /** `x-envoy-expected-rq-timeout-ms` of this route, undefined when it has no timeout. */
  readonly expectedTimeout: string | undefined;
  /** The path of the match that a prefix rewrite replaces. */
  readonly matchedPrefix: string;
}

export interface CompiledVirtualHost {
  readonly config: VirtualHost;
  readonly routes: readonly CompiledRoute[];
}

/** A route table ready for lookups. */
export class CompiledRouteTable {
  readonly config: RouteTable;
  readonly #exact = new Map<string, CompiledVirtualHost>();
  /** `.suffix` of `*.suffix`, by length, longest first. */
  readonly #suffixes: { readonly length: number; readonly hosts: Map<string, CompiledVirtualHost> }[];
  readonly #prefixes: { readonly length: number; readonly hosts: Map<string, CompiledVirtualHost> }[];
  readonly #any: CompiledVirtualHost | undefined;
  #lastAuthority = '';
  #lastHost: CompiledVirtualHost | undefined = undefined;

  constructor(config: RouteTable) {
    this.config = config;
    const suffixes = new Map<number, Map<string, CompiledVirtualHost>>();
    const prefixes = new Map<number, Map<string, CompiledVirtualHost>>();
    let any: CompiledVirtualHost | undefined;
    for (const virtualHost of config.virtualHosts) {
      const compiled = compileVirtualHost(virtualHost, config);
      for (const domain of virtualHost.domains) {
        const lower = domain.toLowerCase();
        if (lower === '*') {
          any ??= compiled;
        } else if (lower.startsWith('*')) {
          register(suffixes, lower.slice(1), compiled);
        } else if (lower.endsWith('*')) {
          register(prefixes, lower.slice(0, -1), compiled);
        } else if (!this.#exact.has(lower)) {
          this.#exact.set(lower, compiled);
        }
      }
    }
    this.#any = any;
    this.#suffixes = longestFirst(suffixes);
    this.#prefixes = longestFirst(prefixes);
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
    const exact = this.#exact.get(authority);
    if (exact !== undefined) {
      return exact;
    }
    let host = authority.toLowerCase();
    if (this.config.ignorePortInHostMatching) {
      host = withoutPort(host);
    }
    const found = this.#exact.get(host);
    if (found !== undefined) {
      return found;
    }
    for (const { length, hosts } of this.#suffixes) {
      if (host.length > length) {
        const compiled = hosts.get(host.slice(-length));
        if (compiled !== undefined) {
          return compiled;
        }
      }
    }
    for (const { length, hosts } of this.#prefixes) {
      if (host.length > length) {
        const compiled = hosts.get(host.slice(0, length));
        if (compiled !== undefined) {
          return compiled;
        }
      }
    }
    return this.#any;
  }

  /** Every cluster that a route may send to. */
  clusterNames(): Set<string> {
    const names = new Set<string>();
    for (const virtualHost of this.config.virtualHosts) {
      for (const { action } of virtualHost.routes) {
        if (action.kind === 'forward') {
          for (const { cluster } of action.forward.clusters) {
            names.add(cluster);
          }
        }
      }
    }
    return names;
  }
}

/** The first route that matches, in order. */
export function findRoute(virtualHost: CompiledVirtualHost, subject: RouteSubject): CompiledRoute | undefined {
  const { routes } = virtualHost;
  for (let index = 0; index < routes.length; index += 1) {
    const route = routes[index] as CompiledRoute;
    if (matchesRoute(route.config.match, subject)) {
      return route;
    }
  }
  return undefined;
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

/** Compiles a table, once for each object. */
export function compileRouteTable(table: RouteTable): CompiledRouteTable {
  let compiled = compiledTables.get(table);
  if (compiled === undefined) {
    compiled = new CompiledRouteTable(table);
    compiledTables.set(table, compiled);
  }
  return compiled;
}

function register<T>(byLength: Map<number, Map<string, T>>, key: string, value: T): void {
  let hosts = byLength.get(key.length);
  if (hosts === undefined) {
    hosts = new Map();
    byLength.set(key.length, hosts);
  }
  if (!hosts.has(key)) {
    hosts.set(key, value);
  }
}

function longestFirst<T>(
  byLength: Map<number, Map<string, T>>,
): { readonly length: number; readonly hosts: Map<string, T> }[] {
  return [...byLength].sort(([a], [b]) => b - a).map(([length, hosts]) => ({ length, hosts }));
}

function compileVirtualHost(virtualHost: VirtualHost, table: RouteTable): CompiledVirtualHost {
  return {
    config: virtualHost,
    routes: virtualHost.routes.map((route) => compileRoute(route, virtualHost, table)),
  };
}

function compileRoute(route: Route, virtualHost: VirtualHost, table: RouteTable): CompiledRoute {
  const outer: readonly HeaderEdits[] = [route.headers, virtualHost.headers, table.headers];
  const { action } = route;
  let totalWeight = 0;
  const clusters: CompiledCluster[] = [];
  if (action.kind === 'forward') {
    for (const config of action.forward.clusters) {
      totalWeight += config.weight;
      clusters.push({
        config,
        cumulativeWeight: totalWeight,
        requestEdits: compileHeaderEdits([config.headers, ...outer], 'request'),
        responseEdits: compileHeaderEdits([config.headers, ...outer], 'response'),
      });
    }
  }
  const { path } = route.match;
  const timeoutMs = action.kind === 'forward' ? action.forward.timeoutMs : 0;
  const policy = (action.kind === 'forward' ? action.forward.retryPolicy : undefined) ?? virtualHost.retryPolicy;
  const perTryMs = policy?.perTryTimeoutMs ?? 0;
  return {
    config: route,
    virtualHost,
    table,
    forward: action.kind === 'forward' ? action.forward : undefined,
    clusters,
    totalWeight,
    responseEdits: compileHeaderEdits(outer, 'response'),
    expectedTimeout: timeoutMs > 0 ? String(perTryMs > 0 && perTryMs < timeoutMs ? perTryMs : timeoutMs) : undefined,
    matchedPrefix: path.kind === 'regex' ? '' : path.value,
  };
}

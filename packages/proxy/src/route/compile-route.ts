import type {
  ForwardAction,
  HeaderEdits,
  MirrorPolicy,
  Route,
  VirtualHost,
  WeightedCluster,
} from '../runtime-config/config.ts';
import { type CompiledHeaderEdits, compileHeaderEdits } from './header-edits.ts';
import { type CompiledPath, compilePath } from './path-match.ts';
import { RouteIndex } from './route-index.ts';
import { tryTimeMs } from './try-time.ts';

/** A choice of a route's cluster with the header edits that go with it, those of the table left out. */
export interface CompiledCluster {
  readonly config: WeightedCluster;
  /** Sum of the weights up to and including this one. */
  readonly cumulativeWeight: number;
  readonly requestEdits: CompiledHeaderEdits;
  readonly responseEdits: CompiledHeaderEdits;
  /**
   * Edits that are done before those of the table, where the most specific ones win: in Envoy those of a weighted cluster are done
   * first in any case.
   */
  readonly firstRequestEdits: CompiledHeaderEdits;
  readonly firstResponseEdits: CompiledHeaderEdits;
}

export interface CompiledRoute {
  readonly config: Route;
  readonly virtualHost: VirtualHost;
  readonly path: CompiledPath;
  /** Undefined for redirects and direct responses. */
  readonly forward: ForwardAction | undefined;
  readonly clusters: readonly CompiledCluster[];
  readonly totalWeight: number;
  /** Edits of the response when the proxy answers itself. */
  readonly responseEdits: CompiledHeaderEdits;
  /** `x-envoy-expected-rq-timeout-ms` of this route; 0: no limit. */
  readonly tryTimeMs: number;
  readonly tryTimeText: string;
  /** A try whose time is up goes on beside the next one. */
  readonly hedges: boolean;
  /** The path of the match that a prefix rewrite replaces. */
  readonly matchedPrefix: string;
  /** A rewrite of the path is configured. */
  readonly rewritesPath: boolean;
  /** Mirrors of route and virtual host: the most specific that has any. Undefined: those of the table. */
  readonly mirrors: readonly MirrorPolicy[] | undefined;
}

export interface CompiledVirtualHost {
  readonly config: VirtualHost;
  readonly routes: readonly CompiledRoute[];
  /** There where a search from the first to the last would be long. */
  readonly index: RouteIndex | undefined;
}

/** Fewer routes are searched faster than looked up. */
const minIndexedRoutes = 12;

/** By the order of header edits: most specific first, or last. A virtual host is compiled once for as long as it is in use. */
const compiledHosts = [
  new WeakMap<VirtualHost, CompiledVirtualHost>(),
  new WeakMap<VirtualHost, CompiledVirtualHost>(),
];

/** @param mostSpecificWins see `RouteTable.mostSpecificHeaderEditsWin`. */
export function compileVirtualHost(host: VirtualHost, mostSpecificWins: boolean): CompiledVirtualHost {
  const known = compiledHosts[mostSpecificWins ? 1 : 0] as WeakMap<VirtualHost, CompiledVirtualHost>;
  let compiled = known.get(host);
  if (compiled === undefined) {
    const routes = host.routes.map((route) => compileRoute(route, host, mostSpecificWins));
    compiled = {
      config: host,
      routes,
      index: routes.length < minIndexedRoutes ? undefined : new RouteIndex(routes.map(({ path }) => path)),
    };
    known.set(host, compiled);
  }
  return compiled;
}

function compileRoute(route: Route, host: VirtualHost, mostSpecificWins: boolean): CompiledRoute {
  const edits = (direction: 'request' | 'response', ...levels: readonly HeaderEdits[]): CompiledHeaderEdits =>
    compileHeaderEdits(mostSpecificWins ? levels.toReversed() : levels, direction);
  const outer = [route.headers, host.headers];
  const { action } = route;
  const forward = action.kind === 'forward' ? action.forward : undefined;
  let totalWeight = 0;
  const clusters = (forward?.clusters ?? []).map((config): CompiledCluster => {
    totalWeight += config.weight;
    return {
      config,
      cumulativeWeight: totalWeight,
      requestEdits: edits('request', ...(mostSpecificWins ? outer : [config.headers, ...outer])),
      responseEdits: edits('response', ...(mostSpecificWins ? outer : [config.headers, ...outer])),
      firstRequestEdits: edits('request', ...(mostSpecificWins ? [config.headers] : [])),
      firstResponseEdits: edits('response', ...(mostSpecificWins ? [config.headers] : [])),
    };
  });
  const path = compilePath(route.match);
  const hedges = (forward?.hedgeOnPerTryTimeout ?? host.hedgeOnPerTryTimeout) === true;
  const perTryMs = (forward?.retryPolicy ?? host.retryPolicy)?.perTryTimeoutMs ?? 0;
  const timeMs = tryTimeMs(forward?.timeoutMs ?? 0, perTryMs, hedges);
  return {
    config: route,
    virtualHost: host,
    path,
    forward,
    clusters,
    totalWeight,
    responseEdits: edits('response', ...outer),
    tryTimeMs: timeMs,
    tryTimeText: String(timeMs),
    hedges,
    matchedPrefix: path.value,
    rewritesPath: forward?.prefixRewrite !== undefined || forward?.regexRewrite !== undefined,
    mirrors:
      forward !== undefined && forward.mirrors.length > 0
        ? forward.mirrors
        : host.mirrors.length > 0
          ? host.mirrors
          : undefined,
  };
}

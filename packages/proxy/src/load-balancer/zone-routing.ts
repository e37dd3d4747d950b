import type { LocalityGroup } from './host-set.ts';

/** `ZoneAwareLbConfig` */
export interface ZoneAwareOptions {
  /** Percent of requests that it is done for. Default 100. */
  readonly routingEnabledPercent: number;
  /** Healthy endpoints below which it is not done. Default 6. */
  readonly minClusterSize: number;
  /** Shares of localities go by weights rather than by numbers. */
  readonly byWeight: boolean;
  /** With at least so many endpoints in the own locality everything goes there; undefined: never. */
  readonly forceLocalZoneMinSize: number | undefined;
}

/** What zone-aware routing looks at. */
export interface Zoned {
  readonly weight: number;
}

/** The cluster that this proxy itself belongs to: who its peers are, and where. */
export interface LocalCluster {
  /** Healthy peers by locality. */
  readonly localities: readonly LocalityGroup<Zoned>[];
  /** Peers of any health in the own locality. */
  readonly inOwnLocality: number;
  readonly localityCount: number;
  readonly panic: boolean;
}

/** How requests are spread over the localities of a priority. */
export type ZoneRoute =
  | { readonly kind: 'none'; readonly reason: 'local-cluster-not-ok' | 'cluster-too-small' | 'no-localities' }
  | { readonly kind: 'direct' }
  | {
      readonly kind: 'residual';
      /** Out of 10,000: what the own locality can take. */
      readonly localPart: number;
      /** Sums of what the other localities can take beyond their own, in order of the localities. */
      readonly capacity: readonly number[];
    };

/**
 * Zone-aware routing as Envoy has it: as much as possible stays in the own locality, and the rest goes to localities that have more upstream endpoints
 * than they have callers.
 * @param healthy endpoints of the upstream by locality, healthy ones only, the own locality first.
 * @param ownFirst whether the first locality is the own one.
 */
export function zoneRoute(
  healthy: readonly LocalityGroup<Zoned>[],
  ownFirst: boolean,
  local: LocalCluster,
  options: ZoneAwareOptions,
): ZoneRoute {
  if (healthy.length < 2) {
    return { kind: 'none', reason: 'no-localities' };
  }
  if (local.localityCount < 2 && options.forceLocalZoneMinSize === undefined) {
    return { kind: 'none', reason: 'no-localities' };
  }
  if (local.inOwnLocality === 0) {
    return { kind: 'none', reason: 'local-cluster-not-ok' };
  }
  const size = healthy.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  if (size < options.minClusterSize) {
    return { kind: 'none', reason: 'cluster-too-small' };
  }
  const shares = localityShares(healthy, local, options.byWeight);
  const [own] = shares;
  if (ownFirst && own !== undefined) {
    const forced = options.forceLocalZoneMinSize;
    if (
      (own.upstream > 0 && own.upstream >= own.local) ||
      (forced !== undefined && (healthy[0]?.endpoints.length ?? 0) >= forced)
    ) {
      return { kind: 'direct' };
    }
  }
  const localPart =
    ownFirst && own !== undefined && own.local > 0 ? Math.floor((own.upstream * 10_000) / own.local) : 0;
  let sum = 0;
  const capacity = shares.map(({ upstream, local: callers }, index) => {
    sum += index === 0 && ownFirst ? 0 : Math.max(0, upstream - callers);
    return sum;
  });
  return { kind: 'residual', localPart, capacity };
}

/** The locality for one request. */
export function chooseZone(
  route: Extract<ZoneRoute, { readonly kind: 'direct' | 'residual' }>,
  random: () => number,
): number {
  if (route.kind === 'direct' || random() * 10_000 < route.localPart) {
    return 0;
  }
  const { capacity } = route;
  const total = capacity.at(-1) ?? 0;
  if (total === 0) {
    // Roundings only: nobody has more than it needs.
    return Math.floor(random() * capacity.length);
  }
  const point = Math.floor(random() * total);
  return capacity.findIndex((sum) => point < sum);
}

interface Share {
  /** Out of 10,000 */
  readonly local: number;
  readonly upstream: number;
}

function localityShares(
  healthy: readonly LocalityGroup<Zoned>[],
  local: LocalCluster,
  byWeight: boolean,
): readonly Share[] {
  const size = (endpoints: readonly Zoned[]): number =>
    byWeight ? endpoints.reduce((sum, { weight }) => sum + weight, 0) : endpoints.length;
  const callers = new Map(local.localities.map(({ locality, endpoints }) => [locality, size(endpoints)]));
  const totalCallers = [...callers.values()].reduce((sum, count) => sum + count, 0);
  const total = healthy.reduce((sum, { endpoints }) => sum + size(endpoints), 0);
  return healthy.map(({ locality, endpoints }) => {
    const part = size(endpoints);
    if (part === 0) {
      return { local: 0, upstream: 0 };
    }
    const own = callers.get(locality) ?? 0;
    return {
      local: totalCallers > 0 ? Math.floor((10_000 * own) / totalCallers) : 0,
      upstream: total > 0 ? Math.floor((10_000 * part) / total) : 0,
    };
  });
}

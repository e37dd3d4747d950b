import type { SubsetBalancing } from './subsets.ts';

/** How an endpoint is chosen among those of one priority (and locality). */
export type LoadBalancerPolicy =
  | { readonly kind: 'round-robin'; readonly slowStart?: SlowStartConfig }
  | {
      readonly kind: 'least-request';
      /** Candidates among which the least loaded wins. Default 2. */
      readonly choiceCount: number;
      /** Weighted endpoints: weight / (requests in flight + 1) ^ bias. Default 1. */
      readonly activeRequestBias: number;
      /** Looks at all endpoints rather than `choiceCount` of them. */
      readonly fullScan?: boolean;
      readonly slowStart?: SlowStartConfig;
    }
  | { readonly kind: 'random' }
  | {
      readonly kind: 'peak-ewma';
      readonly decayMs: number;
      readonly defaultLatencyMs: number;
      readonly slowStart?: SlowStartConfig;
    }
  | ({
      readonly kind: 'ring-hash';
      readonly hashFunction: 'xx-hash' | 'murmur-hash-2';
      /** Entries. Defaults 1024 and 8,388,608. */
      readonly minimumSize: number;
      readonly maximumSize: number;
    } & ConsistentHashing)
  | ({
      readonly kind: 'maglev';
      /** Slots, a prime. Default 65,537. */
      readonly tableSize: number;
    } & ConsistentHashing);

export interface ConsistentHashing {
  /** Endpoints are hashed by their host names rather than their addresses. */
  readonly byHostname: boolean;
  /** No endpoint gets more than so many percent of the average load; undefined: no bound. */
  readonly hashBalanceFactor: number | undefined;
  /** In place of the route's; empty: the route's. */
  readonly hashPolicies: readonly HashPolicy[];
}

/** `SlowStartConfig` */
export interface SlowStartConfig {
  readonly windowMs: number;
  readonly aggression: number;
  readonly minWeightPercent: number;
}

/** How a locality is chosen before the endpoint. */
export type LocalityBalancing =
  | { readonly kind: 'none' }
  /** By the weights of localities and their health. */
  | { readonly kind: 'weighted' }
  | {
      readonly kind: 'zone-aware';
      /** Of requests. Default 100. */
      readonly routingEnabledPercent: number;
      /** Healthy endpoints. Default 6. */
      readonly minClusterSize: number;
      /** Nothing is sent where too few are healthy, instead of to all. */
      readonly failTrafficOnPanic: boolean;
      readonly byWeight: boolean;
      /** Healthy endpoints in the own locality from which on everything goes there; undefined: never. */
      readonly forceLocalZoneMinSize: number | undefined;
    };

/** Status of an endpoint as EDS and health checks say it, `envoy.config.core.v3.HealthStatus`. */
export type EndpointStatus = 'unknown' | 'healthy' | 'unhealthy' | 'draining' | 'timeout' | 'degraded';

/** What of a cluster's `common_lb_config` and policy does not depend on the policy. */
export interface BalancingOptions {
  readonly locality: LocalityBalancing;
  /** A request that names its endpoint (session persistence) gets it only in one of these states. */
  readonly overrideHostStatuses: ReadonlySet<EndpointStatus>;
  /** New endpoints count only after their first health check. */
  readonly ignoreNewHostsUntilFirstHealthCheck: boolean;
  /** Pooled connections are given up whenever endpoints come or go. */
  readonly closeConnectionsOnHostSetChange: boolean;
  /** Requests go to endpoints with the metadata that their routes ask for. Absent: to any. */
  readonly subsets?: SubsetBalancing;
}

/** Envoy's defaults. */
export const defaultBalancing: BalancingOptions = {
  locality: { kind: 'none' },
  overrideHostStatuses: new Set<EndpointStatus>(['unknown', 'healthy', 'degraded']),
  ignoreNewHostsUntilFirstHealthCheck: false,
  closeConnectionsOnHostSetChange: false,
};

/** A way to make a number of a request, `envoy.config.route.v3.RouteAction.HashPolicy`. */
export type HashPolicy = {
  /** When there is a hash after it, the policies behind it are not looked at. */
  readonly terminal: boolean;
} & (
  | {
      readonly kind: 'header';
      /** Lower case. */
      readonly name: string;
      readonly rewrite: { readonly regex: RewriteRegex; readonly substitution: string } | undefined;
    }
  | { readonly kind: 'cookie'; readonly cookie: CookieConfig }
  | { readonly kind: 'source-ip' }
  | { readonly kind: 'query-parameter'; readonly name: string }
);

/** Of a `LinearRegex`, what a hash policy needs. */
export interface RewriteRegex {
  replaceAll(text: string, substitution: string): string;
}

export interface CookieConfig {
  readonly name: string;
  /** Seconds; 0: for the session; undefined: one that the client does not have is not made. */
  readonly ttlSec: number | undefined;
  readonly path: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

/** Where a client's session keeps its endpoint, `envoy.extensions.filters.http.stateful_session.v3.StatefulSession`. */
export type SessionConfig = {
  /** A request whose endpoint is not there any more is refused, rather than balanced. */
  readonly strict: boolean;
} & (
  | { readonly kind: 'cookie'; readonly cookie: CookieConfig }
  /** A field of request and response; lower case. */
  | { readonly kind: 'header'; readonly name: string }
);

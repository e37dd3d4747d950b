/** Routes: part of {@link RuntimeConfig}, with the same rules. */

import type { RouteFilterConfigs } from './config.ts';
import type { HashPolicy } from './load-balancing.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { SubsetCriteria } from './subsets.ts';

/** `envoy.config.route.v3.RouteConfiguration`, ready to be looked up: build it once, match many times. */
export interface RouteTable {
  readonly name: string;
  /** All virtual hosts, RDS and VHDS together. Domains may be exact, `*.suffix`, `prefix.*` or `*`. */
  readonly virtualHosts: readonly VirtualHost[];
  /** Hosts that are unknown are asked for by VHDS. */
  readonly vhds: boolean;
  readonly ignorePortInHostMatching: boolean;
  readonly headers: HeaderEdits;
  /** Edits of the table come first and those of the weighted cluster last, so that these have the last word. */
  readonly mostSpecificHeaderEditsWin: boolean;
  /** Lower-case names of fields that only internal clients may send. */
  readonly internalOnlyHeaders: readonly string[];
  readonly mirrors: readonly MirrorPolicy[];
  readonly filterConfigs: RouteFilterConfigs;
  readonly version: string;
}

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
  readonly headers: HeaderEdits;
  readonly retryPolicy: RetryPolicy | undefined;
  /** See `ForwardAction`. */
  readonly hedgeOnPerTryTimeout?: boolean;
  /** Repeated requests say whether they are for want of an answer in time. */
  readonly includeIsTimeoutRetry?: boolean;
  readonly includeRequestAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly requireTls: 'none' | 'external-only' | 'all';
  readonly mirrors: readonly MirrorPolicy[];
  readonly filterConfigs: RouteFilterConfigs;
  /** In order: the first whose matchers all match names the request in `%VIRTUAL_CLUSTER_NAME%`. */
  readonly virtualClusters: readonly { readonly name: string; readonly headers: readonly HeaderMatch[] }[];
  /** Most of a request's body that is kept for a retry; undefined: the cluster's buffer limit. */
  readonly requestBufferLimitBytes: number | undefined;
}

/** `envoy.config.route.v3.RouteAction.RequestMirrorPolicy` */
export interface MirrorPolicy {
  readonly cluster: ClusterName;
  /** Numerator out of a million. */
  readonly fraction: number;
  /** The authority of the copy ends in `-shadow`. */
  readonly shadowSuffix: boolean;
}

/** A cluster by name, or by the value of a request field. */
export type ClusterName =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'header'; readonly header: string };

export interface Route {
  /** `Route.name`; appears as `%ROUTE_NAME%` and in metrics. */
  readonly name: string;
  /** Name of its own statistics; absent = it has none. */
  readonly statPrefix?: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly headers: HeaderEdits;
  readonly filterConfigs: RouteFilterConfigs;
  /** undefined: that of the virtual host. */
  readonly requestBufferLimitBytes: number | undefined;
}

export interface RouteMatch {
  readonly path: PathMatch;
  readonly caseSensitive: boolean;
  readonly headers: readonly HeaderMatch[];
  readonly queryParameters: readonly QueryParameterMatch[];
  /** Numerator out of a million; undefined = always. */
  readonly runtimeFraction: number | undefined;
  readonly grpcOnly: boolean;
  /** What the client's certificate must be; undefined members are not asked for. */
  readonly tls: { readonly presented: boolean | undefined; readonly validated: boolean | undefined } | undefined;
}

export type PathMatch =
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'path-separated-prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly regex: LinearRegex }
  /** CONNECT requests, extended CONNECT (upgrades over HTTP/2) included. */
  | { readonly kind: 'connect' };

/** A regular expression that matches in linear time, anchored at both ends by {@link test}. */
export interface LinearRegex {
  readonly source: string;
  /** Whole-string match. */
  test(text: string): boolean;
  /** Replaces every match; `\1`…`\9` in the substitution are groups. */
  replaceAll(text: string, substitution: string): string;
}

export type StringMatch =
  | { readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly regex: LinearRegex };

export interface HeaderMatch {
  /** Lower case; pseudo headers `:method`, `:path`, `:authority`, `:scheme` included. */
  readonly name: string;
  readonly invert: boolean;
  readonly treatMissingAsEmpty: boolean;
  readonly match:
    | { readonly kind: 'present'; readonly present: boolean }
    | { readonly kind: 'range'; readonly start: bigint; readonly end: bigint }
    | StringMatch;
}

export interface QueryParameterMatch {
  readonly name: string;
  readonly match: { readonly kind: 'present'; readonly present: boolean } | StringMatch;
}

export type RouteAction =
  | { readonly kind: 'forward'; readonly forward: ForwardAction }
  | { readonly kind: 'redirect'; readonly redirect: RedirectAction }
  | { readonly kind: 'direct-response'; readonly status: number; readonly body: Uint8Array };

/** `envoy.config.route.v3.RouteAction` */
export interface ForwardAction {
  readonly clusters: readonly WeightedCluster[];
  /** A request field with the random number by which the weighted cluster is chosen; undefined: we draw it. */
  readonly randomValueHeader: string | undefined;
  readonly mirrors: readonly MirrorPolicy[];
  readonly clusterNotFoundStatus: 503 | 404 | 500;
  readonly prefixRewrite: string | undefined;
  readonly regexRewrite: { readonly regex: LinearRegex; readonly substitution: string } | undefined;
  readonly hostRewrite:
    | { readonly kind: 'literal'; readonly value: string }
    | { readonly kind: 'auto' }
    | { readonly kind: 'header'; readonly name: string }
    | { readonly kind: 'path-regex'; readonly regex: LinearRegex; readonly substitution: string }
    | undefined;
  readonly appendXForwardedHost: boolean;
  /** Whole request, from its end to the response's end. 0 = off, as with `maxStreamDuration`; Envoy's default of 15 s applies when unset. */
  readonly timeoutMs: number;
  /** undefined: that of the connection manager. */
  readonly idleTimeoutMs: number | undefined;
  readonly retryPolicy: RetryPolicy | undefined;
  /** A try whose time is up goes on beside the next one, and the first good answer counts. Absent: as the virtual host says. */
  readonly hedgeOnPerTryTimeout?: boolean;
  readonly priority: 'default' | 'high';
  /** Give the hash by which ring hash and Maglev choose. Absent: none. */
  readonly hashPolicies?: readonly HashPolicy[];
  readonly maxStreamDuration: StreamDurationLimit | undefined;
  /** Calls of gRPC have what their `grpc-timeout` says in place of `timeoutMs`. Absent, or with `maxStreamDuration`: they are as other requests. */
  readonly grpcTimeout?: GrpcTimeoutBound;
}

/** `max_grpc_timeout`, `grpc_timeout_offset` */
export interface GrpcTimeoutBound {
  /** The most that a call may have, and what one has that asks for nothing; 0 = unbounded. */
  readonly maxMs: number;
  /** Taken off what is asked for, if something is left. */
  readonly offsetMs: number;
}

/** `envoy.config.route.v3.RouteAction.MaxStreamDuration` */
export interface StreamDurationLimit {
  /** Longest life of a request; 0 = none, undefined = that of the connection manager. */
  readonly maxMs: number | undefined;
  /** Set: the `grpc-timeout` of a request takes the place of `maxMs`, up to this bound (0 = unbounded). */
  readonly grpcTimeoutMaxMs: number | undefined;
  /** Taken off what `grpc-timeout` says, so that we time out before the client does. */
  readonly grpcTimeoutOffsetMs: number;
}

export interface WeightedCluster {
  /** Empty where `clusterHeader` names it. */
  readonly cluster: string;
  /** Lower-case name of the request field that holds the cluster's name. */
  readonly clusterHeader?: string;
  /** Goes before the host rewrite of the route. */
  readonly hostRewrite?: string;
  readonly filterConfigs?: RouteFilterConfigs;
  /** The subset of the cluster that requests go to; absent: they name none. */
  readonly subset?: SubsetCriteria;
  /** Relative to the sum over the list; a single entry has weight 1. */
  readonly weight: number;
  readonly headers: HeaderEdits;
}

export interface RedirectAction {
  readonly scheme: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path:
    | { readonly kind: 'path'; readonly value: string }
    | { readonly kind: 'prefix'; readonly value: string }
    | { readonly kind: 'regex'; readonly regex: LinearRegex; readonly substitution: string }
    | undefined;
  readonly stripQuery: boolean;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

/** Additions first, then removals, as Envoy does. Names keep their case on the wire. */
export interface HeaderEdits {
  readonly requestAdd: readonly HeaderAddition[];
  readonly requestRemove: readonly string[];
  readonly responseAdd: readonly HeaderAddition[];
  readonly responseRemove: readonly string[];
}

export interface HeaderAddition {
  readonly name: string;
  /** Literal text or `%COMMAND%` pieces, parsed once. */
  readonly value: string;
  readonly action: 'append' | 'add-if-absent' | 'overwrite' | 'overwrite-if-exists';
  readonly keepEmptyValue: boolean;
}

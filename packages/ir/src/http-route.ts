import type { OriginRef } from './origin.ts';

/** How a text is compared. Regular expressions are RE2 syntax and match the whole text. */
export type StringMatch =
  | { readonly kind: 'exact' | 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string };

/** How the path of a request is compared; the query is not part of it. `segments` is a prefix of whole segments: `/a` has `/a` and `/a/b`, not `/ab`. */
export type PathMatch =
  | { readonly kind: 'exact' | 'prefix' | 'segments'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly value: string };

/** A condition on one header. A header that is absent counts as empty when `invert` is true and a value is compared. */
export interface HeaderMatch {
  /** Lower case; `:method`, `:scheme` and `:authority` are allowed. */
  readonly name: string;
  readonly match: { readonly kind: 'present' } | StringMatch;
  readonly invert: boolean;
}

/** A condition on one parameter of the query. */
export interface QueryMatch {
  readonly name: string;
  readonly match: { readonly kind: 'present' } | StringMatch;
}

/** All conditions must hold. */
export interface HttpMatch {
  readonly path: PathMatch;
  readonly headers: readonly HeaderMatch[];
  readonly query: readonly QueryMatch[];
}

/** Changes of headers in one direction. `set` replaces or adds, `add` appends a value, `remove` comes last. */
export interface HeaderChanges {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

export interface HeaderEdits {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}

/** A share of the traffic. */
export interface Destination {
  /** Name of an outbound cluster. */
  readonly cluster: string;
  /** Relative to the sum of the list; a list of one has weight 1. */
  readonly weight: number;
  /** False: the host, port or subset does not exist, so there is no such cluster and the proxy answers `unresolvedStatus`. */
  readonly resolved: boolean;
  readonly headers: HeaderEdits;
  /** The new authority of this share's requests, in place of the route's; HTTP only. */
  readonly hostRewrite?: string;
}

/** What is retried, how often. */
export interface RetryPolicy {
  /** Retries after the first try, at least 1. */
  readonly attempts: number;
  /** 0 = as long as the whole request may take. */
  readonly perTryTimeoutMs: number;
  /** Bound of the wait before the first retry, which doubles and is random; absent = Envoy's, 25 ms. The longest is ten times as long. */
  readonly backOffBaseMs?: number;
  /** False: a retry may go where the request was before. Absent = true. */
  readonly avoidPreviousEndpoints?: boolean;
  /** Every second retry leaves the priorities where the request was; localities are priorities where the nearest come first. Absent = false. */
  readonly avoidPreviousPriorities?: true;
  /** Envoy's names of conditions, in the order given. */
  readonly on: readonly string[];
  readonly statusCodes: readonly number[];
  /** A try whose time is over goes on, and the next one is made beside it. Absent = it is given up. */
  readonly hedgeOnPerTryTimeout?: true;
}

export type PathRewrite =
  /** The new path, whatever was matched. */
  | { readonly kind: 'whole'; readonly value: string }
  /** Replaces what the match consumed. */
  | { readonly kind: 'matched'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string };

export interface ForwardAction {
  readonly kind: 'forward';
  /** At least one. */
  readonly destinations: readonly Destination[];
  readonly pathRewrite: PathRewrite | undefined;
  /** The new authority. */
  readonly hostRewrite: string | undefined;
  /** Whole request; 0 = none. */
  readonly timeoutMs: number;
  /** Silence of a request in both directions; undefined = that of the listener. */
  readonly idleTimeoutMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  /** Answer for the share of destinations that are not resolved: 500 is Gateway API's, 503 Istio's. */
  readonly unresolvedStatus: 500 | 503;
  /** Copies of requests, whose answers nobody waits for. */
  readonly mirrors: readonly Mirror[];
  /** What chooses the endpoint where the cluster balances by hash; the first that the request has something for decides if it is terminal. */
  readonly hashes: readonly HashPolicy[];
  readonly session: SessionPersistence | undefined;
}

/** Where a copy of a share of the requests goes. */
export interface Mirror {
  /** Name of an outbound cluster. */
  readonly cluster: string;
  /** False: there is no such cluster, and nothing is mirrored. */
  readonly resolved: boolean;
  readonly share: Millionths;
}

/** A share in parts of a million: 1,000,000 is all. */
export type Millionths = number;

/** A part of a request that a hash is made of. */
export type HashPolicy =
  | { readonly kind: 'header'; readonly name: string }
  | {
      readonly kind: 'cookie';
      readonly name: string;
      readonly path: string;
      /** A client without the cookie is given one; 0 = until its session ends, undefined = none is given. */
      readonly ttlMs: number | undefined;
      /** More of a cookie that is given, in this order. */
      readonly attributes: readonly { readonly name: string; readonly value: string }[];
    }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'source-ip' };

/** A client stays with the endpoint that answered it first. */
export type SessionPersistence =
  /** `ttlMs` 0: until the client's session ends. */
  | { readonly kind: 'cookie'; readonly name: string; readonly path: string; readonly ttlMs: number }
  | { readonly kind: 'header'; readonly name: string };

/** Faults that are made on purpose. At least one of the three. */
export interface Fault {
  readonly delay: { readonly ms: number; readonly share: Millionths } | undefined;
  readonly abort:
    | { readonly kind: 'http'; readonly status: number; readonly share: Millionths }
    /** Code of gRPC, 0 to 16. */
    | { readonly kind: 'grpc'; readonly code: number; readonly share: Millionths }
    | undefined;
  /** How much of the body of a response is sent in a second; absent = as fast as it comes. */
  readonly bandwidth?: { readonly kibPerSecond: number; readonly share: Millionths };
}

/** What browsers are told about requests of pages of other origins. */
export interface CorsPolicy {
  readonly origins: readonly StringMatch[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  /** undefined: the browser's default. */
  readonly maxAgeSec: number | undefined;
  readonly credentials: boolean;
  /** Whether a preflight request of an origin that none matches goes on to the application. */
  readonly forwardUnmatchedPreflights: boolean;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: 301 | 302 | 303 | 307 | 308;
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly port: number | undefined;
  readonly path:
    | { readonly kind: 'path' | 'prefix'; readonly value: string }
    | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string }
    | undefined;
}

export interface DirectResponseAction {
  readonly kind: 'direct-response';
  readonly status: number;
  readonly body: Uint8Array;
}

export type HttpAction = ForwardAction | RedirectAction | DirectResponseAction;

/** The first route of a list whose match holds decides. */
export interface HttpRoute {
  /** Appears in access logs. */
  readonly name: string;
  /** Name of statistics of its own; absent = it has none. */
  readonly statPrefix?: string;
  readonly match: HttpMatch;
  readonly action: HttpAction;
  readonly headers: HeaderEdits;
  readonly fault: Fault | undefined;
  readonly cors: CorsPolicy | undefined;
}

/** The routes of one host and port as one client sees them. */
export interface HttpRoutes {
  readonly routes: readonly HttpRoute[];
  readonly origins: readonly OriginRef[];
}

/** No change of headers. */
export const noHeaderEdits: HeaderEdits = {
  request: { set: [], add: [], remove: [] },
  response: { set: [], add: [], remove: [] },
};

/** A forwarding action with nothing special about it. */
export const plainForward = {
  kind: 'forward',
  pathRewrite: undefined,
  hostRewrite: undefined,
  timeoutMs: 0,
  idleTimeoutMs: undefined,
  retry: undefined,
  unresolvedStatus: 503,
  mirrors: [],
  hashes: [],
  session: undefined,
} as const satisfies Partial<ForwardAction>;

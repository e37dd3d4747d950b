import type { OriginRef } from './origin.ts';

/** How a text is compared. Regular expressions are RE2 syntax and match the whole text. */
export type StringMatch =
  | { readonly kind: 'exact' | 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string };

/** How the path of a request is compared; the query is not part of it. */
export type PathMatch =
  | { readonly kind: 'exact' | 'prefix'; readonly value: string; readonly ignoreCase: boolean }
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
  /** False: the host, port or subset does not exist, so there is no such cluster and the proxy answers 503. */
  readonly resolved: boolean;
  readonly headers: HeaderEdits;
}

/** What is retried, how often. */
export interface RetryPolicy {
  /** Retries after the first try, at least 1. */
  readonly attempts: number;
  /** 0 = as long as the whole request may take. */
  readonly perTryTimeoutMs: number;
  /** Envoy's names of conditions, in the order given. */
  readonly on: readonly string[];
  readonly statusCodes: readonly number[];
}

export type PathRewrite =
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
  readonly retry: RetryPolicy | undefined;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: 301 | 302 | 303 | 307 | 308;
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly port: number | undefined;
  readonly path: { readonly kind: 'path' | 'prefix'; readonly value: string } | undefined;
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
  readonly match: HttpMatch;
  readonly action: HttpAction;
  readonly headers: HeaderEdits;
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

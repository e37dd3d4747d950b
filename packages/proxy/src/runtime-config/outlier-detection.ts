import type { HeaderMatch } from './config.ts';

/** `envoy.config.cluster.v3.OutlierDetection`. Shares to enforce are percent: 0 notes what would be ejected, and ejects nobody. */
export interface OutlierDetectionConfig {
  readonly consecutive5xx: ConsecutiveErrors;
  /** 502, 503 and 504. */
  readonly consecutiveGatewayFailure: ConsecutiveErrors;
  /** Of connecting and of timeouts, where they are counted apart. */
  readonly consecutiveLocalOriginFailure: ConsecutiveErrors;
  /** Errors of connecting are not mixed with those that endpoints answer. */
  readonly splitLocalOrigin: boolean;
  readonly intervalMs: number;
  /** Times the number of ejections in a row, up to the maximum; a random part of the jitter on top. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly ejectionJitterMs: number;
  readonly maxEjectionPercent: number;
  /** One endpoint may be ejected whatever the maximum. */
  readonly alwaysEjectOne: boolean;
  readonly successRate: {
    readonly minimumHosts: number;
    readonly requestVolume: number;
    /** Standard deviations below the mean, in thousandths. */
    readonly stdevFactor: number;
    readonly enforcingPercent: number;
    readonly enforcingLocalOriginPercent: number;
  };
  readonly failurePercentage: {
    /** Percent of failed requests from which an endpoint is ejected. */
    readonly threshold: number;
    readonly minimumHosts: number;
    readonly requestVolume: number;
    readonly enforcingPercent: number;
    readonly enforcingLocalOriginPercent: number;
  };
  /** An active check that passes ends an ejection. */
  readonly unejectByActiveCheck: boolean;
}

export interface ConsecutiveErrors {
  readonly threshold: number;
  readonly enforcingPercent: number;
}

/** What a response is looked at for: its status (as `:status`) and the fields of its head. */
export type ResponseMatch =
  | { readonly kind: 'any' }
  /** All of them match. */
  | { readonly kind: 'headers'; readonly headers: readonly HeaderMatch[] }
  | { readonly kind: 'not'; readonly match: ResponseMatch }
  | { readonly kind: 'some' | 'every'; readonly of: readonly ResponseMatch[] };

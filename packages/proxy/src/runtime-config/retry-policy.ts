import type { HeaderMatch } from './config.ts';

/** `envoy.config.route.v3.RetryPolicy` */
export interface RetryPolicy {
  /** Sum of {@link RetryOn}. */
  readonly retryOn: number;
  readonly numRetries: number;
  /** 0 = the route's timeout. */
  readonly perTryTimeoutMs: number;
  readonly perTryIdleTimeoutMs: number;
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  /** Pauses that the upstream asks for; undefined: it is not heard. */
  readonly rateLimitedBackOff: RateLimitedBackOff | undefined;
  readonly retriableStatusCodes: ReadonlySet<number>;
  /** One that matches the response is enough. */
  readonly retriableHeaders: readonly HeaderMatch[];
  /** Unless one of them matches, the request is not repeated; empty: any request may be. */
  readonly retriableRequestHeaders: readonly HeaderMatch[];
  readonly avoidPreviousHosts: boolean;
  /** Priorities where a request was are left out, looked at anew after so many tries; absent: they are not. */
  readonly previousPriorities?: number;
  readonly hostSelectionRetryMaxAttempts: number;
}

/** `envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff` */
export interface RateLimitedBackOff {
  /** The first that holds a pause of at most `maxMs` counts. Names in lower case. */
  readonly resetHeaders: readonly { readonly name: string; readonly format: 'seconds' | 'unix-timestamp' }[];
  readonly maxMs: number;
}

/** The conditions of `retry_on` as bits. */
export const RetryOn = {
  serverError: 1 << 0,
  gatewayError: 1 << 1,
  reset: 1 << 2,
  resetBeforeRequest: 1 << 3,
  connectFailure: 1 << 4,
  envoyRatelimited: 1 << 5,
  retriable4xx: 1 << 6,
  refusedStream: 1 << 7,
  retriableStatusCodes: 1 << 8,
  retriableHeaders: 1 << 9,
  cancelled: 1 << 10,
  deadlineExceeded: 1 << 11,
  resourceExhausted: 1 << 12,
  internal: 1 << 13,
  unavailable: 1 << 14,
} as const;

const httpConditions: ReadonlyMap<string, number> = new Map([
  ['5xx', RetryOn.serverError],
  ['gateway-error', RetryOn.gatewayError],
  ['reset', RetryOn.reset],
  ['reset-before-request', RetryOn.resetBeforeRequest],
  ['connect-failure', RetryOn.connectFailure],
  ['envoy-ratelimited', RetryOn.envoyRatelimited],
  ['retriable-4xx', RetryOn.retriable4xx],
  ['refused-stream', RetryOn.refusedStream],
  ['retriable-status-codes', RetryOn.retriableStatusCodes],
  ['retriable-headers', RetryOn.retriableHeaders],
]);

const grpcConditions: ReadonlyMap<string, number> = new Map([
  ['cancelled', RetryOn.cancelled],
  ['deadline-exceeded', RetryOn.deadlineExceeded],
  ['resource-exhausted', RetryOn.resourceExhausted],
  ['internal', RetryOn.internal],
  ['unavailable', RetryOn.unavailable],
]);

/** The bits of a list of conditions, those of gRPC among them. @param onUnknown is told each name that stands for none. */
export function retryOnFrom(list: string, onUnknown: (name: string) => void): number {
  let bits = 0;
  for (const name of conditionNames(list)) {
    const bit = httpConditions.get(name) ?? grpcConditions.get(name);
    if (bit === undefined) {
      onUnknown(name);
    } else {
      bits |= bit;
    }
  }
  return bits;
}

/** The bits of `x-envoy-retry-on`, which knows no conditions of gRPC. Other names are passed over. */
export function httpRetryOnFrom(list: string): number {
  return bitsOf(list, httpConditions);
}

/** The bits of `x-envoy-retry-grpc-on`. */
export function grpcRetryOnFrom(list: string): number {
  return bitsOf(list, grpcConditions);
}

function bitsOf(list: string, conditions: ReadonlyMap<string, number>): number {
  let bits = 0;
  for (const name of conditionNames(list)) {
    bits |= conditions.get(name) ?? 0;
  }
  return bits;
}

function conditionNames(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

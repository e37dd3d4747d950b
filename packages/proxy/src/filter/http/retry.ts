import { KnownHeader, type RequestHead, type ResponseHead } from '@weft/http-codec';
import { matchesResponseHeader } from '../../outlier-detection/response-match.ts';
import { type RateLimitedBackOff, RetryOn, type RetryPolicy } from '../../runtime-config/retry-policy.ts';
import type { TryFailure } from './try-failure.ts';

/** What a policy says of one try's end. */
export type RetryDecision = 'no' | 'after-back-off' | 'at-once';

const everyGrpcCondition =
  RetryOn.cancelled | RetryOn.deadlineExceeded | RetryOn.internal | RetryOn.resourceExhausted | RetryOn.unavailable;

function grpcCondition(status: string | undefined): number {
  switch (status) {
    case '1':
      return RetryOn.cancelled;
    case '4':
      return RetryOn.deadlineExceeded;
    case '8':
      return RetryOn.resourceExhausted;
    case '13':
      return RetryOn.internal;
    case '14':
      return RetryOn.unavailable;
    default:
      return 0;
  }
}

/**
 * Whether `policy` asks for another try after this response. A gRPC status counts where it stands in the head ("trailers only"): once
 * messages have gone to the client nothing can be taken back.
 */
export function retryOfResponse(policy: RetryPolicy, head: ResponseHead, request: RequestHead): RetryDecision {
  const { retryOn } = policy;
  const { status } = head;
  if (head.indexOfKnown(KnownHeader.xEnvoy) >= 0 && head.has('x-envoy-ratelimited')) {
    return (retryOn & RetryOn.envoyRatelimited) === 0 ? 'no' : 'after-back-off';
  }
  if (status >= 500 && status < 600 && (retryOn & RetryOn.serverError) !== 0) {
    return 'after-back-off';
  }
  if (status >= 502 && status <= 504 && (retryOn & RetryOn.gatewayError) !== 0) {
    return 'after-back-off';
  }
  if (status === 409 && (retryOn & RetryOn.retriable4xx) !== 0) {
    return 'after-back-off';
  }
  if ((retryOn & RetryOn.retriableStatusCodes) !== 0 && policy.retriableStatusCodes.has(status)) {
    if (status !== 425) {
      return 'after-back-off';
    }
    // RFC 8470 §5.2: whoever marked its request as early data repeats it itself.
    return request.has('early-data') ? 'no' : 'at-once';
  }
  if ((retryOn & RetryOn.retriableHeaders) !== 0) {
    for (const match of policy.retriableHeaders) {
      if (matchesResponseHeader(match, head)) {
        return 'after-back-off';
      }
    }
  }
  if ((retryOn & everyGrpcCondition) !== 0) {
    const status = head.getKnown(KnownHeader.grpcStatus, 'grpc-status');
    if ((retryOn & grpcCondition(status)) !== 0) {
      return 'after-back-off';
    }
  }
  return 'no';
}

/** Every try without a response counts as a 5xx, as which the client would see it. */
const anyFailure = RetryOn.serverError | RetryOn.gatewayError | RetryOn.reset;

const failureConditions: Readonly<Record<TryFailure, number>> = {
  overflow: 0,
  'connect-failure': anyFailure | RetryOn.connectFailure | RetryOn.resetBeforeRequest,
  'refused-stream': anyFailure | RetryOn.refusedStream,
  'stale-connection': anyFailure,
  'per-try-timeout': anyFailure,
  reset: anyFailure,
};

/** Whether `policy` asks for another try after one without a response. */
export function wouldRetryFailure(policy: RetryPolicy, failure: TryFailure): boolean {
  return (policy.retryOn & failureConditions[failure]) !== 0;
}

/** Wait before retry number `retry` (from 1): uniform in `[0, min(max, (2^retry − 1) × base))`. */
export function retryDelayMs(policy: RetryPolicy, retry: number, random: number): number {
  const bound = Math.min(policy.backOffMaxMs, (2 ** Math.min(retry, 20) - 1) * policy.backOffBaseMs);
  return random * bound;
}

/**
 * The pause that an upstream asks for, milliseconds; undefined when it asks for none or for too much.
 * @param nowMs milliseconds since the epoch.
 */
export function askedPauseMs(backOff: RateLimitedBackOff, head: ResponseHead, nowMs: number): number | undefined {
  for (const { name, format } of backOff.resetHeaders) {
    const text = head.get(name)?.trim() ?? '';
    if (/^\d{1,15}$/.test(text)) {
      const seconds = Number(text);
      const pauseMs = format === 'seconds' ? seconds * 1000 : seconds * 1000 - Math.floor(nowMs / 1000) * 1000;
      if (pauseMs > 0 && pauseMs <= backOff.maxMs) {
        return pauseMs;
      }
    }
  }
  return undefined;
}

/** What an asked pause becomes, so that clients do not come back all at once: uniform in `[pause, 1.5 × pause)`. */
export function spreadPauseMs(pauseMs: number, random: number): number {
  return pauseMs * (1 + random / 2);
}

/** Methods that may be sent again without asking when a kept connection turns out to be closed (RFC 9110 §9.2.2). */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
    case 'PUT':
    case 'DELETE':
      return true;
    default:
      return false;
  }
}

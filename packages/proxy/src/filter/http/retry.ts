import { KnownHeader, type ResponseHead } from '@weft/http-codec';
import { matchesHeader } from '../../route/route-match.ts';
import type { RetryPolicy } from '../../runtime-config/config.ts';
import type { TryFailure } from './try-failure.ts';

const grpcConditions: Readonly<Record<string, string>> = {
  '1': 'cancelled',
  '4': 'deadline-exceeded',
  '8': 'resource-exhausted',
  '13': 'internal',
  '14': 'unavailable',
};

/** Whether `policy` asks for another try after this response. */
export function wouldRetryResponse(policy: RetryPolicy, head: ResponseHead): boolean {
  const { retryOn } = policy;
  const { status } = head;
  if (head.indexOfKnown(KnownHeader.xEnvoy) >= 0) {
    if (head.has('x-envoy-overloaded')) {
      return false;
    }
    if (head.has('x-envoy-ratelimited')) {
      return retryOn.has('envoy-ratelimited');
    }
  }
  if (status >= 500 && retryOn.has('5xx')) {
    return true;
  }
  if (status >= 502 && status <= 504 && retryOn.has('gateway-error')) {
    return true;
  }
  if (status === 409 && retryOn.has('retriable-4xx')) {
    return true;
  }
  if (retryOn.has('retriable-status-codes') && policy.retriableStatusCodes.has(status)) {
    return true;
  }
  if (retryOn.has('retriable-headers')) {
    for (const match of policy.retriableHeaders) {
      if (matchesHeader(match, match.name === ':status' ? String(status) : head.get(match.name))) {
        return true;
      }
    }
  }
  const grpcStatus = head.getKnown(KnownHeader.grpcStatus, 'grpc-status');
  const condition = grpcStatus === undefined ? undefined : grpcConditions[grpcStatus];
  return condition !== undefined && retryOn.has(condition);
}

/** Whether `policy` asks for another try after a try without a response. */
export function wouldRetryFailure(policy: RetryPolicy, failure: TryFailure): boolean {
  const { retryOn } = policy;
  switch (failure) {
    case 'overflow':
      return false;
    case 'connect-failure':
      return (
        retryOn.has('connect-failure') ||
        retryOn.has('5xx') ||
        retryOn.has('gateway-error') ||
        retryOn.has('reset') ||
        retryOn.has('reset-before-request')
      );
    case 'refused-stream':
      return (
        retryOn.has('refused-stream') || retryOn.has('5xx') || retryOn.has('gateway-error') || retryOn.has('reset')
      );
    case 'reset-before-request':
      return (
        retryOn.has('reset-before-request') ||
        retryOn.has('5xx') ||
        retryOn.has('gateway-error') ||
        retryOn.has('reset')
      );
    case 'per-try-timeout':
      return retryOn.has('5xx') || retryOn.has('gateway-error');
    default:
      return retryOn.has('5xx') || retryOn.has('gateway-error') || retryOn.has('reset');
  }
}

/** Wait before retry number `retry` (from 1): uniform in `[0, min(max, (2^retry − 1) × base))`. */
export function retryDelayMs(policy: RetryPolicy, retry: number, random: number): number {
  const bound = Math.min(policy.backOffMaxMs, (2 ** Math.min(retry, 20) - 1) * policy.backOffBaseMs);
  return random * bound;
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

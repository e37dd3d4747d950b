import type { RetryPolicy } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import type { HttpRouteSpec } from '../kinds.ts';

/** What Istio retries where nothing is said. */
export const defaultRetry: RetryPolicy = {
  attempts: 2,
  perTryTimeoutMs: 0,
  on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes'],
  statusCodes: [503],
};

/** The policy of a route: `attempts: 0` switches retries off; numbers in `retryOn` are status codes. */
export function retryPolicy(spec: HttpRouteSpec['retries']): RetryPolicy | undefined {
  if (spec === undefined) {
    return defaultRetry;
  }
  const attempts = spec.attempts ?? defaultRetry.attempts;
  if (attempts <= 0) {
    return undefined;
  }
  const perTryTimeoutMs = parseDurationMs(spec.perTryTimeout ?? '0') ?? 0;
  const more = {
    ...backOff(spec.backoff),
    ...(spec.retryIgnorePreviousHosts === false ? { avoidPreviousEndpoints: false } : {}),
  };
  const parts = (spec.retryOn ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) {
    return { ...defaultRetry, attempts, perTryTimeoutMs, ...more };
  }
  const statusCodes = parts.filter((part) => /^[1-5][0-9]{2}$/.test(part)).map(Number);
  const on = parts.filter((part) => !/^\d+$/.test(part));
  if (statusCodes.length > 0 && !on.includes('retriable-status-codes')) {
    on.push('retriable-status-codes');
  }
  return { attempts, perTryTimeoutMs, on, statusCodes, ...more };
}

/** The wait before the first retry, where one is given. */
export function backOff(text: string | undefined): Pick<RetryPolicy, 'backOffBaseMs'> {
  const baseMs = parseDurationMs(text ?? '0') ?? 0;
  return baseMs > 0 ? { backOffBaseMs: baseMs } : {};
}

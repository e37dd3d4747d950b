import type { RetryPolicy } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import { istioRetry } from '../defaults.ts';
import type { HttpRouteSpec } from '../kinds.ts';

/**
 * The policy of a route: `attempts: 0` switches retries off; numbers in `retryOn` are status codes. What `retries` leaves out is Istio's,
 * whose field it is, in every mesh.
 * @param otherwise where nothing is said at all.
 */
export function retryPolicy(
  spec: HttpRouteSpec['retries'],
  otherwise: RetryPolicy | undefined,
): RetryPolicy | undefined {
  if (spec === undefined) {
    return otherwise;
  }
  const attempts = spec.attempts ?? istioRetry.attempts;
  if (attempts <= 0) {
    return undefined;
  }
  const perTryTimeoutMs = parseDurationMs(spec.perTryTimeout ?? '0') ?? 0;
  const more = {
    ...backOff(spec.backoff),
    ...(spec.retryIgnorePreviousHosts === false ? { avoidPreviousEndpoints: false } : {}),
    ...(spec.retryRemoteLocalities === true ? { avoidPreviousPriorities: true as const } : {}),
  };
  const parts = (spec.retryOn ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) {
    return { ...istioRetry, attempts, perTryTimeoutMs, ...more };
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

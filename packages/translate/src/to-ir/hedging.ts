import type { RetryPolicy } from '@weft/ir';
import type { RouteActionPolicy } from '../kinds.ts';

/**
 * Retries that hedge, if the policy of their rule says so and a try has a time of its own.
 * @param timeoutMs of the whole request; 0 = none.
 */
export function withHedging(
  retry: RetryPolicy | undefined,
  timeoutMs: number,
  policy: RouteActionPolicy | undefined,
): RetryPolicy | undefined {
  const isTimed = retry !== undefined && retry.perTryTimeoutMs > 0;
  return isTimed && (timeoutMs === 0 || retry.perTryTimeoutMs < timeoutMs) && asksForHedging(policy)
    ? { ...retry, hedgeOnPerTryTimeout: true }
    : retry;
}

export function asksForHedging(policy: RouteActionPolicy | undefined): boolean {
  return policy?.spec.hedging?.onPerTryTimeout === true;
}

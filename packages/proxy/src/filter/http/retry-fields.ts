import type { RequestHead } from '@weft/http-codec';
import type { HeaderMatch } from '../../runtime-config/config.ts';
import { grpcRetryOnFrom, httpRetryOnFrom, type RetryPolicy } from '../../runtime-config/retry-policy.ts';

const fields = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  // Not heard here: the per-try timeout and hedging are those of the route.
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-hedge-on-per-try-timeout',
] as const;

/** What holds where only the request asks for retries: Envoy's defaults. */
export const noPolicy: RetryPolicy = {
  retryOn: 0,
  numRetries: 1,
  perTryTimeoutMs: 0,
  perTryIdleTimeoutMs: 0,
  backOffBaseMs: 25,
  backOffMaxMs: 250,
  rateLimitedBackOff: undefined,
  retriableStatusCodes: new Set(),
  retriableHeaders: [],
  retriableRequestHeaders: [],
  avoidPreviousHosts: false,
  hostSelectionRetryMaxAttempts: 1,
};

/**
 * What the fields of a request add to the policy of its route; they are taken out of the request. Clients cannot send them (none
 * counts as internal): they come from the header edits of a route.
 */
export function retryPolicyFromFields(policy: RetryPolicy | undefined, head: RequestHead): RetryPolicy | undefined {
  const [on, grpcOn, max, codes, names] = fields.map((name) => head.get(name));
  for (const name of fields) {
    if (head.has(name)) {
      head.remove(name);
    }
  }
  if (policy === undefined && on === undefined && grpcOn === undefined) {
    return undefined;
  }
  const base = policy ?? noPolicy;
  const retryOn = base.retryOn | httpRetryOnFrom(on ?? '') | grpcRetryOnFrom(grpcOn ?? '');
  return {
    ...base,
    retryOn,
    numRetries: retryOn !== 0 && max !== undefined && /^\d{1,9}$/.test(max) ? Number(max) : base.numRetries,
    retriableStatusCodes: new Set([
      ...base.retriableStatusCodes,
      ...entries(codes)
        .filter((code) => /^\d+$/.test(code))
        .map(Number),
    ]),
    retriableHeaders: [...base.retriableHeaders, ...entries(names).map(presence)],
  };
}

function entries(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function presence(name: string): HeaderMatch {
  return {
    name: name.toLowerCase(),
    invert: false,
    treatMissingAsEmpty: false,
    match: { kind: 'present', present: true },
  };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHead, ResponseHead } from '@weft/http-codec';
import { RetryOn } from '../../runtime-config/retry-policy.ts';
import { askedPauseMs, spreadPauseMs } from './retry.ts';
import { retryPolicyFromFields } from './retry-fields.ts';

function response(fields: Readonly<Record<string, string>>): ResponseHead {
  const head = new ResponseHead();
  for (const [name, value] of Object.entries(fields)) {
    head.add(name, value);
  }
  return head;
}

test('the pause of a response is the first that can be read and is not too long', () => {
  const backOff = {
    resetHeaders: [
      { name: 'retry-after', format: 'seconds' },
      { name: 'x-reset', format: 'unix-timestamp' },
    ],
    maxMs: 60_000,
  } as const;
  const nowMs = 1_700_000_000_500;
  const cases: readonly (readonly [Readonly<Record<string, string>>, number | undefined])[] = [
    [{ 'Retry-After': '3' }, 3000],
    [{ 'Retry-After': ' 60 ' }, 60_000],
    [{ 'Retry-After': '61' }, undefined],
    [{ 'Retry-After': '0' }, undefined],
    [{ 'Retry-After': '-1' }, undefined],
    [{ 'Retry-After': '1.5' }, undefined],
    [{ 'Retry-After': 'Fri, 31 Dec 2027 23:59:59 GMT' }, undefined],
    [{ 'Retry-After': '61', 'X-Reset': '1700000010' }, 10_000],
    [{ 'X-Reset': '1699999999' }, undefined],
    [{}, undefined],
  ];
  for (const [fields, expected] of cases) {
    assert.equal(askedPauseMs(backOff, response(fields), nowMs), expected, JSON.stringify(fields));
  }
  assert.equal(spreadPauseMs(1000, 0), 1000);
  assert.equal(spreadPauseMs(1000, 0.999), 1499.5);
});

test('fields of a request add to the policy, and are gone', () => {
  const head = new RequestHead();
  head.add('x-envoy-retry-on', '5xx, unavailable, sometimes');
  head.add('x-envoy-retry-grpc-on', 'internal,5xx');
  head.add('x-envoy-max-retries', '7');
  head.add('x-envoy-retriable-status-codes', '418, x, 429');
  head.add('x-envoy-retriable-header-names', 'X-One,x-two');
  head.add('x-kept', '1');
  const policy = retryPolicyFromFields(undefined, head);
  assert.equal(policy?.retryOn, RetryOn.serverError | RetryOn.internal);
  assert.equal(policy?.numRetries, 7);
  assert.deepEqual([...(policy?.retriableStatusCodes ?? [])], [418, 429]);
  assert.deepEqual(
    policy?.retriableHeaders.map(({ name }) => name),
    ['x-one', 'x-two'],
  );
  assert.equal(head.has('x-envoy-retry-on') || head.has('x-envoy-max-retries'), false);
  assert.equal(head.has('x-kept'), true);
});

test('a number of retries without a condition makes no policy', () => {
  const head = new RequestHead();
  head.add('x-envoy-max-retries', '7');
  assert.equal(retryPolicyFromFields(undefined, head), undefined);
  assert.equal(head.has('x-envoy-max-retries'), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultRetry, retryPolicy } from './retry.ts';

test('where nothing is said requests are retried as with Istio', () => {
  assert.deepEqual(retryPolicy(undefined), defaultRetry);
  assert.equal(defaultRetry.attempts, 2);
  assert.deepEqual(defaultRetry.statusCodes, [503]);
});

test('no attempts means no retries', () => {
  assert.equal(retryPolicy({ attempts: 0 }), undefined);
});

test('numbers among the conditions are status codes, and make them count', () => {
  assert.deepEqual(retryPolicy({ attempts: 3, perTryTimeout: '1.5s', retryOn: 'reset, 502,504' }), {
    attempts: 3,
    perTryTimeoutMs: 1500,
    on: ['reset', 'retriable-status-codes'],
    statusCodes: [502, 504],
  });
});

test('conditions of its own replace the default, and with it the default status code', () => {
  assert.deepEqual(retryPolicy({ attempts: 1, retryOn: 'gateway-error' })?.statusCodes, []);
  assert.deepEqual(retryPolicy({ attempts: 1 })?.statusCodes, [503]);
});

test('the wait and the choice of endpoints are kept, and nothing where nothing is said', () => {
  assert.deepEqual(retryPolicy({ attempts: 1, backoff: '40ms', retryIgnorePreviousHosts: false }), {
    ...defaultRetry,
    attempts: 1,
    backOffBaseMs: 40,
    avoidPreviousEndpoints: false,
  });
  assert.equal('backOffBaseMs' in (retryPolicy({ attempts: 1, retryIgnorePreviousHosts: true }) ?? {}), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { istioRetry, meshDefaults } from '../defaults.ts';
import { retryPolicy } from './retry.ts';

test('where nothing is said the mesh default holds, and what an application may have done is not repeated', () => {
  assert.equal(retryPolicy(undefined, istioRetry), istioRetry);
  assert.equal(retryPolicy(undefined, undefined), undefined);
  assert.equal(istioRetry.attempts, 2);
  assert.deepEqual(istioRetry.on, ['connect-failure', 'refused-stream', 'unavailable', 'cancelled']);
  assert.deepEqual(istioRetry.statusCodes, []);
});

test('retries that are asked for are the same with either defaults', () => {
  for (const { retry } of Object.values(meshDefaults)) {
    assert.deepEqual(retryPolicy({ attempts: 1 }, retry), { ...istioRetry, attempts: 1 });
  }
});

test('no attempts means no retries', () => {
  assert.equal(retryPolicy({ attempts: 0 }, istioRetry), undefined);
});

test('numbers among the conditions are status codes, and make them count', () => {
  assert.deepEqual(retryPolicy({ attempts: 3, perTryTimeout: '1.5s', retryOn: 'reset, 502,504' }, istioRetry), {
    attempts: 3,
    perTryTimeoutMs: 1500,
    on: ['reset', 'retriable-status-codes'],
    statusCodes: [502, 504],
  });
});

test('conditions of its own replace the default ones', () => {
  assert.deepEqual(retryPolicy({ attempts: 1, retryOn: 'gateway-error' }, istioRetry)?.on, ['gateway-error']);
});

test('the wait and the choice of endpoints are kept, and nothing where nothing is said', () => {
  assert.deepEqual(retryPolicy({ attempts: 1, backoff: '40ms', retryIgnorePreviousHosts: false }, istioRetry), {
    ...istioRetry,
    attempts: 1,
    backOffBaseMs: 40,
    avoidPreviousEndpoints: false,
  });
  assert.equal(retryPolicy({ attempts: 1, retryRemoteLocalities: true }, istioRetry)?.avoidPreviousPriorities, true);
  assert.equal(
    'avoidPreviousPriorities' in (retryPolicy({ attempts: 1, retryRemoteLocalities: false }, istioRetry) ?? {}),
    false,
  );
  assert.equal(
    'backOffBaseMs' in (retryPolicy({ attempts: 1, retryIgnorePreviousHosts: true }, istioRetry) ?? {}),
    false,
  );
});

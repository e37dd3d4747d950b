import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLimits } from '../create-api-server.ts';
import { Usage } from './usage.ts';

test('one user is held back at his limit and others are not; what ends makes room', () => {
  const usage = new Usage({ ...defaultLimits, maxRequestsPerUser: 2, maxWatchesPerUser: 1, maxWatches: 2 });
  const leave = usage.enterRequest('a');
  usage.enterRequest('a');
  assert.throws(() => usage.enterRequest('a'), { code: 429 });
  usage.enterRequest('b');
  leave();
  usage.enterRequest('a');
  const end = usage.enterWatch('a');
  assert.throws(() => usage.enterWatch('a'), { code: 429 });
  usage.enterWatch('b');
  assert.throws(() => usage.enterWatch('c'), { code: 429 });
  end();
  usage.enterWatch('c');
});

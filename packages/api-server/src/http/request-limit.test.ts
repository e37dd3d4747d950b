import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApi } from '../../test/support/api.ts';

test('a list that only names the parameter of a watch is counted as the request that it is', async (t) => {
  const { admin } = await startApi(t, { limits: { maxRequestsPerUser: 0 } });
  for (const query of ['', '?watch=0', '?watch=false']) {
    const { status } = await admin.get(`/api/v1/configmaps${query}`);
    assert.equal(status, 429, query);
  }
  const watch = await admin.watch('/api/v1/configmaps?watch=1');
  watch.close();
});

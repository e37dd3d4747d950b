import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../src/kinds.ts';
import { certificateProblem } from '../src/to-ir/key-pair-secret.ts';
import { keyPairData } from './golden/key-pair-data.ts';

function secret(creationTimestamp: string, changed?: string): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'pair',
      namespace: 'edge',
      creationTimestamp,
      ...(changed === undefined ? {} : { managedFields: [{ manager: 'm', operation: 'Apply', time: changed }] }),
    },
    type: 'kubernetes.io/tls',
    data: keyPairData(),
  } as Secret;
}

test('a certificate that had expired when its Secret was written is not shown', () => {
  assert.equal(certificateProblem(secret('2026-01-01T00:00:00Z')), undefined);
  const expired = /^the certificate of Secret edge\/pair had expired when it was written: on \d{4}-/;
  assert.match(certificateProblem(secret('2999-01-01T00:00:00Z')) ?? '', expired);
  assert.match(certificateProblem(secret('2026-01-01T00:00:00Z', '2999-01-01T00:00:00Z')) ?? '', expired);
});

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { ManualClock } from '@weft/testkit';
import { Authenticator } from './authenticator.ts';
import { maxTokenBytes, ServiceAccountTokens } from './service-account-token.ts';

const account: KubeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'shop', namespace: 'default', uid: 'u1' },
};

function setUp() {
  const clock = new ManualClock();
  let current: KubeObject | undefined = account;
  const tokens = new ServiceAccountTokens({
    keyPem: undefined,
    issuer: 'https://weft',
    clock,
    accountOf: () => current,
  });
  const issue = (audiences: readonly string[] = []): string =>
    tokens.issue({ namespace: 'default', name: 'shop', uid: 'u1', audiences, expirationSeconds: 600 }).token;
  return {
    clock,
    tokens,
    issue,
    replaceAccount: (next: KubeObject | undefined) => {
      current = next;
    },
  };
}

test('a token says whose it is until it expires', () => {
  const { clock, tokens, issue } = setUp();
  const token = issue();
  assert.deepEqual(tokens.verify(token, []), {
    username: 'system:serviceaccount:default:shop',
    uid: 'u1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
  });
  clock.advance(599_000);
  assert.notEqual(tokens.verify(token, []), undefined);
  clock.advance(1_000);
  assert.equal(tokens.verify(token, []), undefined);
});

test('a token for another audience is not for the API, and the other way round', () => {
  const { tokens, issue } = setUp();
  assert.equal(tokens.verify(issue(['mesh']), []), undefined);
  assert.notEqual(tokens.verify(issue(['mesh']), ['mesh']), undefined);
  assert.equal(tokens.verify(issue(), ['mesh']), undefined);
});

test('a token dies with its account, also when one of the same name follows', () => {
  const { tokens, issue, replaceAccount } = setUp();
  const token = issue();
  replaceAccount({ ...account, metadata: { ...account.metadata, uid: 'u2' } });
  assert.equal(tokens.verify(token, []), undefined);
  replaceAccount(undefined);
  assert.equal(tokens.verify(token, []), undefined);
});

test('a token that was changed, signed by another, unsigned or no token is nobody’s', () => {
  const { tokens, issue } = setUp();
  const [head = '', body = '', signature = ''] = issue().split('.');
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const foreign = sign('sha256', Buffer.from(`${head}.${body}`), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  for (const token of [
    `${head}.${encode({ ...claims, sub: 'system:serviceaccount:default:root' })}.${signature}`,
    `${head}.${body}.${foreign.toString('base64url')}`,
    `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
    `${encode({ alg: 'HS256', typ: 'JWT' })}.${body}.${signature}`,
    `${head}.${body}`,
    `${head}.${body}.`,
    'x.y.z',
    '..',
    '',
  ]) {
    assert.equal(tokens.verify(token, []), undefined, token.slice(0, 40));
  }
});

test('verifiers are asked in order, and a token that is too long by nobody', async () => {
  const { tokens, clock } = setUp();
  const asked: string[] = [];
  const authenticator = new Authenticator(
    tokens,
    [
      (token) => {
        asked.push(token.slice(0, 4));
        return undefined;
      },
      (token) => (token === 'good' ? { username: 'eve', groups: [] } : undefined),
    ],
    clock,
  );
  assert.deepEqual(await authenticator.verifyToken('good', []), { username: 'eve', groups: ['system:authenticated'] });
  assert.equal(await authenticator.verifyToken('evil', []), undefined);
  assert.equal(await authenticator.verifyToken('x'.repeat(maxTokenBytes + 1), []), undefined);
  assert.deepEqual(asked, ['good', 'evil']);
});

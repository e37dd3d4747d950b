import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  createCsr,
  createSvid,
  formatWorkloadId,
  generatePrivateKey,
  type PrivateKey,
  type SpiffeId,
  type Svid,
  verifyChain,
} from '@weft/identity';
import { createJoinToken } from '@weft/identity/authority';
import { certificateServiceDefinition } from '../src/join/certificate-service.ts';
import { type Fixture, smallShop, startFixture } from './fixture.ts';

const { path, requestSerialize, responseDeserialize } = certificateServiceDefinition.createCertificate;
const web = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' });
const reviews = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'reviews' });

interface Call {
  readonly address: string;
  readonly authorization?: string | undefined;
  readonly svid?: Svid | undefined;
  readonly identity?: SpiffeId;
  readonly key?: PrivateKey;
  readonly csr?: string;
  readonly ttlSeconds?: number;
}

async function createCertificate(fixture: Fixture, call: Call): Promise<readonly string[] | ServiceError> {
  const key = call.key ?? (await generatePrivateKey());
  const { svid } = call;
  const client = new Client(
    call.address,
    credentials.createSsl(
      Buffer.from(fixture.ca.trustBundle.value.pem),
      svid === undefined ? null : Buffer.from(svid.key.revealPem()),
      svid === undefined ? null : Buffer.from(svid.chainPem),
    ),
  );
  const metadata = new Metadata();
  if (call.authorization !== undefined) {
    metadata.set('authorization', call.authorization);
  }
  const request = {
    csr: call.csr ?? createCsr(key, call.identity ?? web),
    validityDuration: BigInt(call.ttlSeconds ?? 0),
    metadata: undefined,
  };
  try {
    return await new Promise((resolve) => {
      const deadline = Date.now() + 5_000;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline },
        (error, answer) => resolve(error ?? answer?.certChain ?? []),
      );
    });
  } finally {
    client.close();
  }
}

function refusal(answer: readonly string[] | ServiceError): ServiceError {
  assert.ok(answer instanceof Error, 'the call was expected to be refused');
  return answer;
}

function chain(answer: readonly string[] | ServiceError): readonly string[] {
  assert.ok(!(answer instanceof Error), String(answer));
  return answer;
}

test('no token makes a workload the control plane itself', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  await assert.rejects(fixture.tokens.create('weft-system', 'weft-control-plane'), { code: 'FORBIDDEN' });
  await fixture.tokens.create('weft-system', 'web');
});

test('a join token gives one SVID for its identity', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const { token } = await fixture.tokens.create('shop', 'web');
  const key = await generatePrivateKey();
  const answer = await createCertificate(fixture, {
    address: fixture.joinAddress,
    authorization: `Bearer ${token.reveal()}`,
    key,
    ttlSeconds: 60,
  });
  const svid = createSvid(chain(answer), key);
  assert.equal(svid.spiffeId, web);
  assert.ok(svid.notAfter - Date.now() <= 61_000);
  assert.equal(verifyChain(svid.chainPem, { bundle: fixture.ca.trustBundle.value, now: Date.now() }).ok, true);
});

test('a token works once, whoever races', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const { token } = await fixture.tokens.create('shop', 'web');
  const call = { address: fixture.joinAddress, authorization: `Bearer ${token.reveal()}` };
  const answers = await Promise.all(Array.from({ length: 8 }, () => createCertificate(fixture, call)));
  assert.equal(answers.filter((answer) => !(answer instanceof Error)).length, 1);
  const again = refusal(await createCertificate(fixture, call));
  assert.equal(again.code, status.UNAUTHENTICATED);
  assert.match(again.details, /used already/);
});

test('forged, malformed, missing and expired tokens are told apart, and never quoted', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const forged = createJoinToken().reveal();
  const { address } = { address: fixture.joinAddress };
  for (const [authorization, words] of [
    [`Bearer ${forged}`, /forged/],
    ['Bearer hunter2', /form of a join token/],
    ['hunter2', /not of the form/],
    [undefined, /authorization header/],
  ] as const) {
    const { code, details } = refusal(await createCertificate(fixture, { address, authorization }));
    assert.equal(code, status.UNAUTHENTICATED);
    assert.match(details, words);
    assert.doesNotMatch(details, /hunter2/);
    assert.equal(details.includes(forged), false);
  }
});

test('an expired token says when it expired', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const { token } = await fixture.tokens.create('shop', 'web', 10_000);
  const secrets = await fixture.api.client.list({ group: '', version: 'v1', kind: 'Secret' });
  const [secret] = secrets.items;
  assert.ok(secret !== undefined);
  assert.equal(JSON.stringify(secret).includes(token.reveal()), false);
  await fixture.api.client.patch({ group: '', version: 'v1', kind: 'Secret' }, secret.metadata.name, 'weft-system', {
    data: { expiresAt: Buffer.from('2020-01-01T00:00:00Z').toString('base64') },
  });
  const answer = refusal(
    await createCertificate(fixture, { address: fixture.joinAddress, authorization: `Bearer ${token.reveal()}` }),
  );
  assert.equal(answer.code, status.UNAUTHENTICATED);
  assert.match(answer.details, /expired at 2020-01-01/);
});

test('a token is good for its own identity only; a mistake does not use it up', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const { token } = await fixture.tokens.create('shop', 'web');
  const call = { address: fixture.joinAddress, authorization: `Bearer ${token.reveal()}` };
  const wrong = refusal(await createCertificate(fixture, { ...call, identity: reviews }));
  assert.equal(wrong.code, status.PERMISSION_DENIED);
  assert.match(wrong.details, /another identity/);
  assert.equal(refusal(await createCertificate(fixture, { ...call, csr: 'junk' })).code, status.INVALID_ARGUMENT);
  assert.equal(chain(await createCertificate(fixture, call)).length, 3);
});

test('an SVID renews itself over mutual TLS, for its own identity only', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const svid = await fixture.svid('web');
  const key = await generatePrivateKey();
  const renewed = createSvid(chain(await createCertificate(fixture, { address: fixture.xdsAddress, svid, key })), key);
  assert.equal(renewed.spiffeId, web);
  const other = refusal(await createCertificate(fixture, { address: fixture.xdsAddress, svid, identity: reviews }));
  assert.equal(other.code, status.PERMISSION_DENIED);
});

test('an SVID that has expired since its connection began renews nothing', async (t) => {
  const twoDays = 2 * 86_400_000;
  const fixture = await startFixture(t, { objects: smallShop(), now: () => Date.now() + twoDays });
  const svid = await fixture.svid('web');
  const refused = refusal(await createCertificate(fixture, { address: fixture.xdsAddress, svid }));
  assert.equal(refused.code, status.UNAUTHENTICATED);
  assert.match(refused.details, /expired/);
});

test('whoever has no Proxy any more cannot renew, nor can a user', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const gone = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'gone' });
  const answer = refusal(
    await createCertificate(fixture, { address: fixture.xdsAddress, svid: await fixture.svid('gone'), identity: gone }),
  );
  assert.equal(answer.code, status.PERMISSION_DENIED);
  assert.match(answer.details, /no Proxy/);
  const user = await fixture.ca.issueClient('ada', ['system:masters']);
  const svid = { ...(await fixture.svid('web')), chainPem: user.chainPem, key: user.key };
  const refused = refusal(await createCertificate(fixture, { address: fixture.xdsAddress, svid }));
  assert.equal(refused.code, status.UNAUTHENTICATED);
});

test('a join token is worth nothing at the port that wants a certificate, and an SVID nothing at the other', async (t) => {
  const fixture = await startFixture(t, { objects: smallShop() });
  const { token } = await fixture.tokens.create('shop', 'web');
  const authorization = `Bearer ${token.reveal()}`;
  assert.equal(
    refusal(await createCertificate(fixture, { address: fixture.xdsAddress, authorization })).code,
    status.UNAVAILABLE,
  );
  const svid = await fixture.svid('web');
  assert.equal(
    refusal(await createCertificate(fixture, { address: fixture.joinAddress, svid })).code,
    status.UNAUTHENTICATED,
  );
});

test('tokens live between 10 seconds and an hour', async (t) => {
  const fixture = await startFixture(t);
  for (const ttlMs of [0, 9_999, 3_600_001, Number.NaN]) {
    await assert.rejects(fixture.tokens.create('shop', 'web', ttlMs), { code: 'INVALID' });
  }
});

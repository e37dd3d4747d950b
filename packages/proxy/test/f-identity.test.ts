import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { type Clock, MeshError, silentLogger, systemClock } from '@weft/base';
import { formatWorkloadId, type Svid } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import type { IdentityBootstrap } from '../src/bootstrap/bootstrap.ts';
import { ProxySecrets } from '../src/identity/secret-source.ts';
import { WorkloadIdentity } from '../src/identity/workload-identity.ts';
import { type Script, startCertificateServer } from './f-support/certificate-server.ts';

const workload = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'reviews' };
const id = formatWorkloadId(workload);

interface SetUp {
  readonly folder: string;
  readonly bootstrap: IdentityBootstrap;
  readonly first: Awaited<ReturnType<typeof startCertificateServer>>;
  readonly renewal: Awaited<ReturnType<typeof startCertificateServer>>;
  make(clock?: Clock): WorkloadIdentity;
}

async function setUp(
  t: TestContext,
  options: {
    readonly ttlMs?: number;
    readonly first?: Script;
    readonly renewal?: Script;
    readonly certifiedId?: string;
  } = {},
): Promise<SetUp> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-proxy-identity-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
  t.after(() => ca.close());
  const ttl = options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs };
  const first = await startCertificateServer(ca, id, {
    ...ttl,
    requestCert: false,
    ...(options.first === undefined ? {} : { script: options.first }),
  });
  const renewal = await startCertificateServer(ca, id, {
    ...ttl,
    ...(options.renewal === undefined ? {} : { script: options.renewal }),
  });
  t.after(() => Promise.all([first.close(), renewal.close()]));
  await writeFile(join(folder, 'bundle.pem'), ca.trustBundle.value.pem);
  await writeFile(join(folder, 'token'), 'join-me\n', { mode: 0o600 });
  const bootstrap: IdentityBootstrap = {
    ...workload,
    caAddress: { host: '127.0.0.1', port: first.port },
    renewAddress: { host: '127.0.0.1', port: renewal.port },
    serverName: undefined,
    trustBundleFile: join(folder, 'bundle.pem'),
    tokenFile: join(folder, 'token'),
    certificateTtlMs: undefined,
  };
  return {
    folder,
    bootstrap,
    first,
    renewal,
    make: (clock = systemClock) => {
      const identity = new WorkloadIdentity({
        bootstrap,
        stateDir: join(folder, 'state'),
        clock,
        logger: silentLogger,
        random: () => 0.5,
      });
      t.after(() => identity.close());
      return identity;
    },
  };
}

function nextSvid(identity: WorkloadIdentity, after: Svid | undefined): Promise<Svid> {
  return new Promise((resolve) => {
    const stop = identity.svid.subscribe((svid) => {
      if (svid !== undefined && svid !== after) {
        stop();
        resolve(svid);
      }
    });
  });
}

/** Real time, but timers beyond a second fire at once: a renewal hours ahead happens now. */
const hurriedClock: Clock = {
  ...systemClock,
  setTimeout: (callback, delayMs, options) =>
    systemClock.setTimeout(
      callback,
      delayMs > 60_000 ? 0 : Math.min(delayMs, delayMs === 10_000 ? delayMs : 20),
      options,
    ),
};

test('the first certificate is asked for with the join token, and kept in a private file', async (t) => {
  const { make, first, folder } = await setUp(t);
  const identity = make();
  await identity.start();
  assert.equal(identity.svid.value?.spiffeId, id);
  assert.deepEqual(
    first.calls.map(({ authorization }) => authorization),
    ['Bearer join-me'],
  );
  const file = join(folder, 'state/key-pair.pem');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await assert.rejects(stat(join(folder, 'token')), { code: 'ENOENT' }, 'a used token does not lie about');
  assert.match(await readFile(file, 'utf8'), /PRIVATE KEY[\s\S]*CERTIFICATE/);
  assert.doesNotMatch(inspect(identity.svid.value, { depth: 9 }) + JSON.stringify(identity.svid.value), /PRIVATE KEY/);
});

test('after a restart the stored certificate is used without asking anybody', async (t) => {
  const { make, first } = await setUp(t);
  const before = make();
  await before.start();
  before.close();
  const after = make();
  await after.start();
  assert.equal(after.svid.value?.chainPem, before.svid.value?.chainPem);
  assert.equal(first.calls.length, 1);
});

test('a stored key that others may read is closed to them before it is used', async (t) => {
  const { make, folder } = await setUp(t);
  const before = make();
  await before.start();
  before.close();
  const file = join(folder, 'state/key-pair.pem');
  await chmod(file, 0o644);
  await make().start();
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a stored certificate that is damaged, or that ended, is replaced', async (t) => {
  const { make, first, folder } = await setUp(t);
  const before = make();
  await before.start();
  before.close();
  await writeFile(join(folder, 'state/key-pair.pem'), 'garbage');
  await writeFile(join(folder, 'token'), 'join-me-again');
  const after = make();
  await after.start();
  after.close();
  assert.equal(first.calls.length, 2);
  await writeFile(join(folder, 'token'), 'join-me-again');
  const later = make({ ...systemClock, now: () => Date.now() + 3 * 86_400_000 });
  // The clock is ahead of the CA: what it gives is over by this clock, and that is said.
  await assert.rejects(later.start(), { code: 'CERTIFICATE_INVALID' });
  assert.equal(first.calls.length, 3);
});

test('renewals use mutual TLS with the present certificate, a new key, and reach the data plane', async (t) => {
  const { make, renewal } = await setUp(t);
  const identity = make(hurriedClock);
  const secrets = new ProxySecrets(identity);
  const told: string[] = [];
  secrets.subscribe((ref) => told.push(`${ref.source}/${ref.name}`));
  await identity.start();
  const old = identity.svid.value;
  const oldMaterial = secrets.get({ source: 'local', name: 'default' });
  const renewed = await nextSvid(identity, old);
  identity.close();
  assert.match(renewal.calls[0]?.clientNames ?? '', /URI:spiffe:\/\/cluster\.local\/ns\/shop\/sa\/reviews/);
  assert.equal(renewal.calls[0]?.authorization, undefined);
  assert.notEqual(renewed.key.fingerprint(), old?.key.fingerprint());
  const material = secrets.get({ source: 'local', name: 'default' });
  assert.ok(material?.kind === 'key-pair');
  assert.notEqual(material.version, oldMaterial?.version);
  assert.deepEqual(told.slice(0, 2), ['local/default', 'local/default']);
  assert.doesNotMatch(JSON.stringify(material) + inspect(material), /PRIVATE KEY/);
});

test('a renewal that fails is tried again and the present certificate stays', async (t) => {
  const { make } = await setUp(t, {
    renewal: (_call, count) => (count <= 2 ? { grpcStatus: 14, message: 'not now' } : undefined),
  });
  const identity = make(hurriedClock);
  await identity.start();
  const old = identity.svid.value;
  await nextSvid(identity, old);
  identity.close();
  assert.equal(identity.status.failures, 2);
  assert.equal(identity.status.renewals, 2);
});

test('a CA that is away is waited for; a token that is refused is not tried again', async (t) => {
  const away = await setUp(t, {
    first: (_call, count) => (count === 1 ? { grpcStatus: 14, message: 'starting' } : undefined),
  });
  const patient = away.make(hurriedClock);
  const waited = patient.start();
  // With the hurried clock the next renewal follows at once: it is stopped with the first certificate.
  patient.svid.subscribe(() => patient.close());
  await waited;
  assert.equal(away.first.calls.length, 2);
  const refused = await setUp(t, { first: () => ({ grpcStatus: 16, message: 'the token was used before' }) });
  await assert.rejects(refused.make().start(), (error: unknown) => {
    assert.ok(error instanceof MeshError);
    assert.equal(error.code, 'TOKEN_INVALID');
    assert.match(error.message, /the token was used before/);
    assert.doesNotMatch(error.message, /join-me/);
    return true;
  });
  assert.equal(refused.first.calls.length, 1);
});

test('a CA whose certificate does not lead to the trust bundle gets no token', async (t) => {
  const mine = await setUp(t);
  const foreign = await setUp(t);
  await writeFile(foreign.bootstrap.trustBundleFile, await readFile(mine.bootstrap.trustBundleFile));
  const identity = foreign.make(hurriedClock);
  const failed = new Promise<void>((resolve) => {
    const poll = (): void => (identity.status.failures > 0 ? resolve() : void setTimeout(poll, 5));
    poll();
  });
  void identity.start();
  await failed;
  identity.close();
  assert.equal(foreign.first.calls.length, 0);
  assert.match(identity.status.lastError ?? '', /cannot talk to/);
});

test('the environment cannot switch the check of the CA off', async (t) => {
  const mine = await setUp(t);
  const foreign = await setUp(t);
  await writeFile(foreign.bootstrap.trustBundleFile, await readFile(mine.bootstrap.trustBundleFile));
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const identity = foreign.make(hurriedClock);
  void identity.start().catch(() => {});
  while (identity.status.failures === 0 && foreign.first.calls.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  identity.close();
  assert.equal(foreign.first.calls.length, 0);
});

test('without a token and a stored certificate the mistake is named', async (t) => {
  const { bootstrap, folder } = await setUp(t);
  const identity = new WorkloadIdentity({
    bootstrap: { ...bootstrap, tokenFile: undefined },
    stateDir: join(folder, 'state'),
    clock: systemClock,
    logger: silentLogger,
    random: () => 0,
  });
  await assert.rejects(identity.start(), { code: 'BAD_CONFIGURATION', hint: 'Set identity.tokenFile.' });
});

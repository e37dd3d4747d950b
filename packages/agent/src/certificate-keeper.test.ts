import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { MeshError, silentLogger } from '@weft/base';
import { createCsr, createSvid, formatWorkloadId, generatePrivateKey, type Svid } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { eventually, ManualClock } from '@weft/testkit';
import { parseAgentBootstrap } from './agent-bootstrap.ts';
import { CertificateKeeper, type CertificateSource } from './certificate-keeper.ts';

const hour = 3_600_000;
const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'reviews' };
let folder = '';
const clock = new ManualClock();
let ca: CertificateAuthority;

async function issue(): Promise<Svid> {
  const key = await generatePrivateKey();
  const id = formatWorkloadId(identity);
  const issued = await ca.issueSvid({ csrPem: createCsr(key, id), identity: id, ttlMs: 24 * hour });
  return createSvid(issued.certChain, key);
}

function keeper(source: CertificateSource): CertificateKeeper {
  const bootstrap = parseAgentBootstrap(
    JSON.stringify({
      node: { id: 'default/reviews' },
      identity: {
        ...identity,
        caAddress: '127.0.0.1:1',
        renewAddress: '127.0.0.1:1',
        trustBundleFile: '/none',
      },
      xds: { address: '127.0.0.1:1' },
      stateDir: folder,
    }),
  );
  return new CertificateKeeper({ bootstrap, clock, logger: silentLogger, random: () => 0, source });
}

before(async () => {
  const caFolder = mkdtempSync(join(tmpdir(), 'weft-ca-'));
  ca = await CertificateAuthority.open({ folder: caFolder, logger: silentLogger, clock });
  after(() => {
    ca.close();
    rmSync(caFolder, { recursive: true, force: true });
  });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-keeper-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the first certificate comes by token, the next by the one before, at two thirds of its life', async () => {
  const asked: string[] = [];
  const kept = keeper({
    byToken: () => {
      asked.push('token');
      return issue();
    },
    bySvid: () => {
      asked.push('svid');
      return issue();
    },
  });
  await kept.start();
  const first = kept.svid.value;
  assert.equal(first?.spiffeId, 'spiffe://cluster.local/ns/default/sa/reviews');
  assert.deepEqual(asked, ['token']);
  assert.equal(statSync(join(folder, 'agent-key-pair.pem')).mode & 0o777, 0o600);
  clock.advance(15 * hour);
  assert.deepEqual(asked, ['token']);
  clock.advance(2 * hour);
  await eventually(() => kept.svid.value !== first, { what: 'the renewed certificate' });
  assert.deepEqual(asked, ['token', 'svid']);
  kept.close();
});

test('after a restart the stored key pair is used and nothing is asked for', async () => {
  const first = keeper({ byToken: issue, bySvid: issue });
  await first.start();
  first.close();
  const second = keeper({
    byToken: () => Promise.reject(new Error('must not be asked')),
    bySvid: issue,
  });
  await second.start();
  assert.equal(second.svid.value?.chainPem, first.svid.value?.chainPem);
  second.close();
});

test('a control plane that is away is asked again; a token that is refused ends it', async () => {
  let calls = 0;
  const patient = keeper({
    byToken: () => {
      calls += 1;
      return calls < 3 ? Promise.reject(new MeshError('UNAVAILABLE', 'away')) : issue();
    },
    bySvid: issue,
  });
  const started = patient.start();
  await eventually(
    () => {
      clock.advance(30_000);
      return patient.svid.value;
    },
    { what: 'the certificate after two failures' },
  );
  await started;
  patient.close();
  rmSync(join(folder, 'agent-key-pair.pem'));
  const refused = keeper({ byToken: () => Promise.reject(new MeshError('TOKEN_INVALID', 'used')), bySvid: issue });
  await assert.rejects(refused.start(), { code: 'TOKEN_INVALID' });
});

test('a renewal that fails is tried again and the old certificate stays', async () => {
  let failures = 0;
  const kept = keeper({
    byToken: issue,
    bySvid: () => {
      failures += 1;
      return failures < 2 ? Promise.reject(new MeshError('UNAVAILABLE', 'away')) : issue();
    },
  });
  await kept.start();
  const first = kept.svid.value;
  clock.advance(17 * hour);
  await eventually(() => failures === 1, { what: 'the first attempt' });
  assert.equal(kept.svid.value, first);
  await eventually(
    () => {
      clock.advance(60_000);
      return kept.svid.value !== first;
    },
    { what: 'the second attempt' },
  );
  kept.close();
});

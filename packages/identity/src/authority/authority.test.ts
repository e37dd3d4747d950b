import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Clock } from '@weft/base';
import { silentLogger } from '@weft/base';
import {
  createCsr,
  createSvid,
  formatWorkloadId,
  generatePrivateKey,
  parseCertificate,
  parseTrustBundle,
  renewalTime,
  spiffeIdOf,
  verifyChain,
} from '../index.ts';
import { CertificateAuthority, type CertificateAuthorityOptions } from './certificate-authority.ts';

const identity = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'reviews' });
const start = Date.parse('2026-01-01T00:00:00Z');

/** Time that a test sets; timers never fire. */
function stoppedClock(): Clock & { time: number } {
  return {
    time: start,
    now() {
      return this.time;
    },
    monotonicMs() {
      return this.time;
    },
    setTimeout: () => ({ cancel() {} }),
  };
}

async function openCa(
  t: TestContext,
  options: Partial<CertificateAuthorityOptions> = {},
): Promise<{ ca: CertificateAuthority; folder: string; clock: ReturnType<typeof stoppedClock> }> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'weft-ca-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const clock = stoppedClock();
  const ca = await CertificateAuthority.open({ folder, clock, logger: silentLogger, ...options });
  t.after(() => ca.close());
  return { ca, folder, clock };
}

test('an SVID verifies up to the root and holds exactly what X509-SVID asks for', async (t) => {
  const { ca, clock } = await openCa(t);
  const key = await generatePrivateKey();
  const issued = await ca.issueSvid({ csrPem: createCsr(key, identity), identity });
  const svid = createSvid(issued.certChain, key);
  assert.equal(svid.spiffeId, identity);
  const result = verifyChain(svid.chainPem, { bundle: ca.trustBundle.value, now: clock.now() });
  assert.deepEqual(result.ok && result.spiffeId, identity);
  const leaf = parseCertificate(issued.certChain[0] ?? '');
  assert.equal(leaf.ca, false);
  // Node prints an empty subject as undefined.
  assert.equal(leaf.subject, undefined);
  assert.equal(leaf.subjectAltName, `URI:${identity}`);
  assert.deepEqual(leaf.keyUsage?.toSorted(), ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  assert.equal(svid.notAfter - svid.notBefore, 24 * 3_600_000 + 60_000);
  assert.equal(svid.notBefore, start - 60_000);
  assert.equal(issued.certChain.length, 3);
});

test('a life above the CA default is cut, a shorter one is granted', async (t) => {
  const { ca } = await openCa(t, { leafTtlMs: 60_000 });
  const csrPem = createCsr(await generatePrivateKey(), identity);
  assert.equal((await ca.issueSvid({ csrPem, identity, ttlMs: 3_600_000 })).notAfter, start + 60_000);
  assert.equal((await ca.issueSvid({ csrPem, identity, ttlMs: 10_000 })).notAfter, start + 10_000);
  assert.equal((await ca.issueSvid({ csrPem, identity, ttlMs: 0 })).notAfter, start + 60_000);
});

test('a certificate with a short life is not due for renewal when it is new', async (t) => {
  const { ca, clock } = await openCa(t, { leafTtlMs: 6_000 });
  const issued = await ca.issueSvid({ csrPem: createCsr(await generatePrivateKey(), identity), identity });
  assert.ok(renewalTime(issued, 0.999) > clock.now() + 2_000);
});

test('two certificates never share a serial number', async (t) => {
  const { ca } = await openCa(t);
  const csrPem = createCsr(await generatePrivateKey(), identity);
  const serials = new Set<string>();
  for (let i = 0; i < 20; i += 1) {
    const [leaf = ''] = (await ca.issueSvid({ csrPem, identity })).certChain;
    serials.add(parseCertificate(leaf).serialNumber);
  }
  assert.equal(serials.size, 20);
});

test('a CSR for another identity than the proven one is refused', async (t) => {
  const { ca } = await openCa(t);
  const other = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'ratings' });
  const csrPem = createCsr(await generatePrivateKey(), other);
  await assert.rejects(ca.issueSvid({ csrPem, identity }), { code: 'FORBIDDEN', message: /another identity/ });
  const foreign = formatWorkloadId({ trustDomain: 'evil.example', namespace: 'shop', serviceAccount: 'reviews' });
  const foreignCsr = createCsr(await generatePrivateKey(), foreign);
  await assert.rejects(ca.issueSvid({ csrPem: foreignCsr, identity: foreign }), { code: 'FORBIDDEN' });
});

test('a CSR whose signature does not fit is refused', async (t) => {
  const { ca } = await openCa(t);
  const csrPem = createCsr(await generatePrivateKey(), identity);
  const body = csrPem.split('\n').slice(1, -2).join('');
  const der = Buffer.from(body, 'base64');
  const at = der.length - 3;
  der[at] = (der[at] ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await assert.rejects(ca.issueSvid({ csrPem: forged, identity }), { code: 'INVALID' });
});

test('what is no CSR at all is refused', async (t) => {
  const { ca } = await openCa(t);
  const csr = createCsr(await generatePrivateKey(), identity);
  for (const csrPem of ['', 'x', csr + csr, csr.replaceAll('REQUEST', 'REQUESTS'), csr.replace('\nMI', '\nAA')]) {
    await assert.rejects(ca.issueSvid({ csrPem, identity }), { code: 'INVALID' });
  }
  await assert.rejects(ca.issueSvid({ csrPem: 'x'.repeat(17_000), identity }), { code: 'TOO_LARGE' });
});

test('files are private and a CA that is opened again signs under the same root', async (t) => {
  const { ca, folder, clock } = await openCa(t);
  const again = await CertificateAuthority.open({ folder, clock, logger: silentLogger });
  t.after(() => again.close());
  assert.equal(again.trustBundle.value.version, ca.trustBundle.value.version);
  assert.equal(again.issuing.serialNumber, ca.issuing.serialNumber);
  for (const part of ['root', 'issuing']) {
    for (const name of await readdir(join(folder, part))) {
      assert.equal((await stat(join(folder, part, name))).mode & 0o777, 0o600, name);
    }
    assert.equal((await stat(join(folder, part))).mode & 0o777, 0o700);
  }
});

test('the root key is not needed as long as the intermediate lives', async (t) => {
  const { folder, clock } = await openCa(t);
  await rm(join(folder, 'root', 'root.key'));
  const again = await CertificateAuthority.open({ folder, clock, logger: silentLogger });
  t.after(() => again.close());
  await again.issueSvid({ csrPem: createCsr(await generatePrivateKey(), identity), identity });
  await assert.rejects(again.rotateIssuing(), { code: 'NOT_FOUND' });
});

test('a root key that others may read is refused with the fix', async (t) => {
  const { ca, folder } = await openCa(t);
  await chmod(join(folder, 'root', 'root.key'), 0o644);
  await assert.rejects(ca.rotateIssuing(), { code: 'PERMISSION_DENIED', hint: /chmod 600/ });
});

test('the intermediate is replaced before it gets too old, and older SVIDs stay valid', async (t) => {
  const { ca, clock } = await openCa(t, { leafTtlMs: 60_000, issuingTtlMs: 300_000 });
  const key = await generatePrivateKey();
  const before = ca.issuing.serialNumber;
  clock.time = start + 150_000;
  const first = await ca.issueSvid({ csrPem: createCsr(key, identity), identity });
  assert.equal(ca.issuing.serialNumber, before);
  clock.time = start + 200_000;
  const second = await ca.issueSvid({ csrPem: createCsr(key, identity), identity });
  assert.notEqual(ca.issuing.serialNumber, before);
  assert.equal(second.notAfter - clock.time, 60_000);
  for (const { certChain } of [first, second]) {
    assert.equal(verifyChain(certChain, { bundle: ca.trustBundle.value, now: clock.time }).ok, true);
  }
});

test('a CA of another trust domain in the folder is refused', async (t) => {
  const { folder, clock } = await openCa(t);
  await assert.rejects(
    CertificateAuthority.open({ folder, clock, trustDomain: 'other.example', logger: silentLogger }),
    { code: 'BAD_CONFIGURATION' },
  );
});

test('a damaged intermediate is named, with the way out', async (t) => {
  const { folder, clock } = await openCa(t);
  await writeFile(join(folder, 'issuing', 'issuing.pem'), 'junk');
  await assert.rejects(CertificateAuthority.open({ folder, clock, logger: silentLogger }), {
    code: 'STORAGE_CORRUPT',
    hint: /Remove the file/,
  });
  assert.equal(await readFile(join(folder, 'issuing', 'issuing.pem'), 'utf8'), 'junk');
});

test('server and client certificates carry their names and only their usage', async (t) => {
  const { ca, clock } = await openCa(t);
  const bundle = ca.trustBundle.value;
  const server = await ca.issueServer({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'], uris: [identity] });
  assert.equal(verifyChain(server.chainPem, { bundle, now: clock.now(), usage: 'server' }).ok, true);
  assert.equal(verifyChain(server.chainPem, { bundle, now: clock.now(), usage: 'client' }).ok, false);
  const leaf = parseCertificate(server.chainPem);
  assert.equal(leaf.checkHost('localhost'), 'localhost');
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(leaf.checkIP('::1'), '::1');
  assert.equal(spiffeIdOf(leaf), identity);
  const client = await ca.issueClient('ada', ['system:masters', 'staff'], 3_600_000);
  assert.equal(parseCertificate(client.chainPem).subject, 'O=system:masters\nO=staff\nCN=ada');
  assert.equal(verifyChain(client.chainPem, { bundle, now: clock.now(), usage: 'client' }).ok, true);
  assert.equal(spiffeIdOf(parseCertificate(client.chainPem)), undefined);
});

test('a chain is refused when expired, not yet valid, of another root, or led by a CA', async (t) => {
  const { ca, clock } = await openCa(t);
  const { ca: other } = await openCa(t);
  const { certChain } = await ca.issueSvid({ csrPem: createCsr(await generatePrivateKey(), identity), identity });
  const bundle = ca.trustBundle.value;
  const reason = (...args: Parameters<typeof verifyChain>): string => {
    const result = verifyChain(...args);
    return result.ok ? 'accepted' : result.reason;
  };
  assert.match(reason(certChain, { bundle, now: clock.now() + 25 * 3_600_000 }), /expired/);
  assert.match(reason(certChain, { bundle, now: clock.now() - 3_600_000 }), /not valid before/);
  assert.match(reason(certChain, { bundle: other.trustBundle.value, now: clock.now() }), /no path/);
  assert.match(reason(certChain.slice(0, 1), { bundle, now: clock.now() }), /no path/);
  assert.match(reason(certChain.slice(1), { bundle, now: clock.now() }), /is a CA/);
  assert.match(reason([], { bundle, now: clock.now() }), /empty/);
  assert.match(reason(Array(6).fill(certChain[0]), { bundle, now: clock.now() }), /more than 5/);
});

test('a trust bundle of several roots has one stable form', async (t) => {
  const a = (await openCa(t)).ca.trustBundle.value;
  const b = (await openCa(t)).ca.trustBundle.value;
  const one = parseTrustBundle(a.pem + b.pem + a.pem);
  const two = parseTrustBundle(b.pem + a.pem);
  assert.equal(one.roots.length, 2);
  assert.equal(one.version, two.version);
  assert.throws(() => parseTrustBundle(''), { code: 'CERTIFICATE_INVALID' });
});

test('a leaf cannot stand in a trust bundle', async (t) => {
  const { ca } = await openCa(t);
  const { certChain } = await ca.issueSvid({ csrPem: createCsr(await generatePrivateKey(), identity), identity });
  assert.throws(() => parseTrustBundle(certChain[0] ?? ''), { code: 'CERTIFICATE_INVALID' });
});

test('renewal comes at two thirds of the life, spread to earlier', () => {
  const validity = { notBefore: 0, notAfter: 900 };
  assert.equal(renewalTime(validity, 0), 600);
  assert.ok(renewalTime(validity, 0.999) >= 510);
});

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '../../identity/src/authority/x509.ts';
import type { SecretMaterial, SubjectAltNameMatch } from '../src/runtime-config/config.ts';
import { givenKeyPairFromXds, givenRootsFromXds } from '../src/runtime-config/from-xds/given-secret.ts';
import { maxPemFileBytes } from '../src/runtime-config/from-xds/pem.ts';
import { Problems } from '../src/runtime-config/wire/problems.ts';
import { CertificateChoice } from '../src/tls/certificate-choice.ts';
import { acceptsPeer, isCoveredBy } from '../src/tls/peer-verification.ts';

const folder = mkdtempSync(join(tmpdir(), 'weft-gateway-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const elliptic = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
};

interface Pair {
  readonly chain: string;
  readonly key: string;
}

async function pairFor(names: readonly string[], algorithm: typeof elliptic | typeof rsa = elliptic): Promise<Pair> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${names[0] ?? ''}`,
    issuer: `CN=${names[0] ?? ''}`,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
  return { chain: certificate.toString('pem'), key };
}

function material({ chain, key }: Pair): SecretMaterial {
  return { kind: 'key-pair', certificateChainPem: chain, privateKeyPem: () => key, version: 'the same' };
}

test('names of a certificate cover hosts as RFC 6125 has it', () => {
  const covered: readonly (readonly [string, string, boolean])[] = [
    ['a.example.com', 'a.example.com', true],
    ['A.Example.com', 'a.EXAMPLE.com', true],
    ['a.example.com', '*.example.com', true],
    ['a.b.example.com', '*.example.com', false],
    ['example.com', '*.example.com', false],
    ['api-1.example.com', 'api-*.example.com', true],
    ['api-.example.com', 'api-*.example.com', true],
    ['web-1.example.com', 'api-*.example.com', false],
    ['ab.example.com', 'ab*b.example.com', false],
    ['a.example.com', '*.*.com', false],
    ['xn--a.example.com', 'xn--*.example.com', false],
    ['a', '*', false],
  ];
  for (const [host, pattern, is] of covered) {
    assert.equal(isCoveredBy(host, pattern), is, `${host} by ${pattern}`);
  }
});

test('a matcher looks at names of its own type alone', () => {
  const names = {
    uris: ['spiffe://a/b'],
    dnsNames: ['*.example.com'],
    ipAddresses: ['192.0.2.1'],
    emails: ['a@example.com'],
  };
  const exact = (type: SubjectAltNameMatch['type'], value: string): SubjectAltNameMatch => ({
    type,
    match: { kind: 'exact', value, ignoreCase: false },
  });
  const suffix: SubjectAltNameMatch = {
    type: 'DNS',
    match: { kind: 'suffix', value: '.example.com', ignoreCase: false },
  };
  assert.equal(acceptsPeer([exact('DNS', 'a.example.com')], names), true);
  assert.equal(acceptsPeer([exact('DNS', 'spiffe://a/b')], names), false);
  assert.equal(acceptsPeer([exact('URI', '*.example.com')], names), false);
  assert.equal(acceptsPeer([exact('IP_ADDRESS', '192.0.2.1')], names), true);
  assert.equal(acceptsPeer([exact('EMAIL', 'a@example.com')], names), true);
  assert.equal(acceptsPeer([suffix], names), true, 'what is no exact name is compared as text');
  assert.equal(acceptsPeer([exact('DNS', 'b.example.org'), exact('URI', 'spiffe://a/b')], names), true);
});

test('a server shows the certificate for the name that is asked for, one of each kind of key', async () => {
  const first = material(await pairFor(['first.example.com']));
  const wild = material(await pairFor(['*.example.com']));
  const wildRsa = material(await pairFor(['*.example.com'], rsa));
  const second = material(await pairFor(['second.example.com']));
  const roots: SecretMaterial = { kind: 'trust-bundle', pem: '', version: '1' };
  const choice = new CertificateChoice(2);
  const all = [first, wild, wildRsa, second, roots];
  assert.deepEqual(choice.of(all, 'second.example.com'), [second, roots], 'exact names before wildcards');
  assert.deepEqual(choice.of(all, 'other.example.com'), [wild, wildRsa, roots]);
  assert.deepEqual(
    choice.of(all, 'elsewhere.org'),
    [first, wildRsa, roots],
    'the first ones for names that nobody has',
  );
  assert.deepEqual(choice.of(all, ''), [first, wildRsa, roots]);
});

test('certificates and keys are read from files with the configuration that names them', async () => {
  const { chain, key } = await pairFor(['client.example.com']);
  const other = await pairFor(['other.example.com']);
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return {
      filename: path,
      inline_bytes: undefined,
      inline_string: undefined,
      environment_variable: undefined,
    };
  };
  const problems = new Problems();
  const pair = givenKeyPairFromXds(
    { certificate_chain: file('chain.pem', chain), private_key: file('key.pem', key) },
    problems,
  );
  assert.deepEqual(problems.lines(), []);
  assert.equal(pair?.source, 'given');
  assert.ok(!JSON.stringify(pair).includes('PRIVATE KEY'));

  const wrong = new Problems();
  givenKeyPairFromXds(
    { certificate_chain: file('chain.pem', chain), private_key: file('other.pem', other.key) },
    wrong,
  );
  assert.deepEqual(wrong.lines(), ['the certificate does not belong to the private key']);

  const rootsOf = (trusted: ReturnType<typeof file>): readonly string[] => {
    const found = new Problems();
    const context = {
      trusted_ca: trusted,
      crl: undefined,
      verify_certificate_hash: [],
      verify_certificate_spki: [],
      system_root_certs: undefined,
      match_typed_subject_alt_names: [],
      trust_chain_verification: 'VERIFY_TRUST_CHAIN' as const,
    };
    givenRootsFromXds(context, found);
    return found.lines();
  };
  assert.deepEqual(rootsOf(file('roots.pem', chain + other.chain)), []);
  assert.deepEqual(rootsOf(file('text.pem', 'no certificate')), ['trusted_ca: there is no certificate in it']);
  assert.deepEqual(rootsOf(file('empty.pem', '')), ['trusted_ca.filename: the file is empty']);
  assert.deepEqual(rootsOf({ ...file('x', ''), filename: join(folder, 'none') }), [
    'trusted_ca.filename: the file cannot be read: ENOENT',
  ]);
  assert.deepEqual(rootsOf(file('long.pem', ' '.repeat(maxPemFileBytes + 1))), [
    `trusted_ca.filename: the file is longer than ${maxPemFileBytes} bytes`,
  ]);
});

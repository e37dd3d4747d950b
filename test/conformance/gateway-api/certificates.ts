import { webcrypto } from 'node:crypto';
import type { KubeObject } from '@weft/resources';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '../../../packages/identity/src/authority/x509.ts';

/** A certificate and its key, in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

interface Issuer {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

interface CertificateOptions {
  /** Days from now; default −1 and 7. */
  readonly fromDay?: number;
  readonly toDay?: number;
  /** Default: it signs itself. */
  readonly issuer?: Issuer;
}

/** A certificate for these names; those with a scheme are URIs. */
export async function createKeyPair(
  names: readonly string[],
  { fromDay = -1, toDay = 7, issuer }: CertificateOptions = {},
): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const subject = `O=weft conformance, CN=${names[0]?.replace('*', 'wildcard')}`;
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer?.name ?? subject,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() + fromDay * dayMs),
    notAfter: new Date(Date.now() + toDay * dayMs),
    extensions: [
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: value.includes('://') ? ('url' as const) : ('dns' as const), value })),
      ),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new BasicConstraintsExtension(false, undefined, true),
    ],
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

/** A CA that is nobody else's. */
export async function createIssuer(name: string): Promise<Issuer> {
  return { name: `CN=${name}`, keys: await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) };
}

/** The certificate of a CA, in PEM: what those have who trust it. */
export async function issuerCertificate({ name, keys }: Issuer): Promise<string> {
  const certificate = await X509CertificateGenerator.create({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 7 * dayMs),
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new BasicConstraintsExtension(true, undefined, true),
    ],
  });
  return certificate.toString('pem');
}

export function tlsSecret(namespace: string, name: string, { certificate, key }: KeyPair): KubeObject {
  const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key) };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    type: 'kubernetes.io/tls',
    data,
  } as KubeObject;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The key pairs of the Secrets that the manifests refer to without containing them, by `namespace/name`. */
export async function conformanceSecrets(): Promise<ReadonlyMap<string, KeyPair>> {
  const issuer = await createIssuer('weft conformance CA');
  const passthrough = await createKeyPair(['abc.example.com']);
  const infra = 'gateway-conformance-infra';
  return new Map([
    ['gateway-conformance-web-backend/certificate', await createKeyPair(['*'])],
    [`${infra}/tls-validity-checks-certificate`, await createKeyPair(['*', '*.org', '*.wildcard.org'])],
    [`${infra}/tls-passthrough-checks-certificate`, passthrough],
    ['gateway-conformance-app-backend/tls-passthrough-checks-certificate', passthrough],
    [
      `${infra}/tls-checks-certificate`,
      await createKeyPair(['abc.example.com', 'spiffe://abc.example.com/test-identity', 'other.example.com'], {
        issuer,
      }),
    ],
    [`${infra}/tls-terminate-checks-certificate`, await createKeyPair(['tls.example.com'], { issuer })],
  ]);
}

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
  /** In PEM. */
  readonly certificate: string;
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
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${name}`,
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
  return { name: `CN=${name}`, keys, certificate: certificate.toString('pem') };
}

/** A ConfigMap with the certificate of an authority. */
function caConfigMap(namespace: string, name: string, certificate: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name },
    data: { 'ca.crt': certificate },
  } as KubeObject;
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

export interface ConformanceCertificates {
  /** Of the Secrets that manifests refer to without containing them, by `namespace/name`. */
  readonly secrets: ReadonlyMap<string, KeyPair>;
  /** ConfigMaps with the authorities that some of them come from. */
  readonly authorities: readonly KubeObject[];
}

export async function conformanceCertificates(): Promise<ConformanceCertificates> {
  const issuer = await createIssuer('weft conformance CA');
  const stranger = await createIssuer('weft conformance stranger');
  const passthrough = await createKeyPair(['abc.example.com']);
  const infra = 'gateway-conformance-infra';
  const secrets = new Map([
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
    [`${infra}/own-client`, await createKeyPair(['client.example.com'], { issuer })],
    [`${infra}/own-expired-client`, await createKeyPair(['late.example.com'], { issuer, fromDay: -3, toDay: -1 })],
    [`${infra}/own-stranger-client`, await createKeyPair(['client.example.com'], { issuer: stranger })],
  ]);
  const authorities = [
    caConfigMap(infra, 'own-ca', issuer.certificate),
    caConfigMap(infra, 'own-stranger-ca', stranger.certificate),
    caConfigMap('gateway-conformance-web-backend', 'own-ca', issuer.certificate),
  ];
  return { secrets, authorities };
}

import { type KeyObject, randomBytes, webcrypto, type X509Certificate } from 'node:crypto';
import { parseCertificate, type Validity } from '../certificate.ts';
import type { PrivateKey } from '../redacted.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from './x509.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate with the key that signs in its name. */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: PrivateKey;
}

export interface SubjectNames {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

interface CommonTemplate {
  /** X.500 name by attribute; empty for an SVID. */
  readonly subject: readonly Readonly<Record<string, readonly string[]>>[];
  readonly names: SubjectNames;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
}

export interface LeafTemplate extends CommonTemplate {
  readonly usages: readonly ('server' | 'client')[];
}

export interface CaTemplate extends CommonTemplate {
  /** How many further CA certificates may follow below. */
  readonly pathLength: number;
}

const usageOids = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** Signs an end-entity certificate: no CA, `digitalSignature` only (X509-SVID §4.3). */
export function issueLeaf(template: LeafTemplate, issuer: Issuer): Promise<X509Certificate> {
  return issue(template, issuer, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(
      template.usages.map((usage) => usageOids[usage]),
      false,
    ),
  ]);
}

/**
 * Signs a CA certificate.
 * @param issuer undefined for a root; then `selfKey` signs.
 */
export function issueCa(
  template: CaTemplate,
  issuer: Issuer | { readonly selfKey: PrivateKey },
): Promise<X509Certificate> {
  return issue(template, issuer, [
    new BasicConstraintsExtension(true, template.pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
}

async function issue(
  template: CommonTemplate,
  issuer: Issuer | { readonly selfKey: PrivateKey },
  extensions: Extension[],
): Promise<X509Certificate> {
  const publicKey = spki(template.publicKey);
  const self = 'selfKey' in issuer;
  const signingKey = await cryptoKey(self ? issuer.selfKey : issuer.key);
  const issuerPublicKey = spki(self ? issuer.selfKey.publicKey : issuer.certificate.publicKey);
  const names = [
    ...(template.names.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(template.names.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(template.names.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  if (names.length > 0) {
    // RFC 5280 §4.2.1.6: critical when the subject is empty.
    extensions.push(new SubjectAlternativeNameExtension(names, template.subject.length === 0));
  }
  extensions.push(
    await SubjectKeyIdentifierExtension.create(publicKey),
    await AuthorityKeyIdentifierExtension.create(issuerPublicKey),
  );
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerialNumber(),
    subject: mutableName(template.subject),
    issuer: mutableName(self ? template.subject : nameOf(issuer.certificate)),
    notBefore: new Date(template.validity.notBefore),
    notAfter: new Date(template.validity.notAfter),
    publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions,
  });
  return parseCertificate(certificate.toString('pem'));
}

/** 127 random bits, positive and never zero (RFC 5280 §4.1.2.2: at most 20 octets). */
function randomSerialNumber(): string {
  const octets = randomBytes(16);
  octets[0] = ((octets[0] ?? 0) & 0x7f) | 0x40;
  return octets.toString('hex');
}

function spki(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

function cryptoKey(key: PrivateKey): Promise<webcrypto.CryptoKey> {
  const der = new Uint8Array(key.reveal().export({ type: 'pkcs8', format: 'der' }));
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

type NameAttributes = Record<string, string[]>[];

function mutableName(name: readonly Readonly<Record<string, readonly string[]>>[]): NameAttributes {
  return name.map((part) => Object.fromEntries(Object.entries(part).map(([key, values]) => [key, [...values]])));
}

/** Our own CA names hold only O and CN, in this order: `subject` prints them one a line. */
function nameOf(certificate: X509Certificate): NameAttributes {
  return certificate.subject.split('\n').map((line) => {
    const at = line.indexOf('=');
    return { [line.slice(0, at)]: [line.slice(at + 1)] };
  });
}

import { createPrivateKey, X509Certificate } from 'node:crypto';

/** What keeps a certificate and its key from being shown to clients. `key` is that of the Secret's data. */
export type KeyPairProblem =
  | { readonly kind: 'missing' | 'unreadable' | 'of-another-certificate'; readonly key: string }
  | { readonly kind: 'expired'; readonly key: string; readonly at: Date };

/** A certificate with its key, as `kubernetes.io/tls` has them, or by the older names that Istio takes, too. */
export interface KeyPairText {
  readonly certificateKey: string;
  readonly privateKeyKey: string;
  /** undefined: there is none. */
  readonly certificate: string | undefined;
  readonly privateKey: string | undefined;
}

/** @param read the text under a key of a Secret, undefined if there is none. */
export function readKeyPair(read: (key: string) => string | undefined): KeyPairText {
  const certificateKey = read('tls.crt') === undefined && read('cert') !== undefined ? 'cert' : 'tls.crt';
  const privateKeyKey = read('tls.key') === undefined && read('key') !== undefined ? 'key' : 'tls.key';
  return { certificateKey, privateKeyKey, certificate: read(certificateKey), privateKey: read(privateKeyKey) };
}

/** The first problem of a key pair; undefined: it can be shown. @param atMs when the certificate must not have expired, milliseconds since the epoch. */
export function keyPairProblem(pair: KeyPairText, atMs: number): KeyPairProblem | undefined {
  const { certificateKey, privateKeyKey, certificate, privateKey } = pair;
  if (certificate === undefined || privateKey === undefined) {
    return { kind: 'missing', key: certificate === undefined ? certificateKey : privateKeyKey };
  }
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificate);
  } catch {
    return { kind: 'unreadable', key: certificateKey };
  }
  if (parsed.validToDate.getTime() < atMs) {
    return { kind: 'expired', key: certificateKey, at: parsed.validToDate };
  }
  try {
    return parsed.checkPrivateKey(createPrivateKey(privateKey))
      ? undefined
      : { kind: 'of-another-certificate', key: privateKeyKey };
  } catch {
    return { kind: 'unreadable', key: privateKeyKey };
  }
}

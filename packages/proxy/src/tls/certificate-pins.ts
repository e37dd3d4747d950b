import { hash, type X509Certificate } from 'node:crypto';
import type { CertificatePins } from '../runtime-config/config.ts';
import type { PeerCertificate } from './peer-cache.ts';

const keyHashes = new WeakMap<X509Certificate, string>();

/** Whether a certificate is one of those that are meant, by itself or by its key. */
export function isPinned({ certificates, keys }: CertificatePins, { certificate, sha256 }: PeerCertificate): boolean {
  return certificates.includes(sha256) || (keys.length > 0 && keys.includes(keyHashOf(certificate)));
}

/** SHA-256 of the key (SubjectPublicKeyInfo), base64; empty when the key is of no kind that is known here. */
function keyHashOf(certificate: X509Certificate): string {
  let known = keyHashes.get(certificate);
  if (known === undefined) {
    try {
      known = hash('sha256', certificate.publicKey.export({ type: 'spki', format: 'der' }), 'base64');
    } catch {
      known = '';
    }
    keyHashes.set(certificate, known);
  }
  return known;
}

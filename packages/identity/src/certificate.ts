import { X509Certificate } from 'node:crypto';
import { MeshError } from '@weft/base';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';

/** When a certificate is valid, milliseconds since the Unix epoch. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * @param pem one certificate.
 * @throws MeshError `CERTIFICATE_INVALID`
 */
export function parseCertificate(pem: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new MeshError('CERTIFICATE_INVALID', 'not a readable X.509 certificate', { cause: error });
  }
}

export function validityOf(certificate: X509Certificate): Validity {
  return { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() };
}

/**
 * The SPIFFE id of an X509-SVID: the one URI among its subject alternative names. Undefined when there is none, more than
 * one (X509-SVID §2: such a certificate must be refused), or it is not a SPIFFE id.
 */
export function spiffeIdOf(certificate: X509Certificate): SpiffeId | undefined {
  return spiffeIdOfSubjectAltName(certificate.subjectAltName);
}

/** The same, of the text that Node's TLS gives as `subjectaltname` of a peer certificate. */
export function spiffeIdOfSubjectAltName(names: string | undefined): SpiffeId | undefined {
  // Node quotes (as JSON) whatever could be mistaken for a separator; a SPIFFE id never needs quotes.
  if (names === undefined || names.includes('"')) {
    return undefined;
  }
  const uris = names.split(', ').filter((entry) => entry.startsWith('URI:'));
  const [first, ...more] = uris;
  if (first === undefined || more.length > 0) {
    return undefined;
  }
  const parsed = parseSpiffeId(first.slice('URI:'.length));
  return parsed.ok ? parsed.id : undefined;
}

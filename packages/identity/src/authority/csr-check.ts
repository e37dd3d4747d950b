import { createPublicKey, type KeyObject } from 'node:crypto';
import { MeshError } from '@weft/base';
import { splitPem } from '../pem.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from './x509.ts';

/** Largest CSR that is read. One with an RSA key of 4096 bits and a long SPIFFE id has about 3 kB. */
export const maxCsrBytes = 16 * 1024;

const subjectAltName = '2.5.29.17';
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1']);

/**
 * Checks a CSR that `identity`, already authenticated, has sent. Only its public key is taken over into a certificate.
 * @param csrPem one PEM block `CERTIFICATE REQUEST`.
 * @returns the public key: EC P-256 or P-384, or RSA of 2048 to 4096 bits.
 * @throws MeshError `FORBIDDEN` when the request asks for another identity; `INVALID` when it is malformed, not signed by
 * its own key, or asks for any further name or extension; `TOO_LARGE`.
 */
export async function publicKeyOfCsr(csrPem: string, identity: SpiffeId): Promise<KeyObject> {
  if (csrPem.length > maxCsrBytes) {
    throw new MeshError('TOO_LARGE', `the certificate request of ${csrPem.length} bytes is above ${maxCsrBytes}`);
  }
  const request = await readRequest(csrPem);
  const names = requestedNames(request);
  const [name, ...more] = names;
  if (name === undefined || more.length > 0 || name.type !== 'url') {
    throw invalid('must have exactly one subject alternative name, a URI');
  }
  if (name.value !== identity) {
    throw new MeshError(
      'FORBIDDEN',
      `the certificate request asks for another identity than the proven one, ${identity}`,
      {
        hint: 'A join token and an SVID are bound to one identity: ask for that one.',
      },
    );
  }
  const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), type: 'spki', format: 'der' });
  assertKeyStrength(key);
  return key;
}

async function readRequest(csrPem: string): Promise<Pkcs10CertificateRequest> {
  const [block, ...more] = splitPem(csrPem, 'CERTIFICATE REQUEST');
  if (block === undefined || more.length > 0) {
    throw invalid('must be one PEM block CERTIFICATE REQUEST');
  }
  let signed: boolean;
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(block);
    signed = await request.verify();
  } catch (error) {
    throw invalid('is malformed', error);
  }
  if (!signed) {
    throw invalid('is not signed by the key it holds');
  }
  return request;
}

function requestedNames(
  request: Pkcs10CertificateRequest,
): readonly { readonly type: string; readonly value: string }[] {
  const extensions = request.extensions;
  const other = extensions.find((extension) => extension.type !== subjectAltName);
  if (other !== undefined) {
    throw invalid(`asks for the extension ${other.type}; only a subject alternative name is allowed`);
  }
  if (extensions.length > 1) {
    throw invalid('has its subject alternative name twice');
  }
  const [extension] = extensions;
  if (extension === undefined) {
    return [];
  }
  try {
    return new SubjectAlternativeNameExtension(extension.rawData).names.items;
  } catch (error) {
    throw invalid('has an unreadable subject alternative name', error);
  }
}

function assertKeyStrength(key: KeyObject): void {
  const details = key.asymmetricKeyDetails;
  const strong =
    (key.asymmetricKeyType === 'ec' && curves.has(details?.namedCurve ?? '')) ||
    (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048 && (details?.modulusLength ?? 0) <= 4096);
  if (!strong) {
    throw invalid('must hold a key on P-256 or P-384, or an RSA key of 2048 to 4096 bits');
  }
}

function invalid(what: string, cause?: unknown): MeshError {
  return new MeshError('INVALID', `the certificate request ${what}`, cause === undefined ? {} : { cause });
}

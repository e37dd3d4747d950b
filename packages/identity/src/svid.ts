import { MeshError } from '@weft/base';
import { parseCertificate, spiffeIdOf, validityOf } from './certificate.ts';
import type { PrivateKey } from './redacted.ts';
import type { SpiffeId } from './spiffe-id.ts';

/** An X509-SVID with its key: what a workload shows to prove who it is. */
export interface Svid {
  readonly spiffeId: SpiffeId;
  /** PEM, leaf first, then the issuing certificates; without the root. */
  readonly chainPem: string;
  readonly key: PrivateKey;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Joins a chain that the CA returned with the key it was asked for.
 * @param certChain PEM blocks, leaf first, the last one the root (as `IstioCertificateResponse.cert_chain`).
 * @throws MeshError `CERTIFICATE_INVALID` when the leaf does not belong to the key or is no SVID.
 */
export function createSvid(certChain: readonly string[], key: PrivateKey): Svid {
  const [leafPem] = certChain;
  if (leafPem === undefined) {
    throw new MeshError('CERTIFICATE_INVALID', 'the certificate chain is empty');
  }
  const leaf = parseCertificate(leafPem);
  if (!leaf.checkPrivateKey(key.reveal())) {
    throw new MeshError('CERTIFICATE_INVALID', 'the certificate does not belong to the private key');
  }
  const spiffeId = spiffeIdOf(leaf);
  if (spiffeId === undefined) {
    throw new MeshError('CERTIFICATE_INVALID', 'the certificate has no SPIFFE id');
  }
  const withoutRoot = certChain.filter((pem) => {
    const certificate = parseCertificate(pem);
    return !(certificate.ca && certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey));
  });
  const chainPem = withoutRoot.map((pem) => `${pem.trim()}\n`).join('');
  return { spiffeId, chainPem, key, ...validityOf(leaf) };
}

/**
 * When a certificate is to be renewed: at 2/3 of its life, spread by up to a tenth of its life before that, so that
 * workloads that started together do not renew together.
 * @param random uniform in [0, 1).
 */
export function renewalTime(
  validity: { readonly notBefore: number; readonly notAfter: number },
  random: number,
): number {
  const life = validity.notAfter - validity.notBefore;
  return validity.notBefore + life * (2 / 3) - life * 0.1 * random;
}

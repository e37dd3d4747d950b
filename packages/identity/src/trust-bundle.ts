import { createHash, type X509Certificate } from 'node:crypto';
import { MeshError } from '@weft/base';
import { parseCertificate } from './certificate.ts';
import { splitPem } from './pem.ts';

/** Most roots in one bundle. */
export const maxTrustBundleRoots = 64;

/** The roots that a verifier trusts; several while a root is being replaced. Immutable, without duplicates. */
export interface TrustBundle {
  readonly roots: readonly X509Certificate[];
  /** All roots, one PEM block after the other, in a stable order. */
  readonly pem: string;
  /** SHA-256 of the content, hexadecimal: equal bundles have equal versions. */
  readonly version: string;
}

/**
 * @throws MeshError `CERTIFICATE_INVALID` when there is no root or one is not a CA certificate, `TOO_LARGE` above
 * {@link maxTrustBundleRoots}.
 */
export function createTrustBundle(roots: readonly X509Certificate[]): TrustBundle {
  if (roots.length === 0) {
    throw new MeshError('CERTIFICATE_INVALID', 'a trust bundle needs at least one root');
  }
  if (roots.length > maxTrustBundleRoots) {
    throw new MeshError(
      'TOO_LARGE',
      `a trust bundle of ${roots.length} roots is above the limit of ${maxTrustBundleRoots}`,
    );
  }
  for (const root of roots) {
    if (!root.ca) {
      throw new MeshError('CERTIFICATE_INVALID', `the trust bundle holds a certificate that is no CA: ${root.subject}`);
    }
  }
  const byFingerprint = new Map(roots.map((root) => [root.fingerprint256, root]));
  const ordered = [...byFingerprint].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, root]) => root);
  const pem = ordered
    .map((root) => root.toString().trimEnd())
    .join('\n')
    .concat('\n');
  return { roots: ordered, pem, version: createHash('sha256').update(pem).digest('hex') };
}

/** Reads PEM text with one or more roots; see {@link createTrustBundle} for the errors. */
export function parseTrustBundle(pem: string): TrustBundle {
  return createTrustBundle(splitPem(pem, 'CERTIFICATE').map(parseCertificate));
}

/** Everything that either trusts. */
export function mergeTrustBundles(a: TrustBundle, b: TrustBundle): TrustBundle {
  return createTrustBundle([...a.roots, ...b.roots]);
}

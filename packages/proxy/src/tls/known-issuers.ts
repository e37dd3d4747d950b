import type { X509Certificate } from 'node:crypto';

/** Extensions of a root that limit what is below it: name constraints, policy constraints, inhibit any policy (RFC 5280 §4.2.1). */
const limitingExtensions: readonly Buffer[] = [0x1e, 0x24, 0x36].map((id) => Buffer.from([0x06, 0x03, 0x55, 0x1d, id]));

/** `BasicConstraints { cA TRUE }`, without and with a path length, whose last byte follows. */
const authority: Buffer = Buffer.from([0x30, 0x03, 0x01, 0x01, 0xff]);
const authorityWithLength: Buffer = Buffer.from([0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01]);

/**
 * The issuers in our own chain that a root of the bundle has signed without reservations. Nearly all peers come with the same issuer: with it among what is
 * trusted, OpenSSL ends the chain there instead of verifying it against the root in each handshake, which saves a tenth of one. It is trusted
 * for what the root's signature makes it trusted for, no longer than the root, and only as long as the bundle is this one; OpenSSL goes on to look at
 * its dates and its rights.
 * @param chain our certificate first.
 */
export function issuersSignedBy(
  roots: readonly X509Certificate[],
  chain: readonly X509Certificate[],
): readonly X509Certificate[] {
  return chain.slice(1).filter((issuer) => issuer.ca && roots.some((root) => hasSigned(root, issuer)));
}

function hasSigned(root: X509Certificate, issuer: X509Certificate): boolean {
  return (
    root.ca &&
    root.validFromDate <= issuer.validFromDate &&
    root.validToDate >= issuer.validToDate &&
    !limitingExtensions.some((extension) => root.raw.includes(extension)) &&
    allowsIssuer(root.raw) &&
    issuer.checkIssued(root) &&
    issuer.verify(root.publicKey)
  );
}

/** Whether a certificate's path length leaves room for one issuer below it. */
function allowsIssuer(der: Buffer): boolean {
  if (der.includes(authority)) {
    return true;
  }
  const at = der.indexOf(authorityWithLength);
  return at >= 0 && (der[at + authorityWithLength.length] ?? 0) >= 1;
}

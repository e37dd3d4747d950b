import { derContent } from '@weft/identity';

/** Tags of ASN.1 (X.690 §8.1.2). */
const sequence = 0x30;
/** `peer [3] EXPLICIT X509` of OpenSSL's SSL_SESSION. */
const peerTag = 0xa3;

/**
 * The certificate of the peer out of a session as OpenSSL writes it (`i2d_SSL_SESSION`). It is the cheapest way to it: Node's own
 * `getPeerX509Certificate` copies the whole chain, and Node 24 never frees the copy of the issuer, 4 KB a handshake.
 * @returns undefined when the peer gave none, or when this is no such session.
 */
export function peerDerOf(session: Buffer): Buffer | undefined {
  const outer = derContent(session, 0, session.length);
  if (session[0] !== sequence || outer === undefined) {
    return undefined;
  }
  for (let at = outer.start; at < outer.end; ) {
    const part = derContent(session, at, outer.end);
    if (part === undefined) {
      return undefined;
    }
    if (session[at] === peerTag) {
      const certificate = derContent(session, part.start, part.end);
      return certificate !== undefined && certificate.end === part.end && session[part.start] === sequence
        ? session.subarray(part.start, part.end)
        : undefined;
    }
    at = part.end;
  }
  return undefined;
}

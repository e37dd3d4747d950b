import type { X509Certificate } from 'node:crypto';

/** Who is at the other end of an authenticated connection; made from the verified client certificate and nothing else. */
export interface Peer {
  /** The certificate's URI names of scheme `spiffe`, as they stand there. An SVID has exactly one. */
  readonly spiffeIds: readonly string[];
  readonly certificate: X509Certificate;
}

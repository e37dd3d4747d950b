import { hash, X509Certificate } from 'node:crypto';
import { type SubjectAltNames, subjectAltNamesOf } from './peer-verification.ts';

/** Peers whose certificates are kept taken apart. */
const maxKnownPeers = 1024;

/** The certificate of a peer, taken apart; one object for all connections of that peer. */
export interface PeerCertificate {
  readonly certificate: X509Certificate;
  readonly names: SubjectAltNames;
  /** Distinguished name as RFC 2253 writes it. */
  readonly subject: string;
  /** SHA-256, lower-case hex. */
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/**
 * Certificates of peers by their SHA-256. Taking one apart costs as much as checking a signature, and a mesh has few peers with many
 * connections. That a certificate is known says nothing about its chain, which OpenSSL verifies in each full handshake.
 */
export class PeerCache {
  readonly #known = new Map<string, PeerCertificate>();
  readonly #limit: number;

  constructor(limit: number = maxKnownPeers) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  /** @param der the certificate; the bytes are not kept. */
  get(der: Uint8Array): PeerCertificate {
    const sha256 = hash('sha256', der, 'hex');
    const known = this.#known.get(sha256);
    if (known !== undefined) {
      return known;
    }
    const certificate = new X509Certificate(der);
    const peer: PeerCertificate = {
      certificate,
      names: subjectAltNamesOf(certificate),
      subject: distinguishedName(certificate.subject),
      sha256,
      notAfterMs: certificate.validToDate.getTime(),
    };
    if (this.#known.size >= this.#limit) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest ?? '');
    }
    this.#known.set(sha256, peer);
    return peer;
  }
}

/** Node writes one attribute a line, most significant first; RFC 2253 wants them reversed, joined by commas. */
function distinguishedName(subject: string | undefined): string {
  return subject === undefined ? '' : subject.split('\n').reverse().join(',');
}

import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../stream-info.ts';
import type { TlsHandle } from './native-tls.ts';
import type { PeerCertificate } from './peer-cache.ts';
import type { TlsMaterial } from './tls-context.ts';

/** What an established session says of itself. */
export interface SessionSummary {
  readonly version: string;
  readonly cipher: string;
  readonly sni: string;
  readonly alpn: string;
  readonly resumed: boolean;
}

export function summaryOfHandle(tls: TlsHandle, sni: string): SessionSummary {
  const alpn = tls.getALPNNegotiatedProtocol();
  return {
    version: tls.getProtocol() ?? '',
    cipher: tls.getCipher()?.standardName ?? '',
    sni,
    alpn: typeof alpn === 'string' ? alpn : '',
    resumed: tls.isSessionReused(),
  };
}

export function summaryOfSocket(socket: TLSSocket): SessionSummary {
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.standardName ?? '',
    sni: typeof socket.servername === 'string' ? socket.servername : '',
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '',
    resumed: socket.isSessionReused(),
  };
}

/**
 * What logs, metrics and forwarded headers need of an established session.
 * @param verified the peer's chain was verified.
 */
export function tlsFactsOf(
  session: SessionSummary,
  peer: PeerCertificate | undefined,
  verified: boolean,
  material: TlsMaterial,
): TlsFacts {
  const known = peer !== undefined && verified;
  return {
    version: session.version,
    cipher: session.cipher,
    sni: session.sni,
    alpn: session.alpn,
    peerVerified: known,
    peerUri: known ? (peer.names.uris[0] ?? '') : '',
    peerUris: known ? peer.names.uris : [],
    peerDnsNames: known ? peer.names.dnsNames : [],
    peerSubject: peer === undefined ? '' : peer.subject,
    peerCertificateSha256: peer === undefined ? '' : peer.sha256,
    localUri: material.localUri,
    resumed: session.resumed,
    // One that was let in without a valid certificate is not sent away when that ends.
    notAfterMs: Math.min(known ? peer.notAfterMs : Number.POSITIVE_INFINITY, material.notAfterMs),
  };
}

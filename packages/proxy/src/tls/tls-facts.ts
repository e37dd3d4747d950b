import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../stream-info.ts';
import { type SubjectAltNames, subjectAltNamesOf } from './peer-verification.ts';

/** The certificate of the peer with its names, undefined when it gave none. */
export interface PeerCertificate {
  readonly certificate: X509Certificate;
  readonly names: SubjectAltNames;
}

export function peerCertificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : { certificate, names: subjectAltNamesOf(certificate) };
}

/** Reads what logs, metrics and forwarded headers need from an established session. */
export function tlsFactsOf(socket: TLSSocket, peer: PeerCertificate | undefined, localUri: string): TlsFacts {
  const verified = peer !== undefined && socket.authorized;
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher()?.standardName ?? '',
    sni: typeof socket.servername === 'string' ? socket.servername : '',
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '',
    peerVerified: verified,
    peerUri: verified ? (peer.names.uris[0] ?? '') : '',
    peerUris: verified ? peer.names.uris : [],
    peerDnsNames: verified ? peer.names.dnsNames : [],
    peerSubject: peer === undefined ? '' : distinguishedName(peer.certificate.subject),
    peerCertificateSha256: peer === undefined ? '' : peer.certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    localUri,
    resumed: socket.isSessionReused(),
  };
}

/** Node writes one attribute a line, most significant first; RFC 2253 wants them reversed, joined by commas. */
function distinguishedName(subject: string | undefined): string {
  return subject === undefined ? '' : subject.split('\n').reverse().join(',');
}

import { X509Certificate } from 'node:crypto';
import type { Peer } from './peer.ts';

/** The part of a gRPC call that says who called. */
export interface AuthenticatedCall {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Uint8Array } };
}

/** The authenticated peer of a call. grpc-js reports a certificate only when it chains up to the roots of the server. */
export function peerOfCall(call: AuthenticatedCall): Peer | undefined {
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  if (raw === undefined) {
    return undefined;
  }
  const certificate = new X509Certificate(raw);
  return { certificate, spiffeIds: spiffeIdsOf(certificate.subjectAltName ?? '') };
}

/**
 * URI names of scheme `spiffe` in Node's text form of a subjectAltName: `URI:…, DNS:…`. A value with special characters is
 * quoted as a JSON string there, so that none can pretend to be two; such a value is no SPIFFE id and is left out.
 */
export function spiffeIdsOf(subjectAltName: string): string[] {
  const ids: string[] = [];
  for (const match of subjectAltName.matchAll(/(?:^|, )([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const [, kind, value] = match;
    if (kind === 'URI' && value?.startsWith('spiffe://') === true) {
      ids.push(value);
    }
  }
  return ids;
}

import type { X509Certificate } from 'node:crypto';
import { matchesString } from '../route/string-match.ts';
import type { DownstreamTls, StringMatch, UpstreamTls } from '../runtime-config/config.ts';
import type { PeerCertificate } from './peer-cache.ts';

/** The alternative names of a certificate by kind. */
export interface SubjectAltNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/**
 * Splits Node's text form (`URI:spiffe://…, DNS:a`). Values with special characters are quoted there as JSON, so that a
 * name cannot pretend to be two.
 */
export function subjectAltNamesOf(certificate: X509Certificate): SubjectAltNames {
  const uris: string[] = [];
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  const text = certificate.subjectAltName ?? '';
  const pattern = /(?:^|, )([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g;
  for (const [, kind, raw = ''] of text.matchAll(pattern)) {
    const value = raw.startsWith('"') ? unquote(raw) : raw;
    if (kind === 'URI') {
      uris.push(value);
    } else if (kind === 'DNS') {
      dnsNames.push(value);
    } else if (kind === 'IP Address') {
      ipAddresses.push(value);
    }
  }
  return { uris, dnsNames, ipAddresses };
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/**
 * Whether a URI name satisfies any matcher; no matchers accept every certificate of the trust bundle. Only URIs are looked at: the
 * matchers are for SPIFFE ids, and a DNS name may hold any characters that its issuer lets pass.
 */
export function acceptsPeer(matchers: readonly StringMatch[], names: SubjectAltNames): boolean {
  return matchers.length === 0 || matchers.some((matcher) => names.uris.some((name) => matchesString(matcher, name)));
}

/**
 * Whether a client may come in after its handshake, full or resumed.
 * @param verifyError what OpenSSL has against its chain, undefined when nothing.
 * @returns why not; undefined: it may.
 */
export function refuseClient(
  tls: DownstreamTls,
  peer: PeerCertificate | undefined,
  verifyError: string | undefined,
  nowMs: number,
): string | undefined {
  const { validation } = tls;
  if (validation === undefined) {
    return undefined;
  }
  if (peer === undefined) {
    return tls.requireClientCertificate ? 'peer did not return a certificate' : undefined;
  }
  if (verifyError !== undefined) {
    return `certificate verify failed: ${verifyError}`;
  }
  return refuseNameOrAge(validation.subjectAltNames, peer, nowMs);
}

/** Whether a server is the one that was meant, after its handshake, full or resumed. @returns why not; undefined: it is. */
export function refuseServer(
  tls: UpstreamTls,
  peer: PeerCertificate | undefined,
  verifyError: string | undefined,
  nowMs: number,
): string | undefined {
  const { validation } = tls;
  if (validation === undefined) {
    return undefined;
  }
  if (verifyError !== undefined) {
    return `certificate verify failed: ${verifyError}`;
  }
  if (peer === undefined) {
    return 'verify SAN list failed, peer is none';
  }
  return refuseNameOrAge(validation.subjectAltNames, peer, nowMs);
}

/**
 * OpenSSL looks at the end of a certificate in a full handshake only, and each resumed one hands out the ticket for the next:
 * without a look at it a peer could go on for ever after its certificate.
 */
function refuseNameOrAge(matchers: readonly StringMatch[], peer: PeerCertificate, nowMs: number): string | undefined {
  if (nowMs > peer.notAfterMs) {
    return 'certificate has expired';
  }
  if (!acceptsPeer(matchers, peer.names)) {
    return `verify SAN list failed, peer is ${[...peer.names.uris, ...peer.names.dnsNames].join(', ')}`;
  }
  return undefined;
}

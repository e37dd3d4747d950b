import type { X509Certificate } from 'node:crypto';
import { matchesString } from '../route/string-match.ts';
import type { DownstreamTls, SubjectAltNameMatch, TlsValidation, UpstreamTls } from '../runtime-config/config.ts';
import { isPinned } from './certificate-pins.ts';
import type { PeerCertificate } from './peer-cache.ts';

/** The alternative names of a certificate by kind. */
export interface SubjectAltNames {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emails: readonly string[];
}

/**
 * Splits Node's text form (`URI:spiffe://…, DNS:a`). Values with special characters are quoted there as JSON, so that a
 * name cannot pretend to be two.
 */
export function subjectAltNamesOf(certificate: X509Certificate): SubjectAltNames {
  const uris: string[] = [];
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  const emails: string[] = [];
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
    } else if (kind === 'email') {
      emails.push(value);
    }
  }
  return { uris, dnsNames, ipAddresses, emails };
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/**
 * Whether a name satisfies any matcher of its own type; no matchers accept every certificate of the trust bundle. A matcher for SPIFFE
 * ids is not satisfied by a DNS name, which may hold any characters that its issuer lets pass.
 */
export function acceptsPeer(matchers: readonly SubjectAltNameMatch[], names: SubjectAltNames): boolean {
  return matchers.length === 0 || matchers.some((matcher) => satisfies(matcher, names));
}

function satisfies({ type, match }: SubjectAltNameMatch, names: SubjectAltNames): boolean {
  switch (type) {
    case 'URI':
      return names.uris.some((name) => matchesString(match, name));
    case 'DNS':
      return names.dnsNames.some((name) =>
        match.kind === 'exact' ? isCoveredBy(match.value, name) : matchesString(match, name),
      );
    case 'EMAIL':
      return names.emails.some((name) => matchesString(match, name));
    case 'IP_ADDRESS':
      return names.ipAddresses.some((name) => matchesString(match, name));
  }
}

/** Whether a certificate for `pattern` is one for `host`, without regard to case; a star may stand in the leftmost label only (RFC 6125). */
export function isCoveredBy(host: string, pattern: string): boolean {
  const name = host.toLowerCase();
  const wanted = pattern.toLowerCase();
  if (name === wanted) {
    return true;
  }
  const nameDot = name.indexOf('.');
  const wantedDot = wanted.indexOf('.');
  if (nameDot <= 0 || wantedDot <= 0 || name.slice(nameDot) !== wanted.slice(wantedDot)) {
    return false;
  }
  const label = wanted.slice(0, wantedDot);
  const star = label.indexOf('*');
  // A star in the encoded form of a name in another script would stand for something else than it seems.
  if (star < 0 || star !== label.lastIndexOf('*') || label.startsWith('xn--')) {
    return false;
  }
  const before = label.slice(0, star);
  const after = label.slice(star + 1);
  const own = name.slice(0, nameDot);
  return own.length >= before.length + after.length && own.startsWith(before) && own.endsWith(after);
}

/**
 * Whether a client may come in after its handshake, full or resumed. As in Envoy nobody comes in without a certificate where one is to have
 * a name or to be pinned, whether it is required or not.
 * @param verifyError what OpenSSL has against its chain, undefined when nothing.
 * @param revokedEndsMs when what is known to be revoked ends.
 * @returns why not; undefined: it may.
 */
export function refuseClient(
  tls: DownstreamTls,
  peer: PeerCertificate | undefined,
  verifyError: string | undefined,
  revokedEndsMs: number,
  nowMs: number,
): string | undefined {
  const { validation } = tls;
  if (validation === undefined) {
    return undefined;
  }
  if (peer === undefined) {
    const isMeant =
      !validation.acceptUntrusted && (validation.subjectAltNames.length > 0 || validation.pins !== undefined);
    return tls.requireClientCertificate || isMeant ? 'peer did not return a certificate' : undefined;
  }
  if (validation.acceptUntrusted) {
    return undefined;
  }
  if (verifyError !== undefined) {
    return `certificate verify failed: ${verifyError}`;
  }
  return refusePeer(validation, peer, revokedEndsMs, nowMs);
}

/** Whether a client proved who it is: one that came in may have failed to, where untrusted ones are accepted. */
export function isProven(
  { validation }: DownstreamTls,
  peer: PeerCertificate | undefined,
  verifyError: string | undefined,
  revokedEndsMs: number,
  nowMs: number,
): boolean {
  return (
    validation !== undefined &&
    peer !== undefined &&
    verifyError === undefined &&
    refusePeer(validation, peer, revokedEndsMs, nowMs) === undefined
  );
}

/** Whether a server is the one that was meant, after its handshake, full or resumed. @returns why not; undefined: it is. */
export function refuseServer(
  tls: UpstreamTls,
  peer: PeerCertificate | undefined,
  verifyError: string | undefined,
  revokedEndsMs: number,
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
  return refusePeer(validation, peer, revokedEndsMs, nowMs);
}

/**
 * OpenSSL looks at the end of a certificate, and of what is revoked, in a full handshake only, and each resumed one hands out the ticket for
 * the next: without a look at it a peer could go on for ever after its certificate.
 */
function refusePeer(
  { subjectAltNames, pins }: TlsValidation,
  peer: PeerCertificate,
  revokedEndsMs: number,
  nowMs: number,
): string | undefined {
  if (nowMs > peer.notAfterMs) {
    return 'certificate has expired';
  }
  if (nowMs > revokedEndsMs) {
    return 'certificate verify failed: CRL_HAS_EXPIRED';
  }
  if (!acceptsPeer(subjectAltNames, peer.names)) {
    return `verify SAN list failed, peer is ${[...peer.names.uris, ...peer.names.dnsNames].join(', ')}`;
  }
  if (pins !== undefined && !isPinned(pins, peer)) {
    return `verify of hash and SPKI failed, peer has hash ${peer.sha256}`;
  }
  return undefined;
}

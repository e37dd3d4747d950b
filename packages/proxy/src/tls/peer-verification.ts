import type { X509Certificate } from 'node:crypto';
import { matchesString } from '../route/string-match.ts';
import type { StringMatch } from '../runtime-config/config.ts';

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

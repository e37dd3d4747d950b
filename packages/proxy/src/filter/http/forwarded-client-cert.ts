import { KnownHeader, type RequestHead } from '@weft/http-codec';
import type { HttpConnectionManagerConfig } from '../../runtime-config/config.ts';
import type { TlsFacts } from '../../stream-info.ts';

const name = 'x-forwarded-client-cert';

/** The element that describes the peer of this connection; made once for each connection. */
export function clientCertElement(
  tls: TlsFacts,
  config: HttpConnectionManagerConfig['setCurrentClientCert'],
  peerPem: string,
): string {
  const parts: string[] = [];
  if (tls.localUri !== '') {
    parts.push(`By=${tls.localUri}`);
  }
  if (tls.peerCertificateSha256 !== '') {
    parts.push(`Hash=${tls.peerCertificateSha256}`);
  }
  if (config.cert && peerPem !== '') {
    parts.push(`Cert="${encodeURIComponent(peerPem)}"`);
  }
  if (config.chain && peerPem !== '') {
    parts.push(`Chain="${encodeURIComponent(peerPem)}"`);
  }
  if (config.subject) {
    parts.push(`Subject="${tls.peerSubject.replace(/["\\]/g, '\\$&')}"`);
  }
  if (config.uri) {
    parts.push(...(tls.peerUris.length === 0 ? ['URI='] : tls.peerUris.map((uri) => `URI=${escapeValue(uri)}`)));
  }
  if (config.dns) {
    parts.push(...tls.peerDnsNames.map((dns) => `DNS=${escapeValue(dns)}`));
  }
  return parts.join(';');
}

/** A value with a delimiter in it is quoted, so that it cannot pretend to be another pair or element. */
function escapeValue(value: string): string {
  return /[,;="]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value;
}

/** Envoy's `forward_client_cert_details`. `element` is undefined unless the peer proved its identity by mutual TLS. */
export function applyForwardClientCert(
  head: RequestHead,
  mode: HttpConnectionManagerConfig['forwardClientCert'],
  element: string | undefined,
): void {
  if (mode === 'always-forward-only') {
    return;
  }
  if (element === undefined || mode === 'sanitize') {
    head.removeKnown(KnownHeader.xForwardedClientCert, name);
    return;
  }
  if (mode === 'forward-only') {
    return;
  }
  const before = mode === 'append-forward' ? head.getKnown(KnownHeader.xForwardedClientCert, name) : undefined;
  head.removeKnown(KnownHeader.xForwardedClientCert, name);
  head.add(name, before === undefined || before === '' || hasOpenQuote(before) ? element : `${before},${element}`);
}

/** A quote that does not end would swallow the element that follows it, and with it who really called. */
function hasOpenQuote(text: string): boolean {
  let open = false;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '"') {
      open = !open;
    } else if (open && text[index] === '\\') {
      index += 1;
    }
  }
  return open;
}

import type { Place } from '../../place.ts';

/** Protocols of ports, as Istio names them, by what a proxy can tell hosts apart by: authority, server name, nothing. */
const httpProtocols: readonly string[] = ['HTTP', 'HTTP2', 'HTTP_PROXY', 'GRPC', 'GRPC-WEB'];
const tlsProtocols: readonly string[] = ['HTTPS', 'TLS'];
const otherProtocols: readonly string[] = ['TCP', 'UDP', 'MONGO', 'REDIS', 'MYSQL'];
const protocols = [...httpProtocols, ...tlsProtocols, ...otherProtocols];

/** Whether requests of the protocol are in the clear and name their host. */
export function isHttpProtocol(protocol: string | undefined): boolean {
  return httpProtocols.includes((protocol ?? '').toUpperCase());
}

/** Whether connections of the protocol begin with TLS. */
export function isTlsProtocol(protocol: string | undefined): boolean {
  return tlsProtocols.includes((protocol ?? '').toUpperCase());
}

/** Reports a protocol that there is not; none is fine. */
export function checkProtocol(place: Place, protocol: string | undefined): void {
  const name = (protocol ?? '').toUpperCase();
  if (name !== '' && !protocols.includes(name)) {
    place.unsupported(protocol, protocols);
  }
}

import type { Protocol } from '@weft/ir';

/** What a port was declared to speak. */
export interface DeclaredProtocol {
  /** `udp` ports are not carried. */
  readonly kind: Protocol | 'udp';
  /** False: the protocol is carried as opaque TCP only because nothing better exists yet. */
  readonly supported: boolean;
}

const http: DeclaredProtocol = { kind: 'http', supported: true };
const tcp: DeclaredProtocol = { kind: 'tcp', supported: true };
/** HTTP/2 joins later; until then its connections are carried as they are, which works for clients that speak it themselves. */
const opaque: DeclaredProtocol = { kind: 'tcp', supported: false };

const protocols: Readonly<Record<string, DeclaredProtocol>> = {
  http,
  'kubernetes.io/ws': http,
  http2: opaque,
  h2: opaque,
  h2c: opaque,
  grpc: opaque,
  'grpc-web': http,
  'kubernetes.io/h2c': opaque,
  tcp,
  tls: tcp,
  https: tcp,
  'kubernetes.io/wss': tcp,
  mongo: tcp,
  mysql: tcp,
  redis: tcp,
};

/**
 * What a port speaks: `appProtocol`, else the port's name or its part before the first dash (`grpc-web` counts as one), else TCP.
 * @param transport `TCP` (default) or `UDP`.
 */
export function protocolOfPort(
  appProtocol: string | undefined,
  name: string | undefined,
  transport: string | undefined,
): DeclaredProtocol {
  if (transport !== undefined && transport.toUpperCase() !== 'TCP') {
    return { kind: 'udp', supported: false };
  }
  const declared = appProtocol === undefined ? undefined : protocols[appProtocol.toLowerCase()];
  if (declared !== undefined) {
    return declared;
  }
  const lower = (name ?? '').toLowerCase();
  const prefix = lower.startsWith('grpc-web') ? 'grpc-web' : (lower.split('-')[0] ?? '');
  return protocols[prefix] ?? tcp;
}

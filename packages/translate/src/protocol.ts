import type { Protocol } from '@weft/ir';

/** What a port was declared to speak; `auto` where nothing was said, `udp` ports are not carried. */
export type DeclaredProtocol = Protocol | 'udp';

const protocols: Readonly<Record<string, DeclaredProtocol>> = {
  http: 'http',
  http_proxy: 'http',
  'kubernetes.io/ws': 'http',
  'grpc-web': 'grpc-web',
  http2: 'http2',
  h2: 'http2',
  h2c: 'http2',
  'kubernetes.io/h2c': 'http2',
  grpc: 'http2',
  tcp: 'tcp',
  tls: 'tcp',
  https: 'tcp',
  'kubernetes.io/wss': 'tcp',
  mongo: 'tcp',
  mysql: 'tcp',
  redis: 'tcp',
  auto: 'auto',
};

/**
 * Ports of protocols in which the server speaks first, or that text inspection could take for something else: they are opaque where
 * nothing was declared. Istio's (25, 53, 3306, 27017) and those that Linkerd skips.
 */
const opaquePorts: ReadonlySet<number> = new Set([25, 53, 587, 3306, 4444, 5432, 6379, 9300, 11_211, 27_017]);

/**
 * What a port speaks, by Istio's rules: `appProtocol`, else the port's name; the whole of it or the part before its first dash
 * (`grpc-web` counts as one).
 * @param transport `TCP` (default) or `UDP`.
 * @param number of the service port, for well-known ones; undefined where it says nothing.
 */
export function protocolOfPort(
  appProtocol: string | undefined,
  name: string | undefined,
  transport: string | undefined,
  number: number | undefined,
): DeclaredProtocol {
  if (transport !== undefined && transport.toUpperCase() !== 'TCP') {
    return 'udp';
  }
  const said = (appProtocol ?? name ?? '').toLowerCase();
  const prefix = said.startsWith('grpc-web') ? 'grpc-web' : (said.split('-')[0] ?? '');
  return protocols[said] ?? protocols[prefix] ?? (number !== undefined && opaquePorts.has(number) ? 'tcp' : 'auto');
}

/** Whether requests are told apart on such a port, at least on some connections. */
export function carriesHttp(protocol: DeclaredProtocol): protocol is Exclude<Protocol, 'tcp'> {
  return protocol !== 'tcp' && protocol !== 'udp';
}

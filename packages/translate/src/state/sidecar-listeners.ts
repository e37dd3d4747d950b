import { isIP } from 'node:net';
import type { ProxyInbound, ProxyResource, Sidecar, WorkloadEntry } from '../kinds.ts';
import { carriesHttp, protocolOfPort } from '../protocol.ts';
import { isAny, overlap, Sockets } from '../sockets.ts';
import { isReachableUnixAddress, isUnixAddress } from '../unix-address.ts';
import { mayListenOn, unnamedSocket } from './unix-listener.ts';

const loopback = '127.0.0.1';

type SidecarSpec = NonNullable<Sidecar['spec']>;
type Ingress = NonNullable<SidecarSpec['ingress']>[number];
type Egress = NonNullable<SidecarSpec['egress']>[number];

/** A port on which peers reach the workload, whether its Proxy or a Sidecar says so. */
export interface InboundListener extends Omit<ProxyInbound, 'protocol'> {
  readonly protocol?: string | undefined;
  /** The port by which policies name it. */
  readonly policyPort: number;
  readonly connectionPool?: SidecarSpec['inboundConnectionPool'];
  /** TLS with clients outside of the mesh, and the field that says it. */
  readonly tls?: { readonly spec: NonNullable<Ingress['tls']>; readonly field: string };
}

/** A socket of the workload's own that leads to one service, whether its Proxy or a Sidecar says so. */
export interface UpstreamListener {
  readonly host: string;
  /** 0, of a Unix socket: the one that an authority without port means. */
  readonly port: number;
  /** An IP address, or `unix://` and the path of a socket; default `127.0.0.1`. */
  readonly listenAddress?: string | undefined;
  /** 0 for a Unix socket. */
  readonly listenPort: number;
  /** Of the Sidecar; absent: the Proxy says it. */
  readonly field?: string;
}

/** A socket of the workload's own at which the authority of a request says what it is for, as at the HTTP proxy address. */
export interface SharedListener {
  /** An IP address, or `unix://` and the path of a socket. */
  readonly listenAddress: string;
  /** 0 for a Unix socket. */
  readonly listenPort: number;
  /** Of the Sidecar: `spec.egress[0].hosts`. */
  readonly field: string;
}

/** Where a proxy listens, the Proxy and the Sidecar of its workload taken together. */
export interface SidecarListeners {
  readonly inbound: readonly InboundListener[];
  /** Those of the Proxy first. */
  readonly upstreams: readonly UpstreamListener[];
  /** For several hosts each. */
  readonly shared: readonly SharedListener[];
  /** Fields of the Sidecar that are not done for this proxy: `spec.ingress[0].bind`. */
  readonly leftOut: readonly string[];
}

/**
 * The listeners of a Proxy as a Sidecar changes them. `ingress` names all ports that are open to peers: one that is a port of the
 * application keeps the socket that the Proxy has for it, as that is what peers are told; another one gets a socket of its own. An
 * `egress` listener that says where the workload connects to (`bind`, `captureMode: NONE`) is a declared upstream, or, for several hosts, one more
 * address of the HTTP proxy.
 */
export function sidecarListeners(
  proxy: ProxyResource,
  entry: WorkloadEntry | undefined,
  sidecar: Sidecar | undefined,
): SidecarListeners {
  const { ingress = [], egress = [], inboundConnectionPool } = sidecar?.spec ?? {};
  const { spec } = proxy;
  const own = (spec.inbound ?? []).map((listener) => ({ ...listener, policyPort: listener.appPort }));
  const upstreams = spec.upstreams ?? [];
  const taken = new Sockets();
  for (const { address, port } of [
    ...(spec.httpProxy === undefined ? [] : [spec.httpProxy]),
    ...upstreams.map(({ listenAddress, listenPort }) => ({ address: listenAddress, port: listenPort })),
    ...(ingress.length === 0 ? own : []),
  ]) {
    taken.take(address ?? loopback, port);
  }
  const leftOut: string[] = [];
  const apps = new Map<number, string | undefined>();
  const ports = new Set<number>();
  const inbound =
    ingress.length === 0
      ? own.map((listener) => withPool(listener, inboundConnectionPool))
      : ingress.flatMap((listener, index): readonly InboundListener[] => {
          const found = ingressListener(listener, own, ownAddress(entry), taken);
          if (typeof found === 'string') {
            leftOut.push(`spec.ingress[${index}].${found}`);
            return [];
          }
          // On the wire a port has one name, and the application one for each of its own.
          const appAddress = apps.get(found.appPort) ?? found.appAddress;
          if (ports.has(found.port) || appAddress !== found.appAddress) {
            leftOut.push(`spec.ingress[${index}].${ports.has(found.port) ? 'port.number' : 'defaultEndpoint'}`);
            return [];
          }
          ports.add(found.port);
          apps.set(found.appPort, appAddress);
          const pooled = withPool(found, listener.connectionPool ?? inboundConnectionPool);
          return [withTls(pooled, listener.tls, `spec.ingress[${index}].tls`)];
        });
  const declared: UpstreamListener[] = [];
  const shared: SharedListener[] = [];
  for (const [index, listener] of egress.entries()) {
    const socket = egressSocket(listener, taken, proxy);
    if (typeof socket === 'string') {
      leftOut.push(`spec.egress[${index}].${socket}`);
    } else if (socket !== undefined) {
      const field = `spec.egress[${index}].hosts`;
      const host = onlyHost(listener);
      if (host === undefined) {
        shared.push({ ...socket, field });
      } else {
        declared.push({ host, port: socket.listenPort, ...socket, field });
      }
    }
  }
  return { inbound, upstreams: declared.length === 0 ? upstreams : [...upstreams, ...declared], shared, leftOut };
}

function withPool(listener: InboundListener, connectionPool: InboundListener['connectionPool']): InboundListener {
  return connectionPool === undefined ? listener : { ...listener, connectionPool };
}

/** Once TLS has ended, what is spoken at the port is what was inside. */
function withTls(listener: InboundListener, spec: Ingress['tls'], field: string): InboundListener {
  return spec === undefined
    ? listener
    : { ...listener, protocol: listener.protocol?.toUpperCase() === 'HTTPS' ? 'http' : 'tcp', tls: { spec, field } };
}

/** Where peers reach the workload. */
function ownAddress(entry: WorkloadEntry | undefined): string {
  const address = entry?.spec.address ?? '';
  return isIP(address) === 0 ? loopback : address;
}

/** The listener, or the field because of which there is none. */
function ingressListener(
  { port, bind = '', defaultEndpoint = '' }: Ingress,
  own: readonly InboundListener[],
  address: string,
  taken: Sockets,
): InboundListener | string {
  const { number = 0, name, protocol } = port;
  const replaced = own.find(({ appPort }) => appPort === number) ?? own.find((listener) => listener.port === number);
  const socket = { address: bind === '' ? (replaced?.address ?? address) : bind, port: replaced?.port ?? number };
  const app = appOf(defaultEndpoint, address) ?? {
    appAddress: replaced?.appAddress ?? loopback,
    appPort: replaced?.appPort ?? number,
  };
  if (isUnixAddress(app.appAddress)) {
    if (!isReachableUnixAddress(app.appAddress)) {
      return 'defaultEndpoint';
    }
  } else if (overlap(socket.address, app.appAddress) && socket.port === app.appPort) {
    // It would send to itself.
    return 'defaultEndpoint';
  }
  if (!taken.take(socket.address, socket.port)) {
    return 'port.number';
  }
  return {
    name: replaced?.name ?? name ?? String(number),
    protocol,
    ...socket,
    ...app,
    // A socket has no port: that of the listener stands for it.
    appPort: app.appPort === 0 ? number : app.appPort,
    policyPort: number,
  };
}

/** What `127.0.0.1:8080`, `0.0.0.0:8080` (the address of the workload) or `unix:///path` says; port 0 for a socket. */
function appOf(endpoint: string, address: string): { appAddress: string; appPort: number } | undefined {
  if (endpoint === '') {
    return undefined;
  }
  if (isUnixAddress(endpoint)) {
    return { appAddress: endpoint, appPort: 0 };
  }
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '');
  return { appAddress: isAny(host) ? address : host, appPort: Number(endpoint.slice(colon + 1)) };
}

/** The host of a listener that is for one alone, without its namespace. */
function onlyHost({ hosts }: Egress): string | undefined {
  const [host = '', ...others] = hosts.map((written) => written.slice(written.indexOf('/') + 1));
  return others.length > 0 || host.startsWith('*') ? undefined : host;
}

/** The socket, the field because of which there is none, or nothing where the listener is for intercepted connections. */
function egressSocket(
  listener: Egress,
  taken: Sockets,
  proxy: ProxyResource,
): Omit<SharedListener, 'field'> | string | undefined {
  const { port, bind = '', captureMode } = listener;
  if (bind === '' && captureMode !== 'NONE') {
    return undefined;
  }
  const field = bind === '' ? 'captureMode' : 'bind';
  if (port?.number === undefined) {
    return field;
  }
  if (
    onlyHost(listener) === undefined &&
    !carriesHttp(protocolOfPort(port.protocol, undefined, undefined, undefined))
  ) {
    return `hosts (several need a port of HTTP, to be told apart by the authority of requests: this one is of ${port.protocol ?? 'no protocol'})`;
  }
  if (isUnixAddress(bind)) {
    if (!isReachableUnixAddress(bind)) {
      return field;
    }
    if (!mayListenOn(proxy, bind)) {
      return `${field} (${unnamedSocket})`;
    }
    return taken.take(bind, 0) ? { listenAddress: bind, listenPort: 0 } : field;
  }
  const listenAddress = bind === '' ? loopback : bind;
  return taken.take(listenAddress, port.number) ? { listenAddress, listenPort: port.number } : 'port.number';
}

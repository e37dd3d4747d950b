import type { PortAdvice, SeenProtocol, ServicePort } from '@weft/admin-api';
import type { MeshState } from '@weft/translate';
import type { ListenerSeen, SeenProtocols } from './seen-protocols.ts';

type ServiceModel = NonNullable<ReturnType<MeshState['resolveHost']>>;
type PortModel = ServiceModel['ports'][number];
type Protocol = SeenProtocol['protocol'];

/** Tells what the clients of a service's ports were seen to speak; made at one moment, for many services. */
export class PortProtocols {
  readonly #state: MeshState;
  readonly #seen: SeenProtocols;
  readonly #byName: ReadonlyMap<string, readonly ListenerSeen[]>;

  constructor(state: MeshState, seen: SeenProtocols) {
    this.#state = state;
    this.#seen = seen;
    this.#byName = seen.named();
  }

  describe(service: ServiceModel): readonly ServicePort[] {
    return service.ports.map((port) => {
      const seen = this.#seenOf(service, port);
      const advice = adviceOf(port, new Set(seen.map(({ protocol }) => protocol)));
      return {
        name: port.name,
        port: port.number,
        protocol: port.protocol,
        declared: port.declared,
        seen,
        ...(advice === undefined ? {} : { advice }),
      };
    });
  }

  /**
   * By the callers' local ports for it. On ports that declare HTTP the called side sees what the two sidecars agreed on, whatever the
   * applications speak, so that it is asked only where nothing is declared.
   */
  #seenOf(service: ServiceModel, port: PortModel): readonly SeenProtocol[] {
    const listeners = [...(this.#byName.get(`upstream|${port.number}||${service.host}`) ?? [])];
    if (!port.declared) {
      for (const { ports, workload } of this.#state.instances.of(service).instances) {
        const { targetPort } = port;
        const number = ports[port.name] ?? (typeof targetPort === 'number' ? targetPort : ports[targetPort]);
        const inbound = this.#seen.listenersOf(`${workload.namespace}/${workload.name}`).get(`inbound|${number}`);
        if (inbound !== undefined) {
          listeners.push(inbound);
        }
      }
    }
    return sum(listeners);
  }
}

function sum(listeners: readonly ListenerSeen[]): readonly SeenProtocol[] {
  const all = new Map<Protocol, { count: number; lastSeenMs: number }>();
  for (const listener of listeners) {
    for (const [protocol, { count, lastSeenMs }] of listener) {
      const before = all.get(protocol) ?? { count: 0, lastSeenMs: 0 };
      all.set(protocol, { count: before.count + count, lastSeenMs: Math.max(before.lastSeenMs, lastSeenMs) });
    }
  }
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([protocol, { count, lastSeenMs }]) => ({
      protocol,
      count,
      lastSeen: new Date(lastSeenMs).toISOString(),
    }));
}

/** What people call it. */
const names: Readonly<Record<Protocol, string>> = {
  http1: 'HTTP/1.1',
  http2: 'HTTP/2',
  grpc: 'gRPC',
  tls: 'TLS',
  tcp: 'tcp',
  'server-first': 'tcp in which the server speaks first',
};

function adviceOf(port: PortModel, seen: ReadonlySet<Protocol>): PortAdvice | undefined {
  if (seen.size === 0 || port.protocol === 'udp') {
    return undefined;
  }
  return port.declared ? mismatch(port, seen) : undeclared(port, seen);
}

function undeclared({ number }: PortModel, seen: ReadonlySet<Protocol>): PortAdvice {
  // What is said already by another name is not worth telling: gRPC is HTTP/2.
  const told = [...seen]
    .filter(
      (protocol) => !(protocol === 'http2' && seen.has('grpc')) && !(protocol === 'tcp' && seen.has('server-first')),
    )
    .sort();
  const wanted = declarationFor(seen);
  return {
    kind: 'undeclared',
    message: `port ${number} declares no protocol; ${told.map((protocol) => names[protocol]).join(' and ')} was seen`,
    fix:
      wanted === undefined
        ? 'give each protocol a port of its own and declare it by `appProtocol`'
        : `declare \`appProtocol: ${wanted}\``,
  };
}

/** Undefined: nothing that is declared would suit all. */
function declarationFor(seen: ReadonlySet<Protocol>): string | undefined {
  const isHttp = seen.has('http1') || seen.has('http2') || seen.has('grpc');
  const isOpaque = seen.has('tls') || seen.has('tcp') || seen.has('server-first');
  if (isHttp && isOpaque) {
    return undefined;
  }
  if (isOpaque) {
    return seen.has('tls') && seen.size === 1 ? 'tls' : 'tcp';
  }
  if (seen.has('grpc')) {
    return seen.has('http1') ? undefined : 'grpc';
  }
  return seen.has('http1') ? 'http' : 'http2';
}

function mismatch({ number, protocol }: PortModel, seen: ReadonlySet<Protocol>): PortAdvice | undefined {
  if (protocol === 'tcp' || protocol === 'auto') {
    return undefined;
  }
  if (seen.has('tls')) {
    return {
      kind: 'mismatch',
      message: `port ${number} is declared as ${protocol}, but TLS was seen, which is refused`,
      fix: 'declare `appProtocol: https` if the application itself speaks TLS, else let its callers speak plain HTTP: the sidecars encrypt',
    };
  }
  if (protocol === 'http' && seen.has('grpc')) {
    return {
      kind: 'mismatch',
      message: `port ${number} is declared as http, but gRPC was seen, which needs HTTP/2 up to the application`,
      fix: 'declare `appProtocol: grpc`',
    };
  }
  return undefined;
}

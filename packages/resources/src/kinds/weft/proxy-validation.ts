import { isIpAddress } from '../../format/address.ts';
import { isHostName } from '../../format/hosts.ts';
import { checkName } from '../../format/names.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { ProxyResource, ProxySpec } from './proxy.ts';

function checkAddress(place: Place, address: string | undefined): void {
  if (address !== undefined && !isIpAddress(address)) {
    place.invalid(address, 'not an IP address', 'Use an IPv4 or IPv6 address, such as 127.0.0.1.');
  }
}

const unixPrefix = 'unix://';
/** Longest path of a Unix socket on Linux, bytes. */
const maxSocketPathBytes = 107;

function isSocketPath(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) <= maxSocketPathBytes;
}

function checkUnixSockets(place: Place, paths: readonly string[]): void {
  for (const [index, path] of paths.entries()) {
    if (!isSocketPath(path)) {
      place
        .at(index)
        .invalid(path, `not an absolute path of at most ${maxSocketPathBytes} bytes`, 'Write it as /run/app.sock.');
    }
    if (paths.indexOf(path) < index) {
      place.at(index).duplicate(path, 'Remove one of the two.');
    }
  }
}

function checkAppAddress(place: Place, address: string | undefined): void {
  if (address?.startsWith(unixPrefix) !== true) {
    checkAddress(place, address);
    return;
  }
  if (!isSocketPath(address.slice(unixPrefix.length))) {
    place.invalid(
      address,
      `not an absolute path of at most ${maxSocketPathBytes} bytes`,
      'Write unix:///path/to/socket; a socket without a file (unix://@name) is not supported.',
    );
  }
}

/** Collects sockets that are bound, to report two that are the same. */
class Sockets {
  readonly #paths = new Map<string, string>();

  bind(place: Place, address: string | undefined, port: number): void {
    const socket = `${address ?? '127.0.0.1'}:${port}`;
    const other = this.#paths.get(socket);
    if (other === undefined) {
      this.#paths.set(socket, place.path);
    } else {
      place.conflict(`${socket} is taken by ${other} already`, 'Give each listener a port of its own.');
    }
  }
}

/** A gateway serves no workload of its own, and a sidecar has no Gateway: what the other role has would never be acted upon. */
function checkRole(
  place: Place,
  { role = 'sidecar', gateway, httpProxy, inbound = [], upstreams = [] }: ProxySpec,
): void {
  if (role === 'sidecar') {
    if (gateway !== undefined) {
      place.at('gateway').forbidden('only a proxy of role gateway has it', 'Write role: gateway, or remove it.');
    }
    return;
  }
  const others = { httpProxy: httpProxy !== undefined, inbound: inbound.length > 0, upstreams: upstreams.length > 0 };
  for (const [name, isThere] of Object.entries(others)) {
    if (isThere) {
      place.at(name).forbidden('a proxy of role gateway serves no workload of its own', 'Remove it.');
    }
  }
  checkAddress(place.at('gateway', 'address'), gateway?.address);
  const ports = gateway?.ports ?? [];
  for (const [index, { listenPort }] of ports.entries()) {
    const first = ports.findIndex((other) => other.listenPort === listenPort);
    if (first < index) {
      place
        .at('gateway', 'ports', index, 'listenPort')
        .conflict(`${listenPort} is where port ${ports[first]?.port} is listened on`, 'Give each port one of its own.');
    }
  }
}

/** Where the workload's own gRPC library takes the place of a proxy, nobody would open these sockets. */
function checkProxyless(
  place: Place,
  { engine, role = 'sidecar', httpProxy, inbound = [], upstreams = [] }: ProxySpec,
): void {
  if (engine !== 'grpc') {
    return;
  }
  if (role !== 'sidecar') {
    place.at('role').forbidden('the engine grpc opens no sockets', 'Use the engine weft or envoy.');
  }
  const sockets = { httpProxy: httpProxy !== undefined, inbound: inbound.length > 0, upstreams: upstreams.length > 0 };
  for (const [name, isThere] of Object.entries(sockets)) {
    if (isThere) {
      place.at(name).forbidden('the engine grpc opens no sockets', 'Remove it, or use the engine weft or envoy.');
    }
  }
}

export function validateProxy({ spec }: ProxyResource): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkRole(place, spec);
  checkProxyless(place, spec);
  checkUnixSockets(place.at('unixSockets'), spec.unixSockets ?? []);
  const sockets = new Sockets();
  checkName(place.at('serviceAccount'), spec.serviceAccount, 'subdomain');
  if (spec.httpProxy !== undefined) {
    checkAddress(place.at('httpProxy', 'address'), spec.httpProxy.address);
    sockets.bind(place.at('httpProxy', 'port'), spec.httpProxy.address, spec.httpProxy.port);
  }
  const names = new Set<string>();
  for (const [index, inbound] of (spec.inbound ?? []).entries()) {
    const here = place.at('inbound', index);
    if (names.has(inbound.name)) {
      here.at('name').duplicate(inbound.name, 'Give each listener a name of its own.');
    }
    names.add(inbound.name);
    if (inbound.name === '') {
      here.at('name').required('the name is empty', 'Use the name of the port in the WorkloadEntry.');
    }
    checkAddress(here.at('address'), inbound.address);
    checkAppAddress(here.at('appAddress'), inbound.appAddress);
    sockets.bind(here.at('port'), inbound.address, inbound.port);
    if (inbound.port === inbound.appPort && (inbound.address ?? '') === (inbound.appAddress ?? '')) {
      here
        .at('appPort')
        .conflict('the workload cannot listen where its proxy does', 'Let one of the two listen at another port.');
    }
  }
  const upstreams = new Set<string>();
  for (const [index, upstream] of (spec.upstreams ?? []).entries()) {
    const here = place.at('upstreams', index);
    const key = `${upstream.host}:${upstream.port}`;
    if (upstreams.has(key)) {
      here.at('host').duplicate(key, 'Remove one of the two.');
    }
    upstreams.add(key);
    if (!isHostName(upstream.host)) {
      here.at('host').invalid(upstream.host, 'not a host name', 'Use the name of a service, such as reviews.');
    }
    checkAddress(here.at('listenAddress'), upstream.listenAddress);
    sockets.bind(here.at('listenPort'), upstream.listenAddress, upstream.listenPort);
  }
  return root.violations;
}

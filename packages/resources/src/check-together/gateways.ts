import { coversHost } from '../format/hosts.ts';
import type { KubeGateway, KubeListener } from '../kinds/gateway/gateway.ts';
import type { ListenerSet } from '../kinds/gateway/listener-set.ts';
import type { KubeParentRef } from '../kinds/gateway/stream-routes.ts';
import { splitHost } from '../kinds/networking/host-with-namespace.ts';
import type { IstioGateway } from '../kinds/networking/istio-gateway.ts';
import type { VirtualService } from '../kinds/networking/virtual-service.ts';
import type { Place } from '../place.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';
import { type KubeRoute, kubeRoutes } from './kube-routes.ts';

/** Gateways, listeners and ports that routes name and that are in none of the files, and hosts that no listener serves. */
export function checkGateways(inventory: Inventory, findings: Findings): void {
  if (inventory.tellsOf('networking.istio.io/Gateway')) {
    for (const object of inventory.list<VirtualService>('networking.istio.io/VirtualService')) {
      checkGatewayNames(inventory, object, findings.of(object));
    }
  }
  for (const route of kubeRoutes(inventory)) {
    for (const [index, ref] of (route.spec.parentRefs ?? []).entries()) {
      checkParent(inventory, route, ref, findings.of(route).at('spec', 'parentRefs', index));
    }
  }
}

function checkGatewayNames(inventory: Inventory, object: VirtualService, root: Place): void {
  const own = inventory.namespaceOf(object);
  const { gateways = [], hosts = [] } = object.spec ?? {};
  const found: IstioGateway[] = [];
  for (const [index, name] of gateways.entries()) {
    if (name === 'mesh') {
      continue;
    }
    const [first = '', second] = name.split('/');
    const key = second === undefined ? `${own}/${first}` : `${first === '.' ? own : first}/${second}`;
    const gateway = inventory.find<IstioGateway>('networking.istio.io/Gateway', key);
    if (gateway === undefined) {
      root
        .at('spec', 'gateways', index)
        .notFound(name, `Gateway ${key} is in none of these files`, 'Check the name and the namespace.');
    } else {
      found.push(gateway);
    }
  }
  if (found.length === 0 || found.length < gateways.length) {
    return;
  }
  for (const [index, host] of hosts.entries()) {
    if (!found.some((gateway) => serves(inventory, gateway, host, own))) {
      root
        .at('spec', 'hosts', index)
        .notFound(
          host,
          `no server of ${found.map((gateway) => inventory.nameOf(gateway)).join(', ')} is for it`,
          'Add the host to a server of the Gateway, or use one that it has.',
        );
    }
  }
}

function serves(inventory: Inventory, gateway: IstioGateway, host: string, namespace: string): boolean {
  return (gateway.spec?.servers ?? []).some(({ hosts }) =>
    hosts.some((text) => {
      const { namespace: from = '*', host: served } = splitHost(text);
      const allowed = from === '*' || (from === '.' ? inventory.namespaceOf(gateway) : from) === namespace;
      const candidates = inventory.hostCandidates(host, namespace);
      return allowed && [host, ...candidates].some((one) => coversHost(served, one) || coversHost(one, served));
    }),
  );
}

function checkParent(inventory: Inventory, route: KubeRoute, ref: KubeParentRef, place: Place): void {
  const namespace = ref.namespace ?? inventory.namespaceOf(route);
  const key = `${namespace}/${ref.name}`;
  const kind = ref.kind ?? 'Gateway';
  if (kind === 'Service') {
    checkServiceParent(inventory, key, ref, place);
    return;
  }
  const kindName = `gateway.networking.k8s.io/${kind}`;
  if ((kind !== 'Gateway' && kind !== 'ListenerSet') || !inventory.tellsOf(kindName)) {
    return;
  }
  const owner = inventory.find<KubeGateway | ListenerSet>(kindName, key);
  if (owner === undefined) {
    place
      .at('name')
      .notFound(ref.name, `${kind} ${key} is in none of these files`, 'Check the name and the namespace.');
    return;
  }
  const { listeners } = owner.spec;
  const named = listeners.filter(({ name }) => ref.sectionName === undefined || name === ref.sectionName);
  if (named.length === 0) {
    place
      .at('sectionName')
      .notFound(
        ref.sectionName,
        `${kind} ${key} has no such listener`,
        `Use one of ${listeners.map(({ name }) => name).join(', ')}.`,
      );
    return;
  }
  const meant = named.filter(({ port }) => ref.port === undefined || port === ref.port);
  if (meant.length === 0) {
    place
      .at('port')
      .notFound(
        ref.port,
        `no listener of ${kind} ${key} that is meant has the port`,
        `Use one of ${[...new Set(named.map(({ port }) => port))].join(', ')}.`,
      );
    return;
  }
  const speaking = meant.filter(({ protocol }) => (protocolsOf[route.kind] ?? []).includes(protocol));
  if (speaking.length === 0) {
    place.conflict(
      `no listener of ${kind} ${key} that is meant takes ${route.kind}s: ${meant.map(({ name, protocol }) => `${name} is ${protocol}`).join(', ')}`,
      'Name another listener, or use the kind of routes that fits its protocol.',
    );
    return;
  }
  checkAllowed(inventory, route, owner, speaking, place);
}

/** Protocols of listeners that take routes of a kind. */
const protocolsOf: Readonly<Record<string, readonly string[]>> = {
  HTTPRoute: ['HTTP', 'HTTPS'],
  GRPCRoute: ['HTTP', 'HTTPS'],
  TLSRoute: ['TLS'],
  TCPRoute: ['TCP', 'TLS'],
};

/** Whether a listener takes routes of this namespace, and for one of these hosts. */
function checkAllowed(
  inventory: Inventory,
  route: KubeRoute,
  owner: KubeGateway | ListenerSet,
  listeners: readonly KubeListener[],
  place: Place,
): void {
  const sameNamespace = inventory.namespaceOf(route) === inventory.namespaceOf(owner);
  const open = listeners.filter(
    ({ allowedRoutes }) => sameNamespace || (allowedRoutes?.namespaces?.from ?? 'Same') !== 'Same',
  );
  const name = inventory.nameOf(owner);
  if (open.length === 0) {
    place.forbidden(
      `${name} takes only routes of its own namespace`,
      'Set allowedRoutes.namespaces at its listener, or move the route.',
    );
    return;
  }
  const hostnames = 'hostnames' in route.spec ? (route.spec.hostnames ?? []) : [];
  const fits = (host: string, served: string | undefined): boolean =>
    served === undefined || served === '' || coversHost(served, host) || coversHost(host, served);
  if (hostnames.length > 0 && !open.some(({ hostname }) => hostnames.some((host) => fits(host, hostname)))) {
    place.notFound(
      hostnames,
      `no listener of ${name} serves any of the host names`,
      `Use a host that ${open.map(({ hostname }) => hostname).join(', ')} covers.`,
    );
  }
}

function checkServiceParent(inventory: Inventory, key: string, ref: KubeParentRef, place: Place): void {
  const service = inventory.serviceOf(key);
  if (service === undefined) {
    if (inventory.tellsOf('/Service')) {
      place
        .at('name')
        .notFound(ref.name, `Service ${key} is in none of these files`, 'Check the name and the namespace.');
    }
    return;
  }
  if (ref.port !== undefined && !service.ports.some(({ number }) => number === ref.port)) {
    const ports = service.ports.map(({ number }) => number).join(', ');
    place.at('port').notFound(ref.port, `Service ${key} has no such port`, `Use one of ${ports}.`);
  }
  if (ref.sectionName !== undefined && !service.ports.some(({ name }) => name === ref.sectionName)) {
    const names = service.ports.map(({ name }) => name).join(', ');
    place.at('sectionName').notFound(ref.sectionName, `Service ${key} has no such port`, `Use one of ${names}.`);
  }
}

import type { GatewayChain, GatewayListener, GatewayTls, GatewayVirtualHost } from '@weft/ir';
import type { Client } from '../state/mesh-state.ts';
import { bySpecificity, covers } from '../to-ir/gateway-api/hostname.ts';
import { socketText } from '../unix-address.ts';
import { type ExplainedValue, refTexts } from './effective.ts';
import { listenerOrigin } from './listener-origin.ts';
import { addStep, hostAndPort, type Walk } from './request-walk.ts';
import { tcpRuleOrigin } from './tcp-rule-origin.ts';
import { goToDestinations } from './walk-destinations.ts';
import { takeRoute } from './walk-route.ts';

/** What becomes of a request that comes to a gateway from outside. */
export function enterGateway(walk: Walk): string {
  const { ir, request } = walk;
  const { scheme, target } = request;
  const { host: serverName, port: written } = hostAndPort(target);
  const wanted = written ?? (scheme === 'https' ? 443 : 80);
  const listener = ir.gateway.find(({ listen, port }) => port === wanted || listen.port === wanted);
  const chain = listener && chainOf(listener, scheme, serverName);
  if (listener === undefined || chain === undefined) {
    const values = ir.gateway.map((open) => ({
      name: socketText(open.listen),
      value: `port ${open.port}: ${open.chains.map(({ name }) => name).join(', ')}`,
      origin: listenerOrigin(walk.state, open, undefined),
    }));
    addStep(walk, 'listener', `no listener takes ${scheme}://${target}`, '', { values });
    return 'not connected';
  }
  const { listen, port } = listener;
  const origin = listenerOrigin(walk.state, listener, chain);
  addStep(walk, 'listener', `${socketText(listen)} (port ${port}), chain ${chain.name}`, origin, {
    passedOver: listener.chains.flatMap((other) => otherChain(walk, listener, other, chain, serverName)),
    values: [
      ...(chain.tls === undefined ? [] : tlsValues(chain.tls, origin)),
      { name: 'paths', value: ir.pathNormalization, origin: 'setting of the mesh' },
    ],
  });
  return chain.traffic.kind === 'tcp'
    ? relay(walk, listener, chain, serverName)
    : atHost(walk, listener, chain, serverName);
}

function chainOf({ chains }: GatewayListener, scheme: string, serverName: string): GatewayChain | undefined {
  return chains
    .filter(({ tls, serverNames, traffic }) =>
      scheme === 'https' ? tls !== undefined || traffic.kind === 'tcp' : tls === undefined && serverNames.length === 0,
    )
    .flatMap((chain) => namesOf(chain).map((name) => ({ name, chain })))
    .filter(({ name }) => covers(name, serverName))
    .sort((a, b) => bySpecificity(a.name, b.name))[0]?.chain;
}

function namesOf({ serverNames }: GatewayChain): readonly string[] {
  return serverNames.length === 0 ? ['*'] : serverNames;
}

function otherChain(
  walk: Walk,
  listener: GatewayListener,
  other: GatewayChain,
  taken: GatewayChain,
  serverName: string,
): readonly ExplainedValue[] {
  if (other === taken) {
    return [];
  }
  const names = namesOf(other);
  const value =
    walk.request.scheme !== 'https'
      ? 'it is for TLS'
      : names.some((name) => covers(name, serverName))
        ? 'another one has a more specific server name'
        : `the server name is none of ${names.join(', ')}`;
  return [{ name: other.name, value, origin: listenerOrigin(walk.state, listener, other) }];
}

function tlsValues(
  { certificates, client, minVersion, maxVersion }: GatewayTls,
  origin: string,
): readonly ExplainedValue[] {
  const shown =
    certificates === 'mesh'
      ? "the gateway's own of the mesh"
      : certificates.map((one) => (typeof one === 'string' ? one : one.certificatePath)).join(', ');
  const clients = {
    none: 'not asked for',
    verified: `${client.kind === 'verified' && client.required ? 'demanded' : 'asked for'} and verified`,
    unverified: 'asked for, clients without a good one come in, too',
  };
  const versions = [minVersion, maxVersion].map((version) => version ?? '').join('–');
  return [
    { name: 'TLS ends here', value: `certificates ${shown}`, origin },
    { name: 'certificates of clients', value: clients[client.kind], origin },
    ...(versions === '–' ? [] : [{ name: 'versions of TLS', value: versions, origin }]),
  ];
}

/** Those who send through the gateway: rules for a Gateway of Istio go by its name. */
function clientsAt({ client }: Walk, { origins }: GatewayListener): readonly Client[] {
  const gateways = origins.filter(({ group, kind }) => kind === 'Gateway' && group === 'networking.istio.io');
  return gateways.length === 0
    ? [client]
    : gateways.map(({ namespace, name }) => ({ ...client, gateway: `${namespace}/${name}` }));
}

function relay(
  walk: Walk,
  listener: GatewayListener,
  { serverNames, traffic }: GatewayChain,
  serverName: string,
): string {
  if (traffic.kind !== 'tcp') {
    return 'not connected';
  }
  const isTls = serverNames.length > 0 && walk.request.scheme === 'https';
  const rules = clientsAt(walk, listener).flatMap((client) => {
    const connections = { client, port: listener.port, addresses: [] };
    return tcpRuleOrigin(walk, traffic.origins, connections, isTls ? serverName : undefined) ?? [];
  });
  const result = traffic.destinations.length === 0 ? 'nothing takes connections: they are closed' : 'every connection';
  addStep(walk, 'route', result, rules[0] ?? refTexts(traffic.origins));
  goToDestinations(walk, traffic.destinations, undefined);
  return traffic.destinations.some(({ resolved }) => resolved) ? 'forwarded as TCP' : 'closed';
}

function atHost(walk: Walk, listener: GatewayListener, chain: GatewayChain, serverName: string): string {
  const { scheme, authority } = walk.request;
  const { host } = hostAndPort(authority);
  const candidates = listener.virtualHosts
    .filter(({ domains }) => domains.some((domain) => covers(domain, host)))
    .sort((a, b) => bySpecificity(a.domains[0] ?? '', b.domains[0] ?? ''));
  const [found, ...lessSpecific] = candidates;
  if (found === undefined) {
    const values = listener.virtualHosts.map(hostValue);
    addStep(walk, 'host', `no route is for ${host}`, '', { values });
    return 'answered 404 (NR: no route)';
  }
  const origin = refTexts(found.routes.origins.filter(({ kind }) => kind !== 'Service'));
  if (found.chain !== undefined && found.chain !== chain.name) {
    const values = [{ name: 'server name', value: `${serverName} chose chain ${chain.name}`, origin: '' }];
    addStep(walk, 'host', `${host} is of chain ${found.chain}`, origin, { values });
    return 'answered 421 (misdirected: to be sent by a connection of its own)';
  }
  addStep(walk, 'host', `${host} is served as ${found.domains.join(', ')}`, origin, {
    passedOver: lessSpecific.map((other) => ({ ...hostValue(other), value: 'it is less specific' })),
  });
  if (found.httpsRedirect && scheme !== 'https') {
    addStep(walk, 'action', 'redirects with 301 to scheme https', listenerOrigin(walk.state, listener, chain));
    return 'answered 301';
  }
  return takeRoute(walk, {
    routes: found.routes,
    port: listener.port,
    clients: clientsAt(walk, listener),
    otherwise: origin,
  });
}

function hostValue({ domains, routes }: GatewayVirtualHost): ExplainedValue {
  const origin = refTexts(routes.origins.filter(({ kind }) => kind !== 'Service'));
  return { name: domains.join(', '), value: `${routes.routes.length} routes`, origin };
}

import type { ListenAddress, TcpUpstream, Upstream } from '@weft/ir';
import { carriesHttp } from '../protocol.ts';
import { portOf } from '../state/service-model.ts';
import { resolveAuthority } from '../to-ir/authority.ts';
import { knownAddresses } from '../to-ir/destination-subnets.ts';
import { covers, mostSpecific } from '../to-ir/gateway-api/hostname.ts';
import type { RequestedHost } from '../to-ir/http-routes.ts';
import { virtualHostOf } from '../to-ir/workload-ir.ts';
import { socketText } from '../unix-address.ts';
import { type ExplainedValue, originText, refText, refTexts } from './effective.ts';
import { answered } from './lacks-without-proxy.ts';
import { rivalsAt } from './passed-over.ts';
import { addStep, hostAndPort, type Walk } from './request-walk.ts';
import { socketOrigin } from './socket-origin.ts';
import { tcpRuleOrigin } from './tcp-rule-origin.ts';
import { goToDestinations } from './walk-destinations.ts';
import { takeRoute } from './walk-route.ts';

/** What becomes of a request that a workload makes. */
export function enterSidecar(walk: Walk): string {
  const { state, proxyKey, ir, request } = walk;
  const proxy = state.proxy(proxyKey);
  const written = (path: string): string => (proxy === undefined ? '' : originText(proxy, path));
  const upstream = upstreamOf(walk);
  if (upstream !== undefined) {
    const { listen, host, port } = upstream;
    const origin = socketOrigin(state, proxyKey, listen);
    addStep(walk, 'listener', `upstream ${host}:${port} at ${socketText(listen)}`, origin);
    return throughUpstream(walk, upstream);
  }
  const paths: ExplainedValue = { name: 'paths', value: ir.pathNormalization, origin: 'setting of the mesh' };
  if (ir.workload.engine === 'grpc') {
    addStep(walk, 'listener', `none: its own gRPC library dials xds:///${request.authority}`, written('spec.engine'));
  } else if (ir.httpProxy === undefined) {
    const ports = ir.upstreams.map(({ listen, host, port }) => ({
      name: socketText(listen),
      value: `upstream ${host}:${port}`,
      origin: socketOrigin(state, proxyKey, listen),
    }));
    addStep(walk, 'listener', 'no HTTP proxy address, only ports of declared upstreams', '', { values: ports });
    return 'not sent';
  } else {
    const { listen, alsoAt = [] } = ir.httpProxy;
    const { address, port } = targetOf(walk.request);
    const socket = alsoAt.find((more) => isAt(more, address, port)) ?? listen ?? alsoAt[0];
    const origin = socket === undefined ? '' : socketOrigin(state, proxyKey, socket);
    const what = socket === undefined ? '' : `HTTP proxy at ${socketText(socket)}`;
    addStep(walk, 'listener', what, origin, { values: [paths] });
  }
  return atAuthority(walk);
}

function atAuthority(walk: Walk): string {
  const { state, client, ir } = walk;
  const authority = walk.request.authority.toLowerCase();
  const asked = ir.httpProxy?.virtualHosts ?? ir.grpcTargets ?? [];
  const host = virtualHostOf(state, client, authority, (found) => {
    for (const cluster of found) {
      walk.clusters.set(cluster.name, cluster);
    }
  });
  const requested = resolveAuthority(state, client, authority);
  if (host.routes === undefined || requested === undefined) {
    const scope = client.scope;
    const isHidden = scope !== undefined && resolveAuthority(state, { ...client, scope: undefined }, authority);
    if (isHidden) {
      addStep(walk, 'host', `${authority} is out of the workload's scope`, originText(scope.sidecar, 'spec.egress'));
    } else {
      addStep(walk, 'host', `nothing in the mesh has the name ${authority}`, '');
    }
    return answered(walk, '404 (NR: no route)');
  }
  const known = asked.some((one) => one.authority === authority);
  hostStep(
    walk,
    requested,
    known ? [] : [{ name: 'not called yet', value: 'asked for at the first request', origin: '' }],
  );
  return takeRoute(walk, {
    routes: host.routes,
    port: requested.port,
    clients: [client],
    otherwise: requested.service === undefined ? '' : originText(requested.service.model.object),
  });
}

function hostStep(walk: Walk, requested: RequestedHost, values: readonly ExplainedValue[]): void {
  const { service, host, port } = requested;
  const origin = service === undefined ? '' : originText(service.model.object);
  const found = rivalsAt(walk, requested);
  addStep(walk, 'host', `${host}:${port}${service === undefined ? ', which only a VirtualService has' : ''}`, origin, {
    passedOver: found.passedOver,
    values: [...found.values, ...values],
  });
}

function targetOf({ target, scheme }: Walk['request']): {
  readonly name: string;
  readonly address: string;
  readonly port: number;
} {
  const { host: name, port } = hostAndPort(target);
  return { name, address: name === 'localhost' ? '127.0.0.1' : name, port: port ?? (scheme === 'https' ? 443 : 80) };
}

function isAt(listen: ListenAddress, address: string, port: number): boolean {
  return listen.address === address && listen.port === port;
}

/** The declared upstream that a request goes by: that of its port on loopback, or of its host where the HTTP proxy does not have it. */
function upstreamOf({ ir, state, client, request }: Walk): Upstream | undefined {
  const { name, address, port } = targetOf(request);
  const model = state.resolveHost(name, client.namespace, client.namespace);
  const protocol = model && portOf(model, port)?.protocol;
  const isOpaque = request.scheme === 'https' || (protocol !== undefined && !carriesHttp(protocol));
  return (
    ir.upstreams.find(({ listen }) => isAt(listen, address, port)) ??
    ir.upstreams.find(
      (upstream) =>
        upstream.port === port && upstream.host === (model?.host ?? name) && (ir.httpProxy === undefined || isOpaque),
    )
  );
}

function throughUpstream(walk: Walk, upstream: Upstream): string {
  const { state, client, request } = walk;
  const model = state.resolveHost(upstream.host, client.namespace, client.namespace);
  const port = model?.ports.find(({ number }) => number === upstream.port);
  const service = model === undefined || port === undefined ? undefined : { model, port };
  if (upstream.kind !== 'tcp' && request.scheme === 'http') {
    hostStep(walk, { host: upstream.host, port: upstream.port, service, authority: undefined }, []);
    return takeRoute(walk, {
      routes: upstream.routes,
      port: upstream.port,
      clients: [client],
      otherwise: model === undefined ? '' : originText(model.object),
    });
  }
  if (upstream.kind === 'http') {
    addStep(walk, 'route', 'the port takes HTTP in plaintext', model === undefined ? '' : refText(model.origin));
    return 'answered 400';
  }
  return relay(walk, upstream, knownAddresses(model));
}

/** Bytes as they are; of TLS the server name may decide. */
function relay(walk: Walk, upstream: Omit<TcpUpstream, 'kind'>, addresses: readonly string[]): string {
  const { client, request } = walk;
  const ruleFor = (name: string | undefined): string | undefined =>
    tcpRuleOrigin(walk, upstream.origins, { client, port: upstream.port, addresses }, name);
  const { host: serverName } = hostAndPort(request.authority);
  const byName = new Map(
    upstream.byServerName.flatMap((route) => route.serverNames.map((name) => [name, route] as const)),
  );
  const chosen = request.scheme === 'https' ? mostSpecific(byName, serverName) : undefined;
  const passedOver = [...byName]
    .filter(([name, route]) => route !== chosen && !covers(name, serverName))
    .map(([name]) => ({
      name,
      value: request.scheme === 'https' ? `the server name is ${serverName}` : 'it is for TLS',
      origin: ruleFor(name) ?? '',
    }));
  const { destinations } = chosen ?? upstream;
  addStep(
    walk,
    'route',
    chosen === undefined ? 'every connection' : `connections of TLS for ${chosen.serverNames.join(', ')}`,
    ruleFor(chosen && serverName) ?? refTexts(upstream.origins),
    { passedOver },
  );
  goToDestinations(walk, destinations, undefined);
  return destinations.some(({ resolved }) => resolved) ? 'forwarded as TCP' : 'closed';
}

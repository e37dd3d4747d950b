import {
  type Destination,
  type GatewayChain,
  type GatewayTls,
  type GatewayVirtualHost,
  type HttpRoute,
  type HttpRoutes,
  mergeOrigins,
  noHeaderEdits,
  type OriginRef,
  type OutboundCluster,
} from '@weft/ir';
import { clientChecksInVain, type IstioServer, type IstioServerTls } from '@weft/resources';
import { compareText, type IstioGateway, keyOf, type RouteDestinationSpec, type VirtualService } from '../kinds.ts';
import { exportedTo, selects } from '../match.ts';
import { hostCandidates } from '../names.ts';
import { originOf } from '../origin.ts';
import { Sockets } from '../sockets.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { isReachableUnixAddress, isUnixAddress } from '../unix-address.ts';
import { resolveDestination } from './destination.ts';
import { bySpecificity, commonHostnames, mostSpecific } from './gateway-api/hostname.ts';
import { chainNames, type GatewaySocket, type NameOwners } from './gateway-socket.ts';
import { type RoutesAndClusters, routesOfVirtualService } from './http-routes.ts';
import { secretName } from './key-pair-secret.ts';
import { clientRootsName, revocationProblem } from './roots-secret.ts';
import { selectTcpRule, selectTlsRules } from './select-rules.ts';
import { tlsOfFiles, tlsParameters, verifiedClients } from './server-tls.ts';
import { tcpLimitsOf } from './tcp-routes.ts';

/** At which address of its own a gateway is reached is nothing that routes go by. */
const noAddresses: readonly string[] = [];

/** What clients of a server begin with. */
export type ServerFamily = 'http' | 'tls' | 'tcp';

const httpProtocols: ReadonlySet<string> = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB', 'HTTP_PROXY']);
const tlsProtocols: ReadonlySet<string> = new Set(['HTTPS', 'TLS']);

/** Servers on one port must be of one family; a server of TCP shares its port with nobody. */
function familyOf({ port }: IstioServer): ServerFamily {
  const protocol = port.protocol.toUpperCase();
  return httpProtocols.has(protocol) ? 'http' : tlsProtocols.has(protocol) ? 'tls' : 'tcp';
}

/** A server with the gateway that it is of. */
export interface OwnedServer {
  readonly gateway: IstioGateway;
  readonly server: IstioServer;
  readonly index: number;
}

/** The Gateways of Istio that choose a proxy with these labels, the oldest first. */
function istioGatewaysOf(state: MeshState, labels: Readonly<Record<string, string>>): readonly IstioGateway[] {
  return state.list('networking.istio.io/Gateway').filter(({ spec }) => selects(spec?.selector, labels));
}

/** Servers that share a socket, at least one. */
export interface ServerSocket {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** undefined: that of the gateway. */
  readonly address: string | undefined;
  readonly servers: readonly OwnedServer[];
}

/**
 * The sockets that a proxy opens, by port: of servers that cannot share one the oldest has it, and of sockets that are in each other's
 * way the older one is opened. Unix sockets without a file are not: they have no permissions, and our proxy refuses them.
 * @param own the gateway's address, where servers without `bind` are.
 */
export function serverSockets(gateways: readonly IstioGateway[], own: string): readonly ServerSocket[] {
  const sockets = new Map<string, ServerSocket>();
  const taken = new Sockets();
  for (const gateway of gateways) {
    for (const [index, server] of (gateway.spec?.servers ?? []).entries()) {
      const { bind = '' } = server;
      const isUnix = isUnixAddress(bind);
      const port = isUnix ? 0 : server.port.number;
      const address = bind === '' || bind === own ? undefined : bind;
      const key = `${address ?? ''}|${port}`;
      const there = sockets.get(key);
      const [first] = there?.servers ?? [];
      const fits =
        first === undefined
          ? (!isUnix || isReachableUnixAddress(bind)) && taken.take(address ?? own, port)
          : familyOf(first.server) === familyOf(server) && familyOf(server) !== 'tcp';
      if (fits) {
        sockets.set(key, { port, address, servers: [...(there?.servers ?? []), { gateway, server, index }] });
      }
    }
  }
  return [...sockets.values()].sort((a, b) => a.port - b.port || compareText(a.address ?? '', b.address ?? ''));
}

/** The sockets that Gateways of Istio ask of a proxy with these labels, by port. @param own the gateway's address. */
export function istioGatewaySockets(state: MeshState, client: Client, own: string): readonly GatewaySocket[] {
  const gateways = istioGatewaysOf(state, client.labels);
  return serverSockets(gateways, own).map((socket) => new SocketBuilder(state, client, socket).build());
}

/** Which TLS modes end TLS at the gateway, and what is asked of clients then. */
function endsTls(tls: IstioServerTls | undefined): boolean {
  return (
    tls !== undefined && ['SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL', 'ISTIO_MUTUAL'].includes(tls.mode ?? 'PASSTHROUGH')
  );
}

class SocketBuilder {
  readonly #state: MeshState;
  readonly #client: Client;
  readonly #port: number;
  readonly #address: string | undefined;
  readonly #servers: readonly OwnedServer[];
  readonly #clusters: OutboundCluster[] = [];
  /** Of chains; those of virtual hosts are theirs. */
  readonly #origins: (readonly OriginRef[])[] = [];
  /** Names who looks and at which port, for what is kept: all that a Client is, and the port. */
  readonly #scope: string;

  constructor(state: MeshState, client: Client, { port, address, servers }: ServerSocket) {
    this.#state = state;
    this.#client = client;
    this.#port = port;
    this.#address = address;
    this.#servers = servers;
    this.#scope = JSON.stringify([client.namespace, client.labels, client.locality ?? '', port, address ?? '']);
  }

  build(): GatewaySocket {
    const [first] = this.#servers;
    const family = first === undefined ? 'tcp' : familyOf(first.server);
    const chains: readonly GatewayChain[] =
      family === 'http'
        ? [{ name: `http-${this.#port}`, serverNames: [], tls: undefined, traffic: { kind: 'http' } }]
        : family === 'tcp'
          ? this.#servers.flatMap((owned) => this.#tcpChain(owned, [], undefined))
          : this.#tlsChains();
    return {
      port: this.#port,
      ...(this.#address === undefined ? {} : { address: this.#address }),
      chains,
      virtualHosts: chains.some(({ traffic }) => traffic.kind === 'http') ? this.#virtualHosts(chains) : [],
      clusters: this.#clusters,
      origins: mergeOrigins([...this.#origins, this.#servers.map(({ gateway }) => originOf(gateway))]),
    };
  }

  #tlsChains(): readonly GatewayChain[] {
    const taken = new Set<string>();
    return this.#servers.flatMap((owned) => {
      const { server } = owned;
      if (!endsTls(server.tls)) {
        return this.#passthroughChains(owned, taken);
      }
      const names = serverNames(owned).filter((name) => !taken.has(name) && taken.add(name));
      const tls = this.#tls(server.tls ?? {});
      if (names.length === 0) {
        return [];
      }
      const name = serverLabel(owned);
      const patterns = serverNamePatterns(names);
      if (tls === undefined) {
        // Connections for these names are closed: left to another server, they would be answered for somebody else.
        return [deadEnd(name, patterns, undefined)];
      }
      return isHttps(owned)
        ? [{ name, serverNames: patterns, tls, traffic: { kind: 'http' as const } }]
        : this.#tcpChain(owned, patterns, tls);
    });
  }

  /** TLS that goes on to the application: one chain for the server names of each rule, in order. */
  #passthroughChains(owned: OwnedServer, taken: Set<string>): readonly GatewayChain[] {
    const client = this.#through(owned);
    return this.#virtualServicesOf(owned).flatMap(({ object }) =>
      selectTlsRules(object, client, this.#port, noAddresses).flatMap(({ rule, serverNames: names }, index) => {
        const hosts = names
          .flatMap((name) => serverNames(owned).flatMap((served) => commonHostnames(served, [name])))
          .filter((name) => !taken.has(name) && taken.add(name));
        return hosts.length === 0
          ? []
          : [
              {
                name: `${serverLabel(owned)}|${keyOf(object)}#${index}`,
                serverNames: serverNamePatterns(hosts),
                tls: undefined,
                traffic: this.#tcpTraffic(object, rule.route ?? []),
              },
            ];
      }),
    );
  }

  #tcpChain(owned: OwnedServer, names: readonly string[], tls: GatewayTls | undefined): readonly GatewayChain[] {
    const client = this.#through(owned);
    for (const { object } of this.#virtualServicesOf(owned)) {
      const rule = selectTcpRule(object, client, this.#port, noAddresses);
      if (rule !== undefined) {
        return [
          { name: serverLabel(owned), serverNames: names, tls, traffic: this.#tcpTraffic(object, rule.route ?? []) },
        ];
      }
    }
    return tls === undefined ? [] : [deadEnd(serverLabel(owned), names, tls)];
  }

  #tcpTraffic(
    object: VirtualService,
    entries: readonly RouteDestinationSpec[],
  ): Extract<GatewayChain['traffic'], { kind: 'tcp' }> {
    const total = entries.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
    const targets = entries.map(({ destination }) =>
      resolveDestination(this.#state, this.#client, destination, object.metadata.namespace ?? '', this.#port),
    );
    const destinations = entries.flatMap((entry, index): Destination[] => {
      const target = targets[index];
      if (target === undefined) {
        return [];
      }
      this.#clusters.push(...(target.cluster === undefined ? [] : [target.cluster]));
      const weight = entries.length === 1 || total === 0 ? 1 : (entry.weight ?? 0);
      return weight === 0
        ? []
        : [{ cluster: target.clusterName, weight, resolved: target.cluster !== undefined, headers: noHeaderEdits }];
    });
    const origins = [originOf(object)];
    this.#origins.push(origins);
    return { kind: 'tcp', destinations, limits: tcpLimitsOf(targets), origins };
  }

  /** The virtual hosts of the socket, the most specific first. */
  #virtualHosts(chains: readonly GatewayChain[]): readonly GatewayVirtualHost[] {
    const owners: NameOwners | undefined = chains.length > 1 ? new Map(chains.flatMap(chainNames)) : undefined;
    const servers = this.#servers.filter((owned) => familyOf(owned.server) === 'http' || isHttps(owned));
    const byDomain = new Map<string, { readonly routes: HttpRoutes[]; redirect: boolean }>();
    for (const owned of servers) {
      const isOwn = (host: string): boolean =>
        owners === undefined || mostSpecific(owners, host) === serverLabel(owned);
      for (const { object, hosts } of this.#virtualServicesOf(owned)) {
        for (const host of hosts.filter(isOwn)) {
          const found = this.#routesOf(this.#through(owned), host, object);
          this.#clusters.push(...found.clusters);
          const there = byDomain.get(host) ?? { routes: [], redirect: false };
          there.routes.push(found.routes);
          there.redirect ||= owned.server.tls?.httpsRedirect === true;
          byDomain.set(host, there);
        }
      }
      if (owned.server.tls?.httpsRedirect === true) {
        for (const name of serverNames(owned).filter(isOwn)) {
          const there = byDomain.get(name) ?? { routes: [], redirect: true };
          there.redirect = true;
          byDomain.set(name, there);
        }
      }
    }
    for (const name of owners?.keys() ?? []) {
      byDomain.set(name, byDomain.get(name) ?? { routes: [], redirect: false });
    }
    const hosts = [...byDomain].sort(([a], [b]) => bySpecificity(a, b));
    return hosts.map(([domain, { routes, redirect }]) =>
      this.#state.memo.get(
        `gateway-host|${this.#scope}|${domain}`,
        [owners === undefined ? undefined : mostSpecific(owners, domain), redirect, ...routes] as const,
        ([chain, httpsRedirect, ...parts]): GatewayVirtualHost => ({
          name: `${domain}:${this.#port}`,
          domains: [domain],
          chain,
          routes: {
            routes: catchAllLast(parts.flatMap((part) => part.routes)),
            origins: mergeOrigins(parts.map((part) => part.origins)),
          },
          httpsRedirect,
        }),
      ),
    );
  }

  /** The routes of one VirtualService, from memory as long as nothing that they are made of changes. */
  #routesOf(client: Client, host: string, object: VirtualService): RoutesAndClusters {
    return this.#state.reads.remember(
      `gateway-routes|${this.#scope}|${client.gateway}|${keyOf(object)}|${host}`,
      [object],
      () =>
        routesOfVirtualService(
          this.#state,
          client,
          { host, port: this.#port, service: undefined, authority: undefined },
          object,
        ),
    );
  }

  /** VirtualServices that are bound to a server, the oldest first, with the hosts that both are for. */
  #virtualServicesOf({ gateway, server }: OwnedServer): readonly BoundVirtualService[] {
    const key = keyOf(gateway);
    return this.#state.virtualServicesAt(key).flatMap((object) => {
      const namespace = object.metadata.namespace ?? '';
      if (!exportedTo(object.spec?.exportTo, namespace, this.#client.namespace)) {
        return [];
      }
      const own = (object.spec?.hosts ?? []).map(
        (host) => hostCandidates(host, namespace, this.#state.settings.clusterDomain)[0] ?? host,
      );
      const hosts = server.hosts.flatMap((written) => {
        const slash = written.indexOf('/');
        const scope = slash < 0 ? '*' : written.slice(0, slash);
        const allowed = scope === '*' || (scope === '.' ? gateway.metadata.namespace : scope) === namespace;
        return allowed ? commonHostnames(written.slice(slash + 1), own) : [];
      });
      return hosts.length === 0 ? [] : [{ object, hosts: [...new Set(hosts)].sort(compareText) }];
    });
  }

  #through({ gateway }: OwnedServer): Client {
    return { ...this.#client, gateway: keyOf(gateway) };
  }

  /** undefined: its certificates cannot be had as they are asked for; nothing is opened then. */
  #tls(tls: IstioServerTls): GatewayTls | undefined {
    const { namespace } = this.#client;
    const isMesh = tls.mode === 'ISTIO_MUTUAL';
    const names = tls.credentialNames ?? (tls.credentialName === undefined ? [] : [tls.credentialName]);
    if (clientChecksInVain(tls).length > 0 || revocationProblem(this.#state, namespace, tls) !== undefined) {
      return undefined;
    }
    if (!isMesh && names.length === 0) {
      return tlsOfFiles(tls);
    }
    const verifies = tls.mode === 'MUTUAL' || tls.mode === 'OPTIONAL_MUTUAL' || isMesh;
    return {
      certificates: isMesh ? 'mesh' : names.map((name) => secretName(namespace, name)),
      client: verifies
        ? verifiedClients(
            tls,
            isMesh ? { kind: 'mesh' } : { kind: 'secret', name: secretName(namespace, clientRootsName(tls)) },
          )
        : { kind: 'none' },
      ...tlsParameters(tls),
    };
  }
}

interface BoundVirtualService {
  readonly object: VirtualService;
  readonly hosts: readonly string[];
}

/** Names the server on the wire and in metrics. */
export function serverLabel({ gateway, server, index }: OwnedServer): string {
  return `${keyOf(gateway)}/${server.name ?? `${server.port.name}#${index}`}`;
}

function isHttps({ server }: OwnedServer): boolean {
  return endsTls(server.tls) && server.port.protocol.toUpperCase() === 'HTTPS';
}

/** Takes connections for these names and closes them. */
function deadEnd(name: string, names: readonly string[], tls: GatewayTls | undefined): GatewayChain {
  return { name, serverNames: names, tls, traffic: { kind: 'tcp', destinations: [], origins: [] } };
}

/** The hosts of a server without the namespaces that they are for. */
function serverNames({ server }: OwnedServer): readonly string[] {
  return [...new Set(server.hosts.map((host) => host.slice(host.indexOf('/') + 1).toLowerCase()))];
}

/** What a chain is chosen by: none where every name is meant, as one name beside `*` would leave out all others. */
function serverNamePatterns(names: readonly string[]): readonly string[] {
  return names.includes('*') ? [] : names;
}

/** Rules for everything come behind the others: of several VirtualServices for one host, no one's catch-all hides another's rules. */
function catchAllLast(routes: readonly HttpRoute[]): readonly HttpRoute[] {
  const isCatchAll = ({ match }: HttpRoute): boolean =>
    match.path.kind === 'prefix' && match.path.value === '/' && match.headers.length === 0 && match.query.length === 0;
  return [...routes.filter((route) => !isCatchAll(route)), ...routes.filter(isCatchAll)];
}

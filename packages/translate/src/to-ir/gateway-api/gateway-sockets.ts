import {
  type Destination,
  type GatewayChain,
  type GatewayTls,
  type GatewayVirtualHost,
  mergeOrigins,
  noHeaderEdits,
  type OriginRef,
  type OutboundCluster,
} from '@weft/ir';
import { type KubeGrpcRoute, type KubeHttpRoute, type KubeTcpRoute, type KubeTlsRoute, keyOf } from '../../kinds.ts';
import { originOf } from '../../origin.ts';
import type { Client, MeshState } from '../../state/mesh-state.ts';
import { chainNames, type GatewaySocket, type NameOwners, onlyBy } from '../gateway-socket.ts';
import type { RouteAtListener } from './attachment.ts';
import { resolveBackend } from './backend.ts';
import { gatewaysOf } from './gateways-of.ts';
import { bySpecificity, coveringNames, mostSpecific } from './hostname.ts';
import { type RouteRules, rulesOf } from './http-rules.ts';
import { type EffectiveListener, endsTls, gatewayListeners, isOpen, listenerLabel } from './listeners.ts';
import { byPrecedence } from './precedence.ts';

/** The sockets that Gateways of Gateway API ask of a proxy with these labels, by port. */
export function gatewaySockets(state: MeshState, client: Client): readonly GatewaySocket[] {
  const byPort = new Map<number, EffectiveListener[]>();
  const closedByPort = new Map<number, EffectiveListener[]>();
  for (const gateway of gatewaysOf(state, client.namespace, client.labels)) {
    for (const effective of gatewayListeners(state, gateway).all) {
      const { listener, problem } = effective;
      const { port } = listener;
      if (problem?.kind === 'conflict' && problem.lost) {
        // Who has the place has its names, too: nobody may take them from others by a listener that cannot be opened.
        continue;
      }
      const lists = isOpen(effective) ? byPort : closedByPort;
      lists.set(port, [...(lists.get(port) ?? []), effective]);
    }
  }
  return [...byPort]
    .sort(([a], [b]) => a - b)
    .map(([port, listeners]) => {
      const pieces = new Pieces(state, client, port);
      const closed = closedHosts(closedByPort.get(port) ?? []);
      const chains = chainsOf(pieces, port, listeners, closed);
      return {
        port,
        chains,
        virtualHosts: virtualHosts(pieces, listeners, chains, closed),
        clusters: pieces.clusters,
        origins: mergeOrigins([
          ...pieces.origins,
          listeners.flatMap(({ gateway, owner }) => [originOf(gateway), originOf(owner)]),
        ]),
      };
    });
}

/** Gathers what the routes of one socket lead to. */
class Pieces {
  readonly state: MeshState;
  readonly client: Client;
  /** Names who looks and at which port, for what is kept: all that a Client is, and the port. */
  readonly scope: string;
  readonly clusters: OutboundCluster[] = [];
  /** Of chains; those of virtual hosts are theirs. */
  readonly origins: (readonly OriginRef[])[] = [];

  constructor(state: MeshState, client: Client, port: number) {
    this.state = state;
    this.client = client;
    this.scope = JSON.stringify([client.namespace, client.labels, client.locality ?? '', port]);
  }

  /** The rules of one route, from memory as long as nothing that they are made of changes. */
  rulesOf(route: KubeHttpRoute | KubeGrpcRoute, port: number): RouteRules {
    const { state, client } = this;
    return state.reads.remember(`gateway-api-rules|${this.scope}|${route.kind}/${keyOf(route)}`, [route], () =>
      rulesOf(state, client, route, port),
    );
  }
}

/** The names of listeners that are not opened: a listener for more names must not answer for them. */
function closedHosts(listeners: readonly EffectiveListener[]): readonly string[] {
  return [...new Set(listeners.flatMap(({ listener }) => serverNames(listener.hostname)))].sort();
}

function chainsOf(
  pieces: Pieces,
  port: number,
  listeners: readonly EffectiveListener[],
  closed: readonly string[],
): readonly GatewayChain[] {
  const [first] = listeners;
  if (first?.listener.protocol === 'HTTP') {
    return [{ name: `http-${port}`, serverNames: [], tls: undefined, traffic: { kind: 'http' } }];
  }
  if (first?.listener.protocol === 'TCP') {
    return [tcpChain(pieces, first, [], undefined, first.routes[0]?.route as KubeTcpRoute | undefined)];
  }
  const owners: NameOwners = new Map<string, string | undefined>([
    ...closed.map((name) => [name, undefined] as const),
    ...listeners.map((effective) => [hostOf(effective), listenerLabel(effective)] as const),
  ]);
  const taken = new Set<string>();
  const chains = [...listeners]
    .sort((a, b) => bySpecificity(hostOf(a), hostOf(b)))
    .flatMap((effective) =>
      effective.listener.protocol === 'HTTPS' ? [httpsChain(effective)] : tlsChains(pieces, effective, owners, taken),
    );
  const served = new Set(chains.flatMap((chain) => chain.serverNames));
  return [...chains, ...closed.filter((name) => !served.has(name)).map(deadEnd)];
}

/** A connection for this name is taken and closed. */
function deadEnd(name: string): GatewayChain {
  return {
    name: `closed|${name}`,
    serverNames: [name],
    tls: undefined,
    traffic: { kind: 'tcp', destinations: [], origins: [] },
  };
}

/** What a listener is for; `*` = every host. */
function hostOf({ listener }: EffectiveListener): string {
  return (listener.hostname ?? '*').toLowerCase();
}

function serverNames(hostname: string | undefined): readonly string[] {
  return hostname === undefined || hostname === '*' ? [] : [hostname.toLowerCase()];
}

function tlsOf(effective: EffectiveListener): GatewayTls {
  return {
    certificates: effective.certificates,
    client: effective.client,
    minVersion: undefined,
    maxVersion: undefined,
    cipherSuites: [],
  };
}

function httpsChain(effective: EffectiveListener): GatewayChain {
  return {
    name: listenerLabel(effective),
    serverNames: serverNames(effective.listener.hostname),
    tls: tlsOf(effective),
    traffic: { kind: 'http' },
  };
}

/**
 * One chain for the server names of each route. A name for which another listener is the most specific one is left to that, and one that an
 * earlier route has to the route.
 */
function tlsChains(
  pieces: Pieces,
  effective: EffectiveListener,
  owners: NameOwners,
  taken: Set<string>,
): readonly GatewayChain[] {
  const label = listenerLabel(effective);
  const tls = endsTls(effective.listener) ? tlsOf(effective) : undefined;
  return effective.routes.flatMap(({ route, hostnames }) => {
    const names = hostnames.filter((name) => mostSpecific(owners, name) === label && !taken.has(name));
    for (const name of names) {
      taken.add(name);
    }
    return names.length === 0 ? [] : [tcpChain(pieces, effective, names, tls, route as KubeTlsRoute | KubeTcpRoute)];
  });
}

function tcpChain(
  pieces: Pieces,
  effective: EffectiveListener,
  names: readonly string[],
  tls: GatewayTls | undefined,
  route: KubeTlsRoute | KubeTcpRoute | undefined,
): GatewayChain {
  const { state, client } = pieces;
  const entries = route?.spec.rules[0]?.backendRefs ?? [];
  const destinations = entries.flatMap((ref): Destination[] => {
    const backend = resolveBackend(state, client, ref, route as KubeTlsRoute);
    const { clusterName, cluster } = backend.target;
    pieces.clusters.push(...(cluster === undefined ? [] : [cluster]));
    pieces.origins.push(backend.origins);
    const weight = ref.weight ?? 1;
    return weight === 0
      ? []
      : [{ cluster: clusterName, weight, resolved: cluster !== undefined, headers: noHeaderEdits }];
  });
  const origins = route === undefined ? [] : [originOf(route)];
  pieces.origins.push(origins);
  return {
    name: `${listenerLabel(effective)}${names.length === 0 ? '' : `|${names[0]}`}`,
    serverNames: names.filter((name) => name !== '*'),
    tls,
    traffic: { kind: 'tcp', destinations, origins },
  };
}

/**
 * The virtual hosts of a socket. A request belongs to the listener with the most specific host, and to no other: each listener has a
 * virtual host for its own name, if only one without routes. There, routes for a more specific host come before those for a less
 * specific one.
 * @param closed names of listeners that are not opened.
 */
function virtualHosts(
  pieces: Pieces,
  listeners: readonly EffectiveListener[],
  chains: readonly GatewayChain[],
  closed: readonly string[],
): readonly GatewayVirtualHost[] {
  const http = listeners.filter(({ listener }) => listener.protocol === 'HTTP' || listener.protocol === 'HTTPS');
  const [first] = http;
  if (first === undefined) {
    return [];
  }
  const { port } = first.listener;
  const owners = ownersOf(http, chains, closed);
  const hosts = new Map<string, GatewayVirtualHost>();
  for (const effective of http) {
    const label = listenerLabel(effective);
    const byHostname = routesByHostname(effective.routes);
    for (const domain of new Set([hostOf(effective), ...byHostname.keys()])) {
      if (mostSpecific(owners, domain) === label) {
        hosts.set(domain, virtualHost(pieces, effective, domain, byHostname, onlyBy(chains, label)));
      }
    }
  }
  for (const [name, owner] of owners) {
    const hidesNothing = owner === undefined && coveringNames(name).every((above) => owners.get(above) === undefined);
    if (!hosts.has(name) && !hidesNothing) {
      hosts.set(name, hostOfRules(pieces, port, name, onlyBy(chains, owner), []));
    }
  }
  return [...hosts.values()].sort((a, b) => bySpecificity(a.domains[0] ?? '', b.domains[0] ?? ''));
}

/** @param http listeners that HTTP is spoken at. */
function ownersOf(
  http: readonly EffectiveListener[],
  chains: readonly GatewayChain[],
  closed: readonly string[],
): NameOwners {
  return new Map<string, string | undefined>([
    ...closed.map((name) => [name, undefined] as const),
    ...chains.filter(({ traffic }) => traffic.kind === 'tcp').flatMap(chainNames),
    ...http.map((effective) => [hostOf(effective), listenerLabel(effective)] as const),
  ]);
}

/** Routes by each name that they are for, so that thousands of names and routes are not all compared with each other. */
function routesByHostname(entries: readonly RouteAtListener[]): ReadonlyMap<string, readonly RouteAtListener[]> {
  const byHostname = new Map<string, RouteAtListener[]>();
  for (const entry of entries) {
    for (const hostname of entry.hostnames) {
      const there = byHostname.get(hostname);
      if (there === undefined) {
        byHostname.set(hostname, [entry]);
      } else {
        there.push(entry);
      }
    }
  }
  return byHostname;
}

function virtualHost(
  pieces: Pieces,
  effective: EffectiveListener,
  domain: string,
  byHostname: ReadonlyMap<string, readonly RouteAtListener[]>,
  chain: string | undefined,
): GatewayVirtualHost {
  const { port } = effective.listener;
  const placed = new Set<RouteAtListener>();
  const groups = coveringNames(domain).map((hostname) =>
    (byHostname.get(hostname) ?? [])
      .filter((entry) => !placed.has(entry) && placed.add(entry))
      .map(({ route }) => pieces.rulesOf(route as KubeHttpRoute | KubeGrpcRoute, port)),
  );
  for (const { clusters } of groups.flat()) {
    pieces.clusters.push(...clusters);
  }
  return hostOfRules(pieces, port, domain, chain, groups);
}

/** The same object as long as nothing of it changes. @param groups rules for the same names, the most specific names first. */
function hostOfRules(
  { state, scope }: Pieces,
  port: number,
  domain: string,
  chain: string | undefined,
  groups: readonly (readonly RouteRules[])[],
): GatewayVirtualHost {
  const all = groups.flat();
  return state.memo.get(
    `gateway-api-host|${scope}|${domain}`,
    [port, domain, chain, groups.map((rules) => rules.length).join(), ...all],
    () => ({
      name: `${domain}:${port}`,
      domains: [domain],
      chain,
      routes: {
        routes: groups.flatMap((rules) => byPrecedence(rules.flatMap(({ routes }) => routes))),
        origins: mergeOrigins(all.map(({ origins }) => origins)),
      },
      httpsRedirect: false,
    }),
  );
}

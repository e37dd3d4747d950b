import {
  type Destination,
  noHeaderEdits,
  type OriginRef,
  type OutboundCluster,
  type ServerNameRoute,
  type TcpLimits,
} from '@weft/ir';
import type { RouteDestinationSpec, VirtualService } from '../kinds.ts';
import { unreachableName } from '../names.ts';
import { originOf } from '../origin.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { resolveDestination, serviceTarget, type Target } from './destination.ts';
import { knownAddresses } from './destination-subnets.ts';
import { selectTcpRule, selectTlsRules } from './select-rules.ts';

/** Where the connections to one host and port go. */
export interface TcpDestinations {
  readonly destinations: readonly Destination[];
  /** Those of the first destination, as in Istio. */
  readonly limits: TcpLimits;
  readonly byServerName: readonly ServerNameRoute[];
  readonly origins: readonly OriginRef[];
  readonly clusters: readonly OutboundCluster[];
}

/** The destinations of TCP connections; a host that is not known leads to a cluster that does not exist, so they are closed. */
export function tcpDestinations(
  state: MeshState,
  client: Client,
  host: string,
  port: number,
  model: ServiceModel | undefined,
  portModel: ServicePortModel | undefined,
): TcpDestinations {
  const virtualService = state.virtualServiceOf(host, client);
  const addresses = knownAddresses(model);
  const byRule = virtualService === undefined ? undefined : selectTcpRule(virtualService, client, port, addresses);
  const entries = byRule?.route ?? [];
  const plain =
    virtualService !== undefined && entries.length > 0
      ? sharedOut(state, client, virtualService, entries, port)
      : single(
          model === undefined || portModel === undefined
            ? { clusterName: unreachableName(port, host), cluster: undefined, missing: 'unknown' }
            : serviceTarget(state, client, model, portModel, ''),
        );
  const named = virtualService === undefined ? [] : namedRoutes(state, client, virtualService, port, addresses);
  const origins = [
    ...(model === undefined ? [] : [model.origin]),
    ...(virtualService === undefined || (entries.length === 0 && named.length === 0) ? [] : [originOf(virtualService)]),
  ];
  const result = {
    destinations: plain.destinations,
    limits: plain.limits,
    byServerName: named.map(({ serverNames, to: { destinations, limits } }) => ({ serverNames, destinations, limits })),
    origins,
  };
  return {
    ...state.memo.get(`tcp|${host}|${port}|${JSON.stringify(result)}`, [], () => result),
    clusters: [plain, ...named.map(({ to }) => to)].flatMap(({ clusters }) => clusters),
  };
}

/** Destinations with what they need. */
type SharedOut = Pick<TcpDestinations, 'destinations' | 'limits' | 'clusters'>;

/** The rules for TLS connections; of rules for one server name the first has it. */
function namedRoutes(
  state: MeshState,
  client: Client,
  object: VirtualService,
  port: number,
  addresses: readonly string[],
): readonly { readonly serverNames: readonly string[]; readonly to: SharedOut }[] {
  const taken = new Set<string>();
  return selectTlsRules(object, client, port, addresses).flatMap(({ rule, serverNames }) => {
    const names = serverNames.filter((name) => !taken.has(name) && taken.add(name));
    const to = sharedOut(state, client, object, rule.route ?? [], port);
    return names.length === 0 || to.destinations.length === 0 ? [] : [{ serverNames: names, to }];
  });
}

/** Destinations of a rule by their weights. */
function sharedOut(
  state: MeshState,
  client: Client,
  object: VirtualService,
  entries: readonly RouteDestinationSpec[],
  port: number,
): SharedOut {
  const targets = entries.map(({ destination }) =>
    resolveDestination(state, client, destination, object.metadata.namespace ?? '', port),
  );
  const total = entries.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  const destinations = targets.flatMap((target, index): Destination[] => {
    const weight = targets.length === 1 || total === 0 ? 1 : (entries[index]?.weight ?? 0);
    return weight === 0 ? [] : [destinationOf(target, weight)];
  });
  return { destinations, limits: tcpLimitsOf(targets), clusters: targets.flatMap(({ cluster }) => cluster ?? []) };
}

function single(target: Target): SharedOut {
  return {
    destinations: [destinationOf(target, 1)],
    limits: tcpLimitsOf([target]),
    clusters: target.cluster === undefined ? [] : [target.cluster],
  };
}

function destinationOf(target: Target, weight: number): Destination {
  return { cluster: target.clusterName, weight, resolved: target.cluster !== undefined, headers: noHeaderEdits };
}

/** How long connections to the first of some targets may live, and whether their clients stay with an endpoint. */
export function tcpLimitsOf(targets: readonly Target[]): TcpLimits {
  const first = targets.find(({ cluster }) => cluster !== undefined)?.cluster;
  return first?.hash?.kind === 'source-ip' ? { ...first.tcp, bySourceIp: true } : (first?.tcp ?? noLimits);
}

const noLimits: TcpLimits = { idleTimeoutMs: undefined, maxDurationMs: undefined };

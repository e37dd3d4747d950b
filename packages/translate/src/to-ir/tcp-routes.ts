import { type Destination, noHeaderEdits, type OriginRef, type OutboundCluster, type TcpLimits } from '@weft/ir';
import { outboundClusterName } from '../names.ts';
import { originOf } from '../origin.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { resolveDestination, serviceTarget, type Target } from './destination.ts';
import { selectTcpRule } from './select-rules.ts';

/** Where the connections to one host and port go. */
export interface TcpDestinations {
  readonly destinations: readonly Destination[];
  /** Those of the first destination, as in Istio. */
  readonly limits: TcpLimits;
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
  const rule = virtualService === undefined ? undefined : selectTcpRule(virtualService, client, port);
  const entries = rule?.route ?? [];
  const targets: readonly Target[] =
    virtualService !== undefined && entries.length > 0
      ? entries.map(({ destination }) =>
          resolveDestination(state, client, destination, virtualService.metadata.namespace ?? '', port),
        )
      : [
          model === undefined || portModel === undefined
            ? { clusterName: outboundClusterName(port, '', host), cluster: undefined, missing: 'unknown' }
            : serviceTarget(state, client, model, portModel, ''),
        ];
  const origins = [
    ...(model === undefined ? [] : [model.origin]),
    ...(virtualService === undefined || entries.length === 0 ? [] : [originOf(virtualService)]),
  ];
  const total = entries.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
  const destinations = targets.flatMap((target, index): Destination[] => {
    const weight = targets.length === 1 || total === 0 ? 1 : (entries[index]?.weight ?? 0);
    return weight === 0
      ? []
      : [{ cluster: target.clusterName, weight, resolved: target.cluster !== undefined, headers: noHeaderEdits }];
  });
  const limits = tcpLimitsOf(targets);
  const text = JSON.stringify([destinations, limits, origins]);
  return {
    ...state.memo.get(`tcp|${host}|${port}|${text}`, [], () => ({ destinations, limits, origins })),
    clusters: targets.flatMap(({ cluster }) => cluster ?? []),
  };
}

/** How long connections to the first of some targets may live. */
export function tcpLimitsOf(targets: readonly Target[]): TcpLimits {
  return targets.find(({ cluster }) => cluster !== undefined)?.cluster?.tcp ?? noLimits;
}

const noLimits: TcpLimits = { idleTimeoutMs: undefined, maxDurationMs: undefined };

import type { WorkloadIr } from '@weft/ir';
import { localClusterName } from './names.ts';
import type { MeshState } from './state/mesh-state.ts';
import { clusterEndpoints } from './to-ir/endpoints.ts';
import { localClusterEndpoints } from './to-ir/local-cluster.ts';
import { clientOf, virtualHostOf } from './to-ir/workload-ir.ts';
import { endpointMessage } from './to-xds/endpoint.ts';
import type { XdsMessage } from './to-xds/message.ts';
import { virtualHostMessage } from './to-xds/route-configuration.ts';
import { endpointNames } from './to-xds/xds-from-ir.ts';

/**
 * The load assignment of a cluster as one proxy is to see it (what a subset means comes from the DestinationRule that applies to
 * this client), or that of its own peers. Empty when there is no such cluster. The same object as long as nothing of it changes.
 */
export function clusterLoadAssignment(state: MeshState, proxyKey: string, clusterName: string): XdsMessage {
  const client = clientOf(state, proxyKey);
  return endpointMessage(
    clusterName === localClusterName
      ? localClusterEndpoints(state, proxyKey, client)
      : clusterEndpoints(state, client, clusterName),
  );
}

/** The load assignments of all clusters of an IR, by name; the same map as long as none of them changes. */
export function loadAssignments(state: MeshState, proxyKey: string, ir: WorkloadIr): ReadonlyMap<string, XdsMessage> {
  const names = endpointNames(ir);
  return state.reads.remember(`assignments|${proxyKey}`, [names.join('\0')], () => {
    const made = names.map((name) => [name, clusterLoadAssignment(state, proxyKey, name)] as const);
    return state.memo.get(`assignments|${proxyKey}`, made.flat(), (): ReadonlyMap<string, XdsMessage> => new Map(made));
  });
}

/** The answer to a proxy that asks for one authority. */
export interface OnDemandAnswer {
  /** Whether anything in the mesh has this name. */
  readonly known: boolean;
  /**
   * The virtual host `http-proxy/<authority>`. When nothing has the name it has no routes: both engines answer 404 `NR` at once.
   * Tried with stock Envoy 1.40: an answer that lists the name among its removed resources leaves the on_demand filter waiting for
   * ever, and a `Resource` without a body, which the VHDS documentation describes, is refused ("type URL does not match"); a virtual
   * host without routes answers in 1 ms.
   */
  readonly message: XdsMessage;
}

/**
 * The virtual host for `authority`, which is the part of the VHDS name after `http-proxy/`. Give the authority to `workloadIr` as
 * observed and the snapshot has the same virtual host with its clusters.
 */
export function virtualHostOnDemand(state: MeshState, proxyKey: string, authority: string): OnDemandAnswer {
  const host = virtualHostOf(state, clientOf(state, proxyKey), authority.toLowerCase(), () => {});
  return { known: host.routes !== undefined, message: virtualHostMessage(host) };
}

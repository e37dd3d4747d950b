import type { OriginRef } from '@weft/ir';
import type { Client, MeshState } from '../../state/mesh-state.ts';
import { gatewayGroup, type KubeRoute } from '../../state/route-index.ts';
import { portOf, type ServiceModel, type ServicePortModel } from '../../state/service-model.ts';
import { serviceTarget, type Target } from '../destination.ts';
import { mayRefer } from './reference-grant.ts';

/** A reference to a backend, as every kind of route writes it. */
export interface BackendRef {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly port?: number | undefined;
}

/** Reasons of Gateway API for references that do not resolve (condition `ResolvedRefs`). */
export type RefReason =
  | 'InvalidKind'
  | 'RefNotPermitted'
  | 'BackendNotFound'
  | 'UnsupportedProtocol'
  | 'UnsupportedValue';

export interface RefProblem {
  readonly reason: RefReason;
  readonly message: string;
}

export interface Backend {
  /** A name in any case, and the cluster when there is one. */
  readonly target: Target;
  readonly problem: RefProblem | undefined;
  readonly origins: readonly OriginRef[];
}

/** A port that a GRPCRoute leads to speaks HTTP/2, as gRPC does, unless it says otherwise. The same object for the same port. */
function grpcPort(state: MeshState, { host }: ServiceModel, port: ServicePortModel): ServicePortModel {
  return port.protocol === 'auto'
    ? state.memo.get(`grpc-port|${host}|${port.number}`, [port] as const, ([model]) => ({
        ...model,
        protocol: 'http2',
      }))
    : port;
}

/** The backend that a route refers to, as `client` (the proxy that will send there) reaches it. */
export function resolveBackend(state: MeshState, client: Client, ref: BackendRef, route: KubeRoute): Backend {
  const own = route.metadata.namespace ?? '';
  const { group = '', kind = 'Service', name, namespace = own, port = 0 } = ref;
  // Another route may refer to the same service with permission: what is refused must not have the name of its cluster.
  const clusterName = `unresolved|${port}|${kind}|${namespace}/${name}`;
  const refused = (reason: RefReason, message: string): Backend => ({
    target: { clusterName, cluster: undefined, missing: message },
    problem: { reason, message },
    origins: [],
  });
  if (group !== '' || kind !== 'Service') {
    return refused('InvalidKind', `backends of kind ${group === '' ? kind : `${group}/${kind}`} are not supported`);
  }
  const from = { group: gatewayGroup, kind: route.kind, namespace: own };
  if (!mayRefer(state, from, { group, kind, namespace, name })) {
    return refused(
      'RefNotPermitted',
      `no ReferenceGrant in namespace ${namespace} lets a ${route.kind} of ${own} refer to Service ${name}`,
    );
  }
  const [model] = state.services.ofObject(`Service/${namespace}/${name}`);
  if (model === undefined) {
    return refused('BackendNotFound', `there is no Service ${namespace}/${name}`);
  }
  const portModel = portOf(model, port);
  if (portModel === undefined) {
    return refused('BackendNotFound', `Service ${namespace}/${name} has no port ${port}`);
  }
  const spoken =
    route.kind === 'GRPCRoute' && client.isGateway === true ? grpcPort(state, model, portModel) : portModel;
  const target = serviceTarget(state, client, model, spoken, '');
  const problem: RefProblem | undefined =
    target.cluster === undefined ? { reason: 'UnsupportedValue', message: target.missing ?? '' } : undefined;
  return { target, problem, origins: [model.origin] };
}

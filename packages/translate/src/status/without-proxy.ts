import {
  type BackendTlsPolicy,
  type DestinationRule,
  type KubeGrpcRoute,
  type KubeHttpRoute,
  keyOf,
  type ServiceEntry,
  type VirtualService,
} from '../kinds.ts';
import type { Place } from '../origin.ts';
import { inScope } from '../state/egress-scope.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import { parentKey } from '../state/route-index.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { httpRulesOf } from '../to-ir/delegation.ts';
import { backendTlsPolicyOf } from '../to-ir/gateway-api/backend-tls.ts';
import { rulesOf } from '../to-ir/gateway-api/http-rules.ts';
import { meshRoutesOf } from '../to-ir/gateway-api/mesh-routes.ts';
import { routesOfVirtualService } from '../to-ir/http-routes.ts';
import { outboundCluster } from '../to-ir/outbound-cluster.ts';
import { policyPlace } from '../to-ir/policy-place.ts';
import { RulePlaces } from '../to-ir/rule-places.ts';
import { clientOf } from '../to-ir/workload-ir.ts';
import { clusterPartsWithoutGrpc, partsWithoutGrpc } from '../to-xds/proxyless/abilities.ts';
import { clusterFields, partPlaces } from './parts-without-proxy.ts';

type Routing = VirtualService | KubeHttpRoute | KubeGrpcRoute;

/** Paths of what workloads without a proxy (`engine: grpc`) go without, of those that the object is for; with what comes of it. */
export function leftOutWithoutProxy(
  state: MeshState,
  object: Routing | DestinationRule | ServiceEntry | BackendTlsPolicy,
): readonly string[] {
  const found = new Set<string>();
  const take = (place: Place | undefined, remark: string): void => {
    if (place?.object === object) {
      found.add(`${place.path} (${remark})`);
    }
  };
  for (const client of proxylessClients(state)) {
    switch (object.kind) {
      case 'DestinationRule':
        ofRule(state, client, object as DestinationRule, take);
        break;
      case 'ServiceEntry':
        ofEntry(state, client, object as ServiceEntry, take);
        break;
      case 'BackendTLSPolicy':
        ofTlsPolicy(state, client, object as BackendTlsPolicy, take);
        break;
      default:
        ofRoutes(state, client, object as Routing, take);
    }
  }
  return [...found];
}

type Take = (place: Place | undefined, remark: string) => void;

/** Each once of all that see the same. */
function proxylessClients(state: MeshState): readonly Client[] {
  const clients = state.proxylessKeys().map((key) => clientOf(state, key));
  return [...new Map(clients.map((client) => [JSON.stringify([client.namespace, client.labels]), client])).values()];
}

/** Ports that gRPC can be spoken to. */
function grpcPorts({ scope }: Client, { namespace, host, ports }: ServiceModel): readonly ServicePortModel[] {
  return ports.filter(
    ({ number, protocol }) =>
      ['http2', 'grpc-web', 'auto'].includes(protocol) && inScope(scope, namespace, host, number),
  );
}

function ofRoutes(state: MeshState, client: Client, object: Routing, take: Take): void {
  const lists =
    object.kind === 'VirtualService'
      ? rootsOf(state, object as VirtualService).flatMap((root) => routesOfRoot(state, client, root))
      : routesOfKube(state, client, object as KubeHttpRoute | KubeGrpcRoute);
  for (const route of lists) {
    const places = new RulePlaces(route);
    for (const part of partsWithoutGrpc(route)) {
      const { remark, find } = partPlaces[part];
      for (const place of find(places, route)) {
        take(place, remark);
      }
    }
  }
}

/** The VirtualServices with hosts by which the rules of one are in force. */
function rootsOf(state: MeshState, object: VirtualService): readonly VirtualService[] {
  return (object.spec?.hosts ?? []).length > 0
    ? [object]
    : state
        .list('networking.istio.io/VirtualService')
        .filter((root) => httpRulesOf(state, root).rules.some(({ source }) => source.object === object));
}

function routesOfRoot(state: MeshState, client: Client, root: VirtualService) {
  const namespace = root.metadata.namespace ?? '';
  return state.virtualServices
    .hostsOf(keyOf(root))
    .filter((host) => state.virtualServiceOf(host, client) === root)
    .flatMap((host) => {
      const model = state.resolveHost(host, namespace, client.namespace);
      const requested =
        model === undefined
          ? [{ host, port: 80, service: undefined }]
          : grpcPorts(client, model).map((port) => ({ host: model.host, port: port.number, service: { model, port } }));
      return requested.flatMap(
        (one) => routesOfVirtualService(state, client, { ...one, authority: undefined }, root).routes.routes,
      );
    });
}

function routesOfKube(state: MeshState, client: Client, object: KubeHttpRoute | KubeGrpcRoute) {
  const parents = (object.spec.parentRefs ?? []).flatMap(
    (ref) => parentKey(ref, object.metadata.namespace ?? '') ?? [],
  );
  const isInForce = parents.some((parent) =>
    state.services
      .ofObject(parent)
      .some(
        (model) =>
          (state.virtualServiceOf(model.host, client)?.spec?.http ?? []).length === 0 &&
          grpcPorts(client, model).some((port) => meshRoutesOf(state, client, model, port).includes(object)),
      ),
  );
  return isInForce ? rulesOf(state, client, object, undefined).routes : [];
}

function ofRule(state: MeshState, client: Client, object: DestinationRule, take: Take): void {
  const namespace = object.metadata.namespace ?? '';
  const host = object.spec?.host ?? '';
  const models = host.startsWith('*')
    ? [...state.services.objectKeys()].flatMap((key) => state.services.ofObject(key))
    : [state.resolveHost(host, namespace, client.namespace)];
  for (const model of models) {
    const rule = model && state.destinationRuleOf(model, client);
    if (model === undefined || rule === undefined || !rule.rules.includes(object)) {
      continue;
    }
    for (const port of grpcPorts(client, model)) {
      for (const subset of ['', ...rule.subsets.keys()]) {
        const cluster = outboundCluster(state, client, model, port, subset);
        const parts = typeof cluster === 'string' ? [] : clusterPartsWithoutGrpc(cluster);
        for (const part of parts) {
          const { remark, fields } = clusterFields[part];
          for (const field of fields) {
            take(policyPlace(rule, subset, port.number, field.split('.')), remark);
          }
        }
      }
    }
  }
}

/** Names in DNS, where there are several. */
function ofEntry(state: MeshState, client: Client, object: ServiceEntry, take: Take): void {
  const models = state.services.ofObject(`ServiceEntry/${keyOf(object)}`);
  for (const { host } of models) {
    const model = state.services.exact(host, client.namespace);
    for (const port of model?.object === object ? grpcPorts(client, model) : []) {
      const cluster = model && outboundCluster(state, client, model, port, '');
      if (typeof cluster === 'object' && clusterPartsWithoutGrpc(cluster).includes('dns')) {
        take({ object, path: 'spec.endpoints' }, clusterFields.dns.remark);
      }
    }
  }
}

function ofTlsPolicy(state: MeshState, client: Client, object: BackendTlsPolicy, take: Take): void {
  for (const { name } of object.spec.targetRefs) {
    for (const model of state.services.ofObject(`Service/${object.metadata.namespace}/${name}`)) {
      for (const port of grpcPorts(client, model)) {
        if (backendTlsPolicyOf(state, model, port) === object) {
          take({ object, path: 'spec.validation' }, clusterFields.tls.remark);
        }
      }
    }
  }
}

import type { Clock, Logger } from '@weft/base';
import { type GroupVersionKind, gvkOf, type KubeObject, kinds, type ResourceClient } from '@weft/resources';
import { createInformer, type Informer } from '@weft/sources';
import type { ResourceChange } from '@weft/translate';

/** `group/kind` of what translation reads. */
const meshKinds: ReadonlySet<string> = new Set([
  '/ConfigMap',
  '/Namespace',
  '/Secret',
  '/Service',
  'discovery.k8s.io/EndpointSlice',
  'gateway.networking.k8s.io/BackendTLSPolicy',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
  'gateway.networking.k8s.io/GRPCRoute',
  'gateway.networking.k8s.io/HTTPRoute',
  'gateway.networking.k8s.io/ListenerSet',
  'gateway.networking.k8s.io/ReferenceGrant',
  'gateway.networking.k8s.io/TCPRoute',
  'gateway.networking.k8s.io/TLSRoute',
  'networking.istio.io/Gateway',
  'networking.istio.io/ProxyConfig',
  'networking.istio.io/Sidecar',
  'networking.istio.io/WorkloadEntry',
  'networking.istio.io/WorkloadGroup',
  'networking.istio.io/ServiceEntry',
  'networking.istio.io/VirtualService',
  'networking.istio.io/DestinationRule',
  'security.istio.io/PeerAuthentication',
  'weft.dev/EndpointPolicy',
  'weft.dev/Proxy',
  'weft.dev/RouteActionPolicy',
]);

/** The resources of the mesh, followed by one informer for each kind. */
export interface MeshInputs {
  /** Resolves when each kind has been listed. */
  readonly synced: Promise<void>;
  stop(): void;
}

/** @param onChange told of each batch, in the order of arrival within a kind. */
export function followMesh(options: {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (changes: readonly ResourceChange[]) => void;
}): MeshInputs {
  const { client, clock, logger, onChange } = options;
  const informers: Informer[] = [];
  for (const declaration of kinds) {
    if (!meshKinds.has(`${declaration.group}/${declaration.kind}`)) {
      continue;
    }
    const kind: GroupVersionKind = gvkOf(declaration);
    const informer = createInformer<KubeObject>({ client, kind, clock, logger });
    informer.objects.subscribe(onChange);
    informers.push(informer);
  }
  return {
    synced: Promise.all(informers.map((informer) => informer.synced)).then(() => undefined),
    stop() {
      for (const informer of informers) {
        informer.stop();
      }
    },
  };
}

import type { handleBidiStreamingCall, handleUnaryCall, MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { type TypeUrl, typeUrls } from '@weft/xds-types';

/** Messages pass as bytes: requests are decoded by us, responses are put together from encoded pieces. */
function method(path: string, streaming: boolean): MethodDefinition<Buffer, Buffer> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream: streaming,
    responseStream: streaming,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** One bidirectional discovery method. */
export interface DiscoveryMethod {
  readonly variant: 'sotw' | 'delta';
  /** Undefined: any type (ADS). */
  readonly typeUrl: TypeUrl | undefined;
}

const perTypeServices: readonly [service: string, noun: string, typeUrl: TypeUrl, sotw: boolean][] = [
  ['envoy.service.cluster.v3.ClusterDiscoveryService', 'Clusters', typeUrls.cluster, true],
  ['envoy.service.endpoint.v3.EndpointDiscoveryService', 'Endpoints', typeUrls.endpoint, true],
  ['envoy.service.secret.v3.SecretDiscoveryService', 'Secrets', typeUrls.secret, true],
  ['envoy.service.listener.v3.ListenerDiscoveryService', 'Listeners', typeUrls.listener, true],
  ['envoy.service.route.v3.RouteDiscoveryService', 'Routes', typeUrls.routeConfiguration, true],
  // Virtual hosts have a delta method only.
  ['envoy.service.route.v3.VirtualHostDiscoveryService', 'VirtualHosts', typeUrls.virtualHost, false],
];

/** Service definition and handlers of every discovery service; each method is handled by `handlerOf`. */
export function discoveryServices(
  handlerOf: (method: DiscoveryMethod) => handleBidiStreamingCall<Buffer, Buffer>,
): { definition: ServiceDefinition; handlers: Record<string, handleBidiStreamingCall<Buffer, Buffer>> }[] {
  const ads = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
  const services = perTypeServices.map(([service, noun, typeUrl, sotw]) =>
    discoveryService(service, sotw ? `Stream${noun}` : undefined, `Delta${noun}`, typeUrl, handlerOf),
  );
  return [
    discoveryService(ads, 'StreamAggregatedResources', 'DeltaAggregatedResources', undefined, handlerOf),
    ...services,
  ];
}

function discoveryService(
  service: string,
  sotwName: string | undefined,
  deltaName: string,
  typeUrl: TypeUrl | undefined,
  handlerOf: (method: DiscoveryMethod) => handleBidiStreamingCall<Buffer, Buffer>,
): { definition: ServiceDefinition; handlers: Record<string, handleBidiStreamingCall<Buffer, Buffer>> } {
  const definition: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const handlers: Record<string, handleBidiStreamingCall<Buffer, Buffer>> = {};
  const add = (name: string, variant: 'sotw' | 'delta'): void => {
    definition[name] = method(`/${service}/${name}`, true);
    handlers[name] = handlerOf({ variant, typeUrl });
  };
  if (sotwName !== undefined) {
    add(sotwName, 'sotw');
  }
  add(deltaName, 'delta');
  return { definition, handlers };
}

/** envoy.service.status.v3.ClientStatusDiscoveryService */
export function statusService(
  stream: handleBidiStreamingCall<Buffer, Buffer>,
  fetch: handleUnaryCall<Buffer, Buffer>,
): {
  definition: ServiceDefinition;
  handlers: {
    StreamClientStatus: handleBidiStreamingCall<Buffer, Buffer>;
    FetchClientStatus: handleUnaryCall<Buffer, Buffer>;
  };
} {
  const service = '/envoy.service.status.v3.ClientStatusDiscoveryService';
  return {
    definition: {
      StreamClientStatus: method(`${service}/StreamClientStatus`, true),
      FetchClientStatus: method(`${service}/FetchClientStatus`, false),
    },
    handlers: { StreamClientStatus: stream, FetchClientStatus: fetch },
  };
}

/** envoy.service.load_stats.v3.LoadReportingService */
export function loadReportingService(stream: handleBidiStreamingCall<Buffer, Buffer>): {
  definition: ServiceDefinition;
  handlers: { StreamLoadStats: handleBidiStreamingCall<Buffer, Buffer> };
} {
  const path = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';
  return { definition: { StreamLoadStats: method(path, true) }, handlers: { StreamLoadStats: stream } };
}

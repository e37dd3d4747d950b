import type { WorkloadIr } from '@weft/ir';
import { type Any, packAny, typeUrlOf, typeUrls, unpackAny } from '@weft/xds-types';
import {
  Bootstrap,
  Bootstrap_DynamicResources,
  Bootstrap_StaticResources,
  LayeredRuntime,
  RuntimeLayer,
} from '@weft/xds-types/envoy/config/bootstrap/v3/bootstrap.ts';
import { Cluster, Cluster_DiscoveryType } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { Address, Pipe } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  ApiConfigSource,
  ApiConfigSource_ApiType,
  ApiVersion,
} from '@weft/xds-types/envoy/config/core/v3/config_source.ts';
import { GrpcService, GrpcService_EnvoyGrpc } from '@weft/xds-types/envoy/config/core/v3/grpc_service.ts';
import { Http2ProtocolOptions } from '@weft/xds-types/envoy/config/core/v3/protocol.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import {
  Endpoint,
  LbEndpoint,
  LocalityLbEndpoints,
} from '@weft/xds-types/envoy/config/endpoint/v3/endpoint_components.ts';
import type { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import type { Filter } from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import type { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import type { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import {
  HttpProtocolOptions,
  HttpProtocolOptions_ExplicitHttpConfig,
} from '@weft/xds-types/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import type { XdsMessage } from '../../src/index.ts';
import { create } from '../../src/to-xds/message.ts';

const managerName = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/** The same work done by Envoy: cases are of our own proxy, unless they say otherwise. */
export function forEnvoy(ir: WorkloadIr): WorkloadIr {
  return { ...ir, workload: { ...ir.workload, engine: 'envoy' } };
}

/** Everything in one bootstrap, as bytes: routes that would come by RDS and VHDS are written into their listeners. */
export function staticBootstrap(messages: readonly XdsMessage[], folder: string): Uint8Array {
  const of = <T>(typeUrl: string): T[] =>
    messages.filter((message) => message.typeUrl === typeUrl).map(({ message }) => message as T);
  const virtualHosts = of<VirtualHost>(typeUrls.virtualHost);
  const routes = new Map(
    of<RouteConfiguration>(typeUrls.routeConfiguration).map((configuration) => [
      configuration.name,
      configuration.vhds === undefined ? configuration : { ...configuration, vhds: undefined, virtualHosts },
    ]),
  );
  const listeners = of<Listener>(typeUrls.listener).map((listener) => ({
    ...listener,
    filterChains: listener.filterChains.map((chain) => ({
      ...chain,
      filters: chain.filters.map((filter) => withInlineRoutes(filter, routes)),
    })),
  }));
  const bootstrap = create(Bootstrap, {
    node: create(Node, { id: 'shop/web-1', cluster: 'web' }),
    staticResources: create(Bootstrap_StaticResources, {
      listeners,
      clusters: [grpcCluster('xds-grpc', folder), grpcCluster('sds-grpc', folder), ...of<Cluster>(typeUrls.cluster)],
    }),
    // As the agent beside Envoy writes it: the version is taken from ALPN also where plaintext is possible.
    layeredRuntime: create(LayeredRuntime, {
      layers: [
        create(RuntimeLayer, {
          name: 'weft',
          layerSpecifier: { $case: 'staticLayer', value: { 'config.do_not_validate_alpn_support': 100 } },
        }),
      ],
    }),
    dynamicResources: create(Bootstrap_DynamicResources, {
      adsConfig: create(ApiConfigSource, {
        apiType: ApiConfigSource_ApiType.DELTA_GRPC,
        transportApiVersion: ApiVersion.V3,
        grpcServices: [
          create(GrpcService, {
            targetSpecifier: { $case: 'envoyGrpc', value: create(GrpcService_EnvoyGrpc, { clusterName: 'xds-grpc' }) },
          }),
        ],
      }),
    }),
  });
  return Bootstrap.encode(bootstrap).finish();
}

function withInlineRoutes(filter: Filter, routes: ReadonlyMap<string, RouteConfiguration>): Filter {
  const any = filter.configType?.value as Any;
  const manager = unpackAny(any, typeUrlOf(managerName), HttpConnectionManager);
  if (manager?.routeSpecifier?.$case !== 'rds') {
    return filter;
  }
  const table = routes.get(manager.routeSpecifier.value.routeConfigName);
  if (table === undefined) {
    throw new Error(`no route configuration ${manager.routeSpecifier.value.routeConfigName}`);
  }
  const inline = { ...manager, routeSpecifier: { $case: 'routeConfig' as const, value: table } };
  return {
    ...filter,
    configType: { $case: 'typedConfig', value: packAny(managerName, HttpConnectionManager, inline) },
  };
}

function grpcCluster(name: string, folder: string): Cluster {
  const options = create(HttpProtocolOptions, {
    upstreamProtocolOptions: {
      $case: 'explicitHttpConfig',
      value: create(HttpProtocolOptions_ExplicitHttpConfig, {
        protocolConfig: { $case: 'http2ProtocolOptions', value: create(Http2ProtocolOptions, {}) },
      }),
    },
  });
  const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const address = create(Address, { address: { $case: 'pipe', value: create(Pipe, { path: `${folder}/${name}` }) } });
  return create(Cluster, {
    name,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
    typedExtensionProtocolOptions: { [optionsName]: packAny(optionsName, HttpProtocolOptions, options) },
    loadAssignment: create(ClusterLoadAssignment, {
      clusterName: name,
      endpoints: [
        create(LocalityLbEndpoints, {
          lbEndpoints: [
            create(LbEndpoint, { hostIdentifier: { $case: 'endpoint', value: create(Endpoint, { address }) } }),
          ],
        }),
      ],
    }),
  });
}

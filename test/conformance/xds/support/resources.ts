import { type EncodedResource, encodeResource } from '@weft/xds-server';
import { type MessageCodec, packAny, type TypeUrl, typeUrls } from '@weft/xds-types';
import { Cluster, Cluster_DiscoveryType } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { type Address, SocketAddress } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { ConfigSource } from '@weft/xds-types/envoy/config/core/v3/config_source.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import {
  Endpoint,
  LbEndpoint,
  LocalityLbEndpoints,
} from '@weft/xds-types/envoy/config/endpoint/v3/endpoint_components.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { FilterChain } from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { Route, RouteAction, RouteMatch, VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { OnDemand } from '@weft/xds-types/envoy/extensions/filters/http/on_demand/v3/on_demand.ts';
import { Router } from '@weft/xds-types/envoy/extensions/filters/http/router/v3/router.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import {
  CertificateValidationContext,
  TlsCertificate,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  CommonTlsContext,
  DownstreamTlsContext,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/tls.ts';

/** A message with every field at its default. */
export function blank<T>(codec: MessageCodec<T>): T {
  return codec.decode(new Uint8Array(0));
}

function resource<T>(typeUrl: TypeUrl, name: string, codec: MessageCodec<T>, message: T): EncodedResource {
  return encodeResource({ typeUrl, name, value: codec.encode(message).finish() });
}

const ads: ConfigSource = {
  ...blank(ConfigSource),
  configSourceSpecifier: { $case: 'ads', value: {} },
  resourceApiVersion: 2,
};

const connectTimeout = (revision: number): { seconds: bigint; nanos: number } => ({
  seconds: BigInt(revision),
  nanos: 0,
});

/** A static cluster without endpoints; another revision is another content. */
export function cluster(name: string, revision = 1): EncodedResource {
  return resource(typeUrls.cluster, name, Cluster, {
    ...blank(Cluster),
    name,
    connectTimeout: connectTimeout(revision),
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
    loadAssignment: { ...blank(ClusterLoadAssignment), clusterName: name },
  });
}

export function edsCluster(name: string, revision = 1, serviceName = ''): EncodedResource {
  return resource(typeUrls.cluster, name, Cluster, {
    ...blank(Cluster),
    name,
    connectTimeout: connectTimeout(revision),
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: ads, serviceName },
  });
}

const address = (port: number): Address => ({
  address: {
    $case: 'socketAddress',
    value: { ...blank(SocketAddress), address: '127.0.0.1', portSpecifier: { $case: 'portValue', value: port } },
  },
});

/** Endpoints at port `1000 + revision` each; no priorities: an assignment without endpoints. */
export function endpoints(name: string, revision = 1, priorities: readonly number[] = [0]): EncodedResource {
  return endpointsAt(name, 1000 + revision, priorities);
}

export function endpointsAt(name: string, port: number, priorities: readonly number[] = [0]): EncodedResource {
  return resource(typeUrls.endpoint, name, ClusterLoadAssignment, {
    ...blank(ClusterLoadAssignment),
    clusterName: name,
    endpoints: priorities.map((priority) => ({
      ...blank(LocalityLbEndpoints),
      locality: { region: 'region', zone: 'zone', subZone: '' },
      loadBalancingWeight: 1, // gRPC ignores a locality without a weight.
      priority,
      lbEndpoints: [
        {
          ...blank(LbEndpoint),
          hostIdentifier: {
            $case: 'endpoint' as const,
            value: { ...blank(Endpoint), address: address(port) },
          },
        },
      ],
    })),
  });
}

const router = {
  name: 'envoy.filters.http.router',
  configType: {
    $case: 'typedConfig' as const,
    value: packAny('envoy.extensions.filters.http.router.v3.Router', Router, blank(Router)),
  },
  isOptional: false,
  disabled: false,
};

const onDemandFilter = {
  ...router,
  name: 'envoy.filters.http.on_demand',
  configType: {
    $case: 'typedConfig' as const,
    value: packAny('envoy.extensions.filters.http.on_demand.v3.OnDemand', OnDemand, blank(OnDemand)),
  },
};

const hcmName = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function connectionManager(routeConfigName: string, revision: number, onDemand = false): HttpConnectionManager {
  return {
    ...blank(HttpConnectionManager),
    statPrefix: `revision-${revision}`,
    routeSpecifier: { $case: 'rds', value: { configSource: ads, routeConfigName } },
    httpFilters: onDemand ? [onDemandFilter, router] : [router],
  };
}

/** A listener that takes its routes by RDS; with `secret` it terminates TLS with that SDS secret. */
export function listener(
  name: string,
  revision: number,
  routeConfigName: string,
  secret?: string,
  options: { readonly port?: number; readonly onDemand?: boolean } = {},
): EncodedResource {
  return resource(typeUrls.listener, name, Listener, {
    ...blank(Listener),
    name,
    address: address(options.port ?? 10_000),
    filterChains: [
      {
        ...blank(FilterChain),
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: {
              $case: 'typedConfig',
              value: packAny(
                hcmName,
                HttpConnectionManager,
                connectionManager(routeConfigName, revision, options.onDemand),
              ),
            },
          },
        ],
        transportSocket: secret === undefined ? undefined : tlsSocket(secret),
      },
    ],
  });
}

function tlsSocket(secret: string): FilterChain['transportSocket'] {
  const context: DownstreamTlsContext = {
    ...blank(DownstreamTlsContext),
    commonTlsContext: {
      ...blank(CommonTlsContext),
      tlsCertificateSdsSecretConfigs: [{ name: secret, sdsConfig: ads }],
    },
  };
  return {
    name: 'envoy.transport_sockets.tls',
    configType: {
      $case: 'typedConfig',
      value: packAny('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', DownstreamTlsContext, context),
    },
  };
}

/** What a proxyless gRPC client dials. */
export function apiListener(name: string, revision: number, routeConfigName: string): EncodedResource {
  return resource(typeUrls.listener, name, Listener, {
    ...blank(Listener),
    name,
    apiListener: { apiListener: packAny(hcmName, HttpConnectionManager, connectionManager(routeConfigName, revision)) },
  });
}

function virtualHostTo(name: string, domain: string, clusterName: string, timeoutSeconds: number): VirtualHost {
  return {
    ...blank(VirtualHost),
    name,
    domains: [domain],
    routes: [
      {
        ...blank(Route),
        match: { ...blank(RouteMatch), pathSpecifier: { $case: 'prefix', value: '' } },
        action: {
          $case: 'route',
          value: {
            ...blank(RouteAction),
            clusterSpecifier: { $case: 'cluster', value: clusterName },
            timeout: { seconds: BigInt(timeoutSeconds), nanos: 0 },
          },
        },
      },
    ],
  };
}

export function route(name: string, revision: number, clusterName: string): EncodedResource {
  return resource(typeUrls.routeConfiguration, name, RouteConfiguration, {
    ...blank(RouteConfiguration),
    name,
    virtualHosts: [virtualHostTo(`${name}-host`, '*', clusterName, 10 + revision)],
  });
}

/** A route configuration without virtual hosts of its own: they are asked for on demand. */
export function onDemandRoutes(name: string): EncodedResource {
  return resource(typeUrls.routeConfiguration, name, RouteConfiguration, {
    ...blank(RouteConfiguration),
    name,
    vhds: { configSource: ads },
  });
}

/** An on-demand virtual host; `aliases` are further names to subscribe to it by. */
export function virtualHost(
  name: string,
  revision: number,
  clusterName: string,
  aliases: readonly string[] = [],
): EncodedResource {
  const domain = name.slice(name.indexOf('/') + 1);
  const value = VirtualHost.encode(virtualHostTo(domain, domain, clusterName, 10 + revision)).finish();
  return encodeResource({ typeUrl: typeUrls.virtualHost, name, value, aliases });
}

/** A trust bundle. @param pem any text will do where nobody parses it. */
export function trustBundle(name: string, pem: string): EncodedResource {
  return resource(typeUrls.secret, name, Secret, {
    name,
    type: {
      $case: 'validationContext',
      value: {
        ...blank(CertificateValidationContext),
        trustedCa: {
          specifier: { $case: 'inlineBytes', value: Buffer.from(pem) },
          watchedDirectory: undefined,
        },
      },
    },
  });
}

export function keyPair(name: string, certificatePem: string, keyPem: string): EncodedResource {
  const data = (text: string): { specifier: { $case: 'inlineBytes'; value: Buffer }; watchedDirectory: undefined } => ({
    specifier: { $case: 'inlineBytes', value: Buffer.from(text) },
    watchedDirectory: undefined,
  });
  return resource(typeUrls.secret, name, Secret, {
    name,
    type: {
      $case: 'tlsCertificate',
      value: {
        ...blank(TlsCertificate),
        certificateChain: data(certificatePem),
        privateKey: data(keyPem),
      },
    },
  });
}

/** The same resource with a time to live. */
export function withTtl(encoded: EncodedResource, ttlMs: number): EncodedResource {
  return encodeResource({ typeUrl: encoded.typeUrl, name: encoded.name, value: encoded.value, ttlMs });
}

export function node(id: string, clientFeatures: string[] = []): Node {
  return { ...blank(Node), id, userAgentName: 'scripted', clientFeatures };
}

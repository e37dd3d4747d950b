import { type Inbound, type OutboundCluster, type ProxyEngine, unlimited } from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import {
  CircuitBreakers,
  CircuitBreakers_Thresholds,
  CircuitBreakers_Thresholds_RetryBudget,
} from '@weft/xds-types/envoy/config/cluster/v3/circuit_breaker.ts';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfig,
  Cluster_TransportSocketMatch,
  UpstreamConnectionOptions,
} from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { TcpKeepalive } from '@weft/xds-types/envoy/config/core/v3/address.ts';
import { Metadata, type TransportSocket } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import {
  Endpoint,
  LbEndpoint,
  LocalityLbEndpoints,
} from '@weft/xds-types/envoy/config/endpoint/v3/endpoint_components.ts';
import { Percent } from '@weft/xds-types/envoy/type/v3/percent.ts';
import { inboundClusterName } from '../names.ts';
import { offeredProtocols } from './alpn.ts';
import { addressOf, duration, fromAds } from './core.ts';
import { loadAssignment, mutualTlsMatch } from './endpoint.ts';
import { healthChecking } from './health-check.ts';
import { inboundHttpOptions, outboundHttpOptions } from './http-options.ts';
import { loadBalancing, outlierDetection } from './load-balancing.ts';
import { create, perObject, type XdsMessage, xdsMessage } from './message.ts';
import { originatedTls, plaintext, upstreamTls, withProxyProtocol } from './tls.ts';

/** Time between look-ups where a DNS answer has no time to live; Istio's value. */
const dnsRefreshMs = 60_000;

/** Time to connect to the application beside the proxy; Istio's value for all clusters. */
const inboundConnectTimeoutMs = 10_000;

/** An outbound cluster for one engine; the same message for the same IR. */
export const outboundClusterMessage: Readonly<Record<ProxyEngine, (cluster: OutboundCluster) => XdsMessage>> = {
  weft: perObject((cluster) => messageFor(cluster, 'weft')),
  envoy: perObject((cluster) => messageFor(cluster, 'envoy')),
};

function messageFor(cluster: OutboundCluster, engine: ProxyEngine): XdsMessage {
  return xdsMessage(typeUrls.cluster, cluster.name, Cluster, outboundCluster(cluster, engine), cluster.origins);
}

function outboundCluster(cluster: OutboundCluster, engine: ProxyEngine): Cluster {
  return create(Cluster, {
    name: cluster.name,
    ...discoveryFields(cluster),
    connectTimeout: duration(cluster.connectTimeoutMs),
    ...loadBalancing(cluster),
    outlierDetection: cluster.outlierDetection === undefined ? undefined : outlierDetection(cluster.outlierDetection),
    ...healthChecking(cluster.healthCheck, cluster.protocol),
    circuitBreakers: breakers(cluster.limits),
    typedExtensionProtocolOptions: outboundHttpOptions(cluster),
    ...keepalive(cluster.tcpKeepalive),
    ...transportSockets(cluster, engine),
    metadata: serviceMetadata({ host: cluster.host, ...cluster.service }),
  });
}

/** Where the endpoints of a cluster come from. */
export function discoveryFields({ name, discovery }: OutboundCluster): Partial<Cluster> {
  return discovery.kind === 'endpoints'
    ? {
        clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
        edsClusterConfig: create(Cluster_EdsClusterConfig, { edsConfig: fromAds, serviceName: discovery.assignment }),
      }
    : {
        clusterDiscoveryType: {
          $case: 'type',
          value: discovery.addresses === 'all' ? Cluster_DiscoveryType.STRICT_DNS : Cluster_DiscoveryType.LOGICAL_DNS,
        },
        loadAssignment: loadAssignment(name, discovery.endpoints),
        respectDnsTtl: true,
        dnsRefreshRate: duration(dnsRefreshMs),
      };
}

function keepalive(
  tcpKeepalive: OutboundCluster['tcpKeepalive'],
): Pick<Cluster, 'upstreamConnectionOptions'> | undefined {
  return tcpKeepalive === undefined
    ? undefined
    : {
        upstreamConnectionOptions: create(UpstreamConnectionOptions, {
          tcpKeepalive: create(TcpKeepalive, {
            keepaliveTime: tcpKeepalive.timeSec,
            keepaliveInterval: tcpKeepalive.intervalSec,
            keepaliveProbes: tcpKeepalive.probes,
          }),
        }),
      };
}

type TransportSockets = Partial<Pick<Cluster, 'transportSocket' | 'transportSocketMatches'>>;

function transportSockets({ tls, protocol, proxyProtocol }: OutboundCluster, engine: ProxyEngine): TransportSockets {
  const behindHeader = (socket: TransportSocket): TransportSocket =>
    proxyProtocol === undefined ? socket : withProxyProtocol(socket, proxyProtocol);
  if (tls.kind === 'disabled') {
    return proxyProtocol === undefined ? {} : { transportSocket: behindHeader(plaintext) };
  }
  if (tls.kind === 'originate') {
    const alpn = protocol === 'tcp' ? [] : offeredProtocols(protocol, 'envoy');
    return { transportSocket: behindHeader(originatedTls(tls.origination, alpn)) };
  }
  const transportSocket = behindHeader(upstreamTls(tls.mutual, offeredProtocols(protocol, engine)));
  if (tls.kind === 'mutual') {
    return { transportSocket };
  }
  return {
    // Never used, as the last match takes everything: Envoy wants to see ALPN there before it takes the version from ALPN.
    ...(protocol === 'http-by-alpn' && engine === 'envoy' ? { transportSocket } : {}),
    transportSocketMatches: [
      create(Cluster_TransportSocketMatch, { name: 'tlsMode-istio', match: mutualTlsMatch, transportSocket }),
      create(Cluster_TransportSocketMatch, {
        name: 'tlsMode-disabled',
        match: {},
        transportSocket: behindHeader(plaintext),
      }),
    ],
  };
}

export function breakers(limits: OutboundCluster['limits']): CircuitBreakers {
  const { retryBudget, ...bounds } = limits;
  const thresholds = create(CircuitBreakers_Thresholds, {
    ...bounds,
    retryBudget:
      retryBudget === undefined
        ? undefined
        : create(CircuitBreakers_Thresholds_RetryBudget, {
            budgetPercent: create(Percent, { value: retryBudget.percent }),
            minRetryConcurrency: retryBudget.minConcurrency,
            budgetInterval: retryBudget.intervalMs === undefined ? undefined : duration(retryBudget.intervalMs),
          }),
  });
  return create(CircuitBreakers, { thresholds: [thresholds] });
}

/** Which service a cluster stands for, where Istio's metrics look for it. */
function serviceMetadata(service: {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
}): Metadata {
  const { host, name, namespace } = service;
  return create(Metadata, { filterMetadata: { istio: { services: [{ host, name, namespace }] } } });
}

const noLimits: OutboundCluster['limits'] = {
  maxConnections: unlimited,
  maxPendingRequests: unlimited,
  maxRequests: unlimited,
  maxRetries: unlimited,
};

/** The cluster that is the application itself. */
export const inboundClusterMessage: (inbound: Inbound) => XdsMessage = perObject((inbound) => {
  const name = inboundClusterName(inbound.app.port);
  const message = create(Cluster, {
    name,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.STATIC },
    loadAssignment: create(ClusterLoadAssignment, {
      clusterName: name,
      endpoints: [
        create(LocalityLbEndpoints, {
          lbEndpoints: [
            create(LbEndpoint, {
              hostIdentifier: {
                $case: 'endpoint',
                value: create(Endpoint, { address: addressOf(inbound.app.address, inbound.app.port) }),
              },
            }),
          ],
        }),
      ],
    }),
    connectTimeout: duration(inbound.pool?.connectTimeoutMs ?? inboundConnectTimeoutMs),
    typedExtensionProtocolOptions: inboundHttpOptions(inbound),
    circuitBreakers: breakers(inbound.pool?.limits ?? noLimits),
    ...keepalive(inbound.pool?.tcpKeepalive),
    ...(inbound.service === undefined ? {} : { metadata: serviceMetadata(inbound.service) }),
  });
  return xdsMessage(typeUrls.cluster, name, Cluster, message, inbound.origins);
});

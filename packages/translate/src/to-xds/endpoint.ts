import type { ClusterEndpoints, Endpoint as EndpointIr } from '@weft/ir';
import { typeUrls } from '@weft/xds-types';
import { Locality, Metadata } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { HealthStatus } from '@weft/xds-types/envoy/config/core/v3/health_check.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import {
  Endpoint,
  Endpoint_HealthCheckConfig,
  LbEndpoint,
  LocalityLbEndpoints,
} from '@weft/xds-types/envoy/config/endpoint/v3/endpoint_components.ts';
import { addressOf } from './core.ts';
import { create, perObject, type XdsMessage, xdsMessage } from './message.ts';

/** What the label of an endpoint is that mutual TLS is spoken with; `transport_socket_matches` look for it. */
export const mutualTlsMatch: Readonly<Record<string, string>> = { tlsMode: 'istio' };

/** The load assignment of a cluster; the same message for the same IR. */
export const endpointMessage: (endpoints: ClusterEndpoints) => XdsMessage = perObject((endpoints) =>
  xdsMessage(
    typeUrls.endpoint,
    endpoints.cluster,
    ClusterLoadAssignment,
    loadAssignment(endpoints.cluster, endpoints.endpoints, endpoints.localityWeights),
    endpoints.origins,
  ),
);

/**
 * Endpoints of one locality and priority stand together.
 * @param weights of localities by name; undefined = each has that of its endpoints.
 */
export function loadAssignment(
  cluster: string,
  endpoints: readonly EndpointIr[],
  weights: ClusterEndpoints['localityWeights'] = undefined,
): ClusterLoadAssignment {
  const groups = new Map<string, EndpointIr[]>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.priority} ${endpoint.locality}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [endpoint]);
    } else {
      group.push(endpoint);
    }
  }
  return create(ClusterLoadAssignment, {
    clusterName: cluster,
    endpoints: [...groups.values()].map((group) => {
      const { locality = '', priority = 0 } = group[0] ?? {};
      const [region = '', zone = '', subZone = ''] = locality.split('/');
      return create(LocalityLbEndpoints, {
        locality: create(Locality, { region, zone, subZone }),
        lbEndpoints: group.map(lbEndpoint),
        loadBalancingWeight: weights?.[locality] ?? group.reduce((sum, { weight }) => sum + weight, 0),
        priority,
      });
    }),
  });
}

function lbEndpoint(endpoint: EndpointIr): LbEndpoint {
  const { name, namespace, canonicalName, canonicalRevision, cluster } = endpoint.workload;
  return create(LbEndpoint, {
    hostIdentifier: {
      $case: 'endpoint',
      value: create(Endpoint, {
        address: addressOf(endpoint.address, endpoint.port),
        healthCheckConfig: healthCheckConfig(endpoint.checkPort),
      }),
    },
    healthStatus: endpoint.health === 'healthy' ? HealthStatus.HEALTHY : HealthStatus.UNHEALTHY,
    loadBalancingWeight: endpoint.weight,
    metadata: create(Metadata, {
      filterMetadata: {
        ...(endpoint.mutualTls ? { 'envoy.transport_socket_match': mutualTlsMatch } : {}),
        istio: { workload: [name, namespace, canonicalName, canonicalRevision, cluster].join(';') },
      },
    }),
  });
}

function healthCheckConfig(port: number | undefined): Endpoint_HealthCheckConfig | undefined {
  if (port === undefined) {
    return undefined;
  }
  return create(Endpoint_HealthCheckConfig, port === 0 ? { disableActiveHealthCheck: true } : { portValue: port });
}

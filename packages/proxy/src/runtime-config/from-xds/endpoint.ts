import type { ClusterEndpoints, EndpointConfig, LocalityEndpoints, WorkloadLabels } from '../config.ts';
import type { Metadata } from '../wire/core-schema.ts';
import type { ClusterLoadAssignment, LbEndpoint } from '../wire/endpoint-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { addressFromXds } from './address.ts';
import { endpointHealthCheckFromXds } from './health-check.ts';
import { labelsFromStruct, stringAt } from './metadata.ts';
import { present } from './present.ts';

/** `ClusterLoadAssignment.Policy.overprovisioning_factor`, "If not specified, the default is 140". */
const DEFAULT_OVERPROVISIONING_FACTOR = 140;
/** Envoy's bound of `LocalityLbEndpoints.priority`. */
const MAX_PRIORITY = 128;

/**
 * `envoy.config.endpoint.v3.ClusterLoadAssignment`
 * @param names whether endpoints may be DNS names (strict DNS clusters).
 */
export function endpointsFromXds(
  assignment: Decoded<typeof ClusterLoadAssignment>,
  names: boolean,
  version: string,
  problems: Problems,
): ClusterEndpoints {
  const localities = problems.each('endpoints', assignment.endpoints, (locality): LocalityEndpoints => {
    if (locality.priority > MAX_PRIORITY) {
      problems.add(`must be at most ${MAX_PRIORITY}`, 'priority');
    }
    if (locality.load_balancing_weight === 0) {
      problems.add('must be at least 1', 'load_balancing_weight');
    }
    return {
      region: locality.locality?.region ?? '',
      zone: locality.locality?.zone ?? '',
      subZone: locality.locality?.sub_zone ?? '',
      // One without a weight gets nothing where localities are weighted, as in Envoy.
      weight: locality.load_balancing_weight ?? 0,
      priority: locality.priority,
      endpoints: present(
        problems.each('lb_endpoints', locality.lb_endpoints, (endpoint) => endpointFromXds(endpoint, names, problems)),
      ),
    };
  });
  const priorities = new Set(localities.map(({ priority }) => priority));
  const gap = [...priorities.keys()].findIndex((_, rank) => !priorities.has(rank));
  if (gap !== -1) {
    problems.add(`priorities begin at 0 and have no gaps: ${gap} is missing`, 'endpoints');
  }
  const factor = assignment.policy?.overprovisioning_factor ?? DEFAULT_OVERPROVISIONING_FACTOR;
  if (factor === 0) {
    problems.add('must be at least 1', 'policy.overprovisioning_factor');
  }
  return {
    clusterName: assignment.cluster_name,
    localities,
    overprovisioningFactor: factor,
    weightedPriorityHealth: assignment.policy?.weighted_priority_health === true,
    version,
  };
}

const statuses = {
  UNKNOWN: 'unknown',
  HEALTHY: 'healthy',
  UNHEALTHY: 'unhealthy',
  DRAINING: 'draining',
  TIMEOUT: 'timeout',
  DEGRADED: 'degraded',
} as const;

const health = {
  UNKNOWN: 'healthy',
  HEALTHY: 'healthy',
  UNHEALTHY: 'unhealthy',
  DRAINING: 'draining',
  TIMEOUT: 'unhealthy',
  DEGRADED: 'degraded',
} as const;

function endpointFromXds(
  lb: Decoded<typeof LbEndpoint>,
  names: boolean,
  problems: Problems,
): EndpointConfig | undefined {
  const { endpoint } = lb;
  if (endpoint === undefined) {
    problems.add('required', 'endpoint');
    return undefined;
  }
  const address = problems.within('endpoint', () =>
    problems.within('address', () => addressFromXds(endpoint.address, names, problems)),
  );
  if (address?.kind === 'ip' && address.port === 0) {
    problems.add('must not be 0', 'endpoint.address.socket_address.port_value');
  }
  if (lb.load_balancing_weight === 0) {
    problems.add('must be at least 1', 'load_balancing_weight');
  }
  const additional = problems.within('endpoint', () =>
    present(
      problems.each('additional_addresses', endpoint.additional_addresses, (entry) =>
        problems.within('address', () => addressFromXds(entry.address, false, problems)),
      ),
    ),
  );
  if (additional.some(({ kind }) => kind !== 'ip') || (additional.length > 0 && address?.kind !== 'ip')) {
    problems.add('only IP addresses can stand beside each other', 'endpoint.additional_addresses');
  }
  const healthCheck = problems.within('endpoint', () =>
    problems.within('health_check_config', () => endpointHealthCheckFromXds(endpoint.health_check_config, problems)),
  );
  const lbMetadata = lb.metadata?.filter_metadata.get('envoy.lb');
  const socketMatch = lb.metadata?.filter_metadata.get('envoy.transport_socket_match');
  return address === undefined
    ? undefined
    : {
        address,
        hostname: endpoint.hostname,
        health: health[lb.health_status],
        status: statuses[lb.health_status],
        weight: lb.load_balancing_weight ?? 1,
        ...(lbMetadata === undefined ? {} : { lbMetadata }),
        ...(additional.length === 0 ? {} : { additionalAddresses: additional }),
        ...(healthCheck === undefined ? {} : { healthCheck }),
        transportSocketMatch:
          socketMatch === undefined
            ? {}
            : problems.within('metadata', () =>
                labelsFromStruct(socketMatch, 'envoy.transport_socket_match', problems),
              ),
        workload: workloadFromMetadata(lb.metadata),
      };
}

/** Istio's `istio.workload`: `name;namespace;canonical name;canonical revision;cluster`. Empty parts are unknown. */
function workloadFromMetadata(metadata: Decoded<typeof Metadata> | undefined): WorkloadLabels | undefined {
  const text = stringAt(metadata?.filter_metadata.get('istio'), 'workload');
  if (text === undefined) {
    return undefined;
  }
  const [workload, namespace, canonicalName, canonicalRevision, cluster] = text.split(';');
  const known = (part: string | undefined): string => (part === undefined || part === '' ? 'unknown' : part);
  return {
    workload: known(workload),
    namespace: known(namespace),
    canonicalName: known(canonicalName),
    canonicalRevision: known(canonicalRevision),
    cluster: known(cluster),
  };
}

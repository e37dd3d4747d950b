/** Endpoints of a cluster. */
import { Address, Locality, Metadata } from './core-schema.ts';
import { bool, enumeration, message, nested, repeated, string, uint32, uint32Value } from './schema.ts';

export const EndpointHealthCheckConfig = message('envoy.config.endpoint.v3.Endpoint.HealthCheckConfig', {
  port_value: uint32(1),
  hostname: string(2),
  address: nested(3, Address),
  disable_active_health_check: bool(4),
});

export const EndpointAdditionalAddress = message('envoy.config.endpoint.v3.Endpoint.AdditionalAddress', {
  address: nested(1, Address),
});

export const Endpoint = message('envoy.config.endpoint.v3.Endpoint', {
  address: nested(1, Address),
  health_check_config: nested(2, EndpointHealthCheckConfig),
  hostname: string(3),
  additional_addresses: repeated(nested(4, EndpointAdditionalAddress)),
});

export const LbEndpoint = message(
  'envoy.config.endpoint.v3.LbEndpoint',
  {
    endpoint: nested(1, Endpoint),
    health_status: enumeration(2, 'UNKNOWN=0 HEALTHY=1 UNHEALTHY=2 DRAINING=3 TIMEOUT=4 DEGRADED=5'),
    metadata: nested(3, Metadata),
    load_balancing_weight: uint32Value(4),
  },
  '5:endpoint_name',
);

export const LocalityLbEndpoints = message(
  'envoy.config.endpoint.v3.LocalityLbEndpoints',
  {
    locality: nested(1, Locality),
    lb_endpoints: repeated(nested(2, LbEndpoint)),
    load_balancing_weight: uint32Value(3),
    priority: uint32(5),
  },
  '6:proximity 7:load_balancer_endpoints 8:leds_cluster_locality_config 9:metadata',
);

export const ClusterLoadAssignmentPolicy = message(
  'envoy.config.endpoint.v3.ClusterLoadAssignment.Policy',
  { overprovisioning_factor: uint32Value(3), weighted_priority_health: bool(6) },
  '2:drop_overloads 4:endpoint_stale_after',
);

export const ClusterLoadAssignment = message(
  'envoy.config.endpoint.v3.ClusterLoadAssignment',
  {
    cluster_name: string(1),
    endpoints: repeated(nested(2, LocalityLbEndpoints)),
    policy: nested(4, ClusterLoadAssignmentPolicy),
  },
  '5:named_endpoints',
);

import { isIP } from 'node:net';
import type { AgentBootstrap, HostPort } from '@weft/agent';
import { statsConfig } from './stats-tags.ts';

/** What the generated bootstrap needs besides the agent's own. */
export interface EnvoyBootstrapOptions {
  /** Unix socket of our SDS server. */
  readonly secretSocket: string;
  /** Open connections at most. Default 20,000. */
  readonly maxConnections?: number;
  /** Heap at which Envoy stops accepting, bytes. Default 512 MiB. */
  readonly maxHeapBytes?: number;
}

const xdsCluster = 'weft-xds';
/** Named by the `default` secret's source in what the control plane sends. */
const secretCluster = 'sds-grpc';

const gib = 1024 ** 3;

/**
 * Envoy's bootstrap (`envoy.config.bootstrap.v3.Bootstrap`, proto3 JSON): delta ADS and load reports over mutual TLS, its own
 * key pair by SDS from the agent, admin on loopback, limits for overload.
 */
export function envoyBootstrap(agent: AgentBootstrap, options: EnvoyBootstrapOptions): Record<string, unknown> {
  const { node, admin, localCluster } = agent;
  return {
    node: {
      id: node.id,
      cluster: node.cluster,
      metadata: node.metadata,
      locality: { region: node.locality.region, zone: node.locality.zone, sub_zone: node.locality.subZone },
    },
    admin: { address: socketAddress({ host: admin.address, port: admin.port }) },
    dynamic_resources: {
      ads_config: grpcSource('DELTA_GRPC', xdsCluster),
      lds_config: { resource_api_version: 'V3', ads: {} },
      cds_config: { resource_api_version: 'V3', ads: {} },
    },
    cluster_manager: {
      load_stats_config: grpcSource('GRPC', xdsCluster),
      ...(localCluster === undefined ? {} : { local_cluster_name: localCluster }),
    },
    static_resources: {
      clusters: [
        controlPlaneCluster(agent),
        secretServiceCluster(options.secretSocket),
        ...(localCluster === undefined ? [] : [peersCluster(localCluster)]),
      ],
    },
    stats_config: statsConfig,
    // Envoy takes the version of HTTP from ALPN only where every transport socket of a cluster has it. Ours have plaintext beside
    // mutual TLS, for endpoints without a sidecar; there it speaks HTTP/1.1.
    layered_runtime: {
      layers: [{ name: 'weft', static_layer: { 'config.do_not_validate_alpn_support': 100 } }],
    },
    overload_manager: overload(options.maxConnections ?? 20_000, options.maxHeapBytes ?? gib / 2),
  };
}

function grpcSource(apiType: string, cluster: string): Record<string, unknown> {
  return {
    api_type: apiType,
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: cluster } }],
  };
}

/** The connection is mutual TLS; the name in the server's certificate is checked, so that no workload can pose as the control plane. */
function controlPlaneCluster({ xds, identity }: AgentBootstrap): Record<string, unknown> {
  const name = xds.serverName ?? xds.address.host;
  const sanType = isIP(name) === 0 ? 'DNS' : 'IP_ADDRESS';
  return {
    ...http2Cluster(xdsCluster, [xds.address]),
    type: isIP(xds.address.host) === 0 ? 'STRICT_DNS' : 'STATIC',
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
        ...(sanType === 'DNS' ? { sni: name } : {}),
        common_tls_context: {
          tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
          alpn_protocols: ['h2'],
          tls_certificate_sds_secret_configs: [
            {
              name: 'default',
              sds_config: { resource_api_version: 'V3', api_config_source: grpcSource('GRPC', secretCluster) },
            },
          ],
          validation_context: {
            trusted_ca: { filename: identity.trustBundleFile },
            match_typed_subject_alt_names: [{ san_type: sanType, matcher: { exact: name } }],
          },
        },
      },
    },
  };
}

function secretServiceCluster(socket: string): Record<string, unknown> {
  return { ...http2Cluster(secretCluster, [{ pipe: socket }]), type: 'STATIC' };
}

/** Envoy takes no other than a static cluster for the local one; who is in it comes by EDS, if the control plane has it. */
function peersCluster(name: string): Record<string, unknown> {
  return {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: { resource_api_version: 'V3', ads: {} } },
  };
}

function http2Cluster(
  name: string,
  endpoints: readonly (HostPort | { readonly pipe: string })[],
): Record<string, unknown> {
  return {
    name,
    connect_timeout: '2s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '10s' } },
        },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: endpoints.map((endpoint) => ({
            endpoint: { address: 'pipe' in endpoint ? { pipe: { path: endpoint.pipe } } : socketAddress(endpoint) },
          })),
        },
      ],
    },
  };
}

function socketAddress({ host, port }: HostPort): Record<string, unknown> {
  return { socket_address: { address: host, port_value: port } };
}

function overload(maxConnections: number, maxHeapBytes: number): Record<string, unknown> {
  const config = 'type.googleapis.com/envoy.extensions.resource_monitors';
  return {
    refresh_interval: '0.25s',
    resource_monitors: [
      {
        name: 'envoy.resource_monitors.fixed_heap',
        typed_config: { '@type': `${config}.fixed_heap.v3.FixedHeapConfig`, max_heap_size_bytes: String(maxHeapBytes) },
      },
      {
        name: 'envoy.resource_monitors.global_downstream_max_connections',
        typed_config: {
          '@type': `${config}.downstream_connections.v3.DownstreamConnectionsConfig`,
          max_active_downstream_connections: String(maxConnections),
        },
      },
    ],
    actions: [
      {
        name: 'envoy.overload_actions.shrink_heap',
        triggers: [{ name: 'envoy.resource_monitors.fixed_heap', threshold: { value: 0.9 } }],
      },
      {
        name: 'envoy.overload_actions.stop_accepting_requests',
        triggers: [{ name: 'envoy.resource_monitors.fixed_heap', threshold: { value: 0.95 } }],
      },
    ],
  };
}

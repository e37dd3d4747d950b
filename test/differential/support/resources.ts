import { idField } from './backends.ts';
import { any, type ClusterSpec, type Configuration, type Json, type JsonObject } from './configuration.ts';

/** What both access logs say of a request. */
export const logFields: Readonly<Record<string, string>> = {
  id: `%REQ(${idField})%`,
  code: '%RESPONSE_CODE%',
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  route: '%ROUTE_NAME%',
  cluster: '%UPSTREAM_CLUSTER%',
  virtualCluster: '%VIRTUAL_CLUSTER_NAME%',
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
};

const address = (port: number): JsonObject => ({ socket_address: { address: '127.0.0.1', port_value: port } });

export function clusterResource(spec: ClusterSpec, ports: readonly number[]): JsonObject {
  return {
    name: spec.name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: spec.name,
      endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }],
    },
    ...spec.fields,
  };
}

/** The listener of a configuration, with its routes inside. */
export function listenerResource(configuration: Configuration, accessLogPath: string | undefined): JsonObject {
  const manager: Record<string, Json> = {
    stat_prefix: configuration.name,
    ...configuration.manager,
    http_filters: [
      ...(configuration.httpFilters ?? []),
      { name: 'router', typed_config: any('envoy.extensions.filters.http.router.v3.Router') },
    ],
    route_config: { name: configuration.name, validate_clusters: false, ...configuration.routes },
  };
  if (accessLogPath !== undefined) {
    manager['access_log'] = [
      {
        name: 'file',
        typed_config: any('envoy.extensions.access_loggers.file.v3.FileAccessLog', {
          path: accessLogPath,
          log_format: { json_format: logFields },
        }),
      },
    ];
  }
  return {
    name: configuration.name,
    address: address(0),
    filter_chains: [
      {
        filters: [
          {
            name: 'hcm',
            typed_config: any(
              'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              manager,
            ),
          },
        ],
      },
    ],
  };
}

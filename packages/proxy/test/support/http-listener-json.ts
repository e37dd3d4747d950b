import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';

/** A listener on port 0 of loopback, as JSON. @param manager fields of its connection manager, the routes among them. */
export function httpListener(manager: JsonObject): JsonObject {
  const filters = 'type.googleapis.com/envoy.extensions.filters';
  const typed_config = {
    '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'test',
    http_filters: [
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${filters}.http.router.v3.Router` } },
    ],
    ...manager,
  };
  return {
    name: 'listener',
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config }] }],
  };
}

/** The same with these routes for every host. */
export function listenerOfRoutes(routes: readonly JsonObject[]): JsonObject {
  return httpListener({
    route_config: { name: 'routes', virtual_hosts: [{ name: 'all', domains: ['*'], routes: [...routes] }] },
  });
}

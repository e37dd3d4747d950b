import type { JsonObject } from '../../src/runtime-config/wire/schema.ts';

/** A cluster with one endpoint on loopback, as JSON. */
export function staticCluster(name: string, port: number, more: JsonObject = {}): JsonObject {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    ...{ name, type: 'STATIC', connect_timeout: '10s' },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...more,
  };
}

import type { ListenerStatus } from '../data-plane.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type { AdminContext } from './admin-context.ts';

/** One line a listener: `name::address`. */
export function listenersText(context: AdminContext): string {
  return context.dataPlane
    .listeners()
    .map((listener) => `${listener.name}::${listenerAddress(listener)}\n`)
    .join('');
}

/** `envoy.admin.v3.Listeners`, with the state and what a warming listener waits for. */
export function listenersJson(context: AdminContext): JsonObject {
  return {
    listener_statuses: context.dataPlane.listeners().map((listener) => ({
      name: listener.name,
      local_address: addressJson(listener),
      state: listener.state,
      ...(listener.waitingFor.length === 0 ? {} : { waiting_for: listener.waitingFor }),
      connections_active: listener.connectionsActive,
      ...(listener.detected.size === 0 ? {} : { detected_protocols: Object.fromEntries(listener.detected) }),
    })),
  };
}

function addressJson({ address, port }: ListenerStatus): JsonObject {
  return address.startsWith('/') ? { pipe: { path: address } } : { socket_address: { address, port_value: port } };
}

/** `ip:port`, `[ip6]:port` or the path of a pipe. */
function listenerAddress({ address, port }: ListenerStatus): string {
  if (address.startsWith('/')) {
    return address;
  }
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

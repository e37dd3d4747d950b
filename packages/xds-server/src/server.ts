import { type ChannelOptions, type Server, status } from '@grpc/grpc-js';
import { type BytesCall, endCall } from './call.ts';
import { ClientRegistry } from './client-registry.ts';
import type { ClientState } from './client-state.ts';
import { serveDiscovery } from './discovery-session.ts';
import { discoveryServices, loadReportingService, statusService } from './grpc-services.ts';
import { serveLoadReports } from './load-session.ts';
import type { XdsServerOptions } from './options.ts';
import { settingsFrom } from './settings.ts';
import type { Snapshot } from './snapshot.ts';
import { answerStatus, serveStatusStream } from './status-service.ts';

/**
 * Options for the `grpc.Server` that serves xDS: peers that vanished are noticed within half a minute, a connection is
 * renewed after about half an hour (clients spread over replicas and take up renewed certificates), sizes are bounded.
 */
export const grpcServerOptions: ChannelOptions = {
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': 100,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_connection_age_ms': 30 * 60_000,
  'grpc.max_connection_age_grace_ms': 10_000,
};

/** Serves snapshots to xDS clients. */
export interface XdsServer {
  /** Adds ADS, the per-type services, CSDS and LRS. To be called once for each gRPC server that serves them. */
  addTo(server: Server): void;
  /**
   * What the client with this key should have from now on; kept while it is away. Cheap when little changed. A snapshot
   * must be complete and consistent: see `findInconsistencies`. One that is older than the current one is not published.
   */
  setSnapshot(clientKey: string, snapshot: Snapshot): void;
  /** Forgets the client's snapshot; open streams of the key end with UNAVAILABLE. */
  removeClient(clientKey: string): void;
  /** The clients that are connected now, in order of their keys. */
  clients(): readonly ClientState[];
  /** The state of one client; undefined when it is not connected. */
  client(clientKey: string): ClientState | undefined;
  /** Ends every stream (UNAVAILABLE: clients come back) and lets go of every timer. */
  close(): void;
}

/** An xDS server without a transport: add it to a `grpc.Server` that was made with {@link grpcServerOptions}. */
export function createXdsServer(options: XdsServerOptions): XdsServer {
  const settings = settingsFrom(options);
  const registry = new ClientRegistry({
    logger: options.logger,
    maxStreamsPerClient: settings.limits.maxStreamsPerClient,
    onConnect: (client) => options.onConnect?.(client),
    onDisconnect: (client) => options.onDisconnect?.(client),
    onChange: (client, change) => options.onChange?.(client, change),
  });
  const loadStreams = new Set<BytesCall>();
  return {
    addTo(server) {
      for (const { definition, handlers } of discoveryServices(
        (method) => (call) => serveDiscovery(call, method, options, settings, registry),
      )) {
        server.addService(definition, handlers);
      }
      const statusDefinition = statusService(
        (call) => serveStatusStream(call, options, registry),
        (call, callback) => {
          const answer = answerStatus(call, call.request, options, registry);
          if ('code' in answer) {
            callback({ code: status[answer.code], details: answer.message });
          } else {
            callback(null, answer);
          }
        },
      );
      server.addService(statusDefinition.definition, statusDefinition.handlers);
      const load = loadReportingService((call) => serveLoadReports(call, options, settings, loadStreams));
      server.addService(load.definition, load.handlers);
    },
    setSnapshot: (clientKey, snapshot) => registry.setSnapshot(clientKey, snapshot),
    removeClient: (clientKey) => registry.forget(clientKey),
    clients: () => registry.states(),
    client: (clientKey) => registry.state(clientKey),
    close() {
      registry.endAll('the control plane stops');
      for (const call of [...loadStreams]) {
        endCall(call, 'UNAVAILABLE', 'the control plane stops');
      }
    },
  };
}

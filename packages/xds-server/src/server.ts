import type { ChannelOptions, Server } from '@grpc/grpc-js';
import type { ClientState } from './client-state.ts';
import type { Snapshot } from './snapshot.ts';

/** Serves snapshots to xDS clients. */
export interface XdsServer {
  /** Adds ADS, the per-type services, CSDS and LRS. To be called once for each gRPC server that serves them. */
  addTo(server: Server): void;
  /**
   * What the client with this key should have from now on; kept while it is away. Cheap when little changed. A snapshot
   * must be complete and consistent: see `findInconsistencies`.
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

export type {
  ClientNode,
  ClientState,
  ConnectedClient,
  NackRecord,
  RefusedResource,
  SyncStatus,
  TypeSyncState,
} from './client-state.ts';
export { findInconsistencies } from './consistency.ts';
export { createSnapshot, encodeResource, type ResourceInput } from './create-snapshot.ts';
export type {
  Admission,
  ClientChange,
  LoadReport,
  RejectCode,
  XdsServerLimits,
  XdsServerOptions,
} from './options.ts';
export type { Peer } from './peer.ts';
export { createXdsServer, grpcServerOptions, type XdsServer } from './server.ts';
export type { EncodedResource, Snapshot } from './snapshot.ts';

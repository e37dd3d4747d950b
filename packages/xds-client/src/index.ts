export type { GrpcCallHandlers } from './grpc/call.ts';
export {
  type ClientCredentials,
  createGrpcChannel,
  type GrpcAddress,
  type GrpcChannel,
  type GrpcChannelOptions,
  type GrpcStream,
} from './grpc/channel.ts';
export type { GrpcCode, GrpcStatus } from './grpc/status.ts';
export {
  createLoadReporter,
  type LoadReporter,
  type LoadReporterOptions,
  type LoadReportRequest,
} from './load-reporter.ts';
export type {
  DemandResult,
  ResourceState,
  XdsClient,
  XdsClientOptions,
  XdsClientState,
} from './options.ts';
export type { DecodeResult, Reference, ResourceType } from './resource-type.ts';
export type { ResourceChange, UpdateBatch } from './update.ts';
export { createXdsClient } from './xds-client.ts';

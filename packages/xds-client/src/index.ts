export { type ClientCredentials, createGrpcChannel, type GrpcAddress, type GrpcChannel } from './grpc/channel.ts';
export { createLoadReporter, type LoadReporter, type LoadReporterOptions } from './load-reporter.ts';
export type { DecodeResult, Reference, ResourceType } from './resource-type.ts';
export type { ResourceChange, UpdateBatch } from './update.ts';
export { createXdsClient, type DemandResult, type XdsClient, type XdsClientOptions, type XdsClientState } from './xds-client.ts';

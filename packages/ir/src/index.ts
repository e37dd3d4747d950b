export { canonical, canonicalText } from './canonical.ts';
export {
  type CircuitLimits,
  type ClusterDiscovery,
  type ClusterProtocol,
  type ClusterTls,
  type MutualTls,
  type OutboundCluster,
  type Protocol,
  unlimited,
} from './cluster.ts';
export type { ClusterEndpoints, Endpoint, WorkloadLabels } from './endpoint.ts';
export {
  type Destination,
  type DirectResponseAction,
  type ForwardAction,
  type HeaderChanges,
  type HeaderEdits,
  type HeaderMatch,
  type HeaderValue,
  type HttpAction,
  type HttpMatch,
  type HttpRoute,
  type HttpRoutes,
  noHeaderEdits,
  type PathMatch,
  type PathRewrite,
  type QueryMatch,
  type RedirectAction,
  type RetryPolicy,
  type StringMatch,
} from './http-route.ts';
export { mergeOrigins, type OriginRef, originKey } from './origin.ts';
export { type IrProblem, validate } from './validate.ts';
export type {
  AutoUpstream,
  Engine,
  HttpProxy,
  HttpUpstream,
  Inbound,
  ListenAddress,
  TcpUpstream,
  Upstream,
  VirtualHost,
  Workload,
  WorkloadIr,
} from './workload-ir.ts';

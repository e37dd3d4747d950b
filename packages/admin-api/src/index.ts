export type { CheckList, CheckResult } from './checks.ts';
export type {
  EffectiveExplanation,
  ExplainedSection,
  ExplainedStep,
  ExplainedValue,
  RequestExplanation,
} from './explain.ts';
export type { JoinTokenRequest, JoinTokenResponse, PageLogin, TrustBundleInfo } from './join.ts';
export { adminPaths, adminPrefix } from './paths.ts';
export type { Preview, PreviewedChange, PreviewRequest } from './preview.ts';
export type {
  ConfigDump,
  DumpedResource,
  Nack,
  ProxyDetail,
  ProxyList,
  ProxySummary,
  SyncState,
  TypeShortName,
  TypeSync,
} from './proxies.ts';
export type {
  Edge,
  EdgeList,
  InstanceSummary,
  MtlsMode,
  MtlsState,
  Overview,
  PortAdvice,
  RecentError,
  SeenProtocol,
  ServicePort,
  ServiceSummary,
  TcpTraffic,
  Traffic,
} from './traffic.ts';
export { type Outcome, outcomeOf, rateText } from './traffic-text.ts';
export type { ControlPlaneEndpoints, ControlPlaneFile, VersionInfo } from './version.ts';

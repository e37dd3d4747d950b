export { type DefaultsName, defaultsNameFrom } from './defaults.ts';
export type { EffectiveExplanation, ExplainedSection, ExplainedValue } from './explain/effective.ts';
export { type AskedName, explainName } from './explain/explain-name.ts';
export { explainRequest, type RequestExplanation } from './explain/explain-request.ts';
export type { ExplainedRequest } from './explain/match-request.ts';
export type { ExplainedStep } from './explain/request-walk.ts';
export { clusterLoadAssignment, loadAssignments, type OnDemandAnswer, virtualHostOnDemand } from './on-demand.ts';
export { proxyMessages } from './proxy-messages.ts';
export type { MeshSettings } from './settings.ts';
export { defaultMeshSettings } from './settings.ts';
export type { Instance } from './state/instances.ts';
export { type ChangeEffect, MeshState, type ResourceChange } from './state/mesh-state.ts';
export type { MutualTlsMode } from './state/peer-authentication-index.ts';
export type { ServiceModel, ServicePortModel } from './state/service-model.ts';
export {
  type GatewayApiStatus,
  gatewayApiStatus,
  gatewayControllerName,
  routeGroup,
} from './status/gateway-api-status.ts';
export type { GatewayCondition } from './status/gateway-condition.ts';
export type { ListenerStatus } from './status/listener-status.ts';
export { type ResourceStatus, resourceStatus, type StatusCondition } from './status/resource-status.ts';
export { workloadIr } from './to-ir/workload-ir.ts';
export type { XdsMessage } from './to-xds/message.ts';
export { endpointNames, xdsFromIr } from './to-xds/xds-from-ir.ts';

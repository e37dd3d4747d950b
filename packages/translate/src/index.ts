export { clusterLoadAssignment, type OnDemandAnswer, virtualHostOnDemand } from './on-demand.ts';
export type { MeshSettings } from './settings.ts';
export { defaultMeshSettings } from './settings.ts';
export { type ChangeEffect, MeshState, type ResourceChange } from './state/mesh-state.ts';
export { workloadIr } from './to-ir/workload-ir.ts';
export type { XdsMessage } from './to-xds/message.ts';
export { endpointNames, xdsFromIr } from './to-xds/xds-from-ir.ts';

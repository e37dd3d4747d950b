export type { ControlPlaneConfig, ControlPlanePorts } from './config/config.ts';
export { readConfig } from './config/read-config.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';

export type { Bootstrap, BootstrapViolation } from './bootstrap/bootstrap.ts';
export { type BootstrapResult, parseBootstrap } from './bootstrap/parse-bootstrap.ts';
export type { DataPlane, DataPlaneOptions, SecretMaterial, SecretSource } from './data-plane.ts';
export { resourceTypes } from './runtime-config/from-xds/resource-types.ts';

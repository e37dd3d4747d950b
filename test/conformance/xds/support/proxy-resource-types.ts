/**
 * The client under test is our proxy's: its resource types and the assembly of its runtime configuration. The package's door is
 * a program, so that its parts are taken from where they are.
 */
export { RuntimeConfigAssembly } from '../../../../packages/proxy/src/runtime-config/assembly.ts';
export type { RuntimeConfig } from '../../../../packages/proxy/src/runtime-config/config.ts';
export { resourceTypes } from '../../../../packages/proxy/src/runtime-config/from-xds/resource-types.ts';

export { apiVersionOf, gvkOf, type Immutable } from './declare-kind.ts';
export { formatPath, joinPath, type PathSegment, parsePath } from './field-path.ts';
export type { KindDeclaration, NameFormat, PrinterColumn } from './kind.ts';
export { type ConfigMap, configMapKind } from './kinds/core/config-map.ts';
export { type Namespace, namespaceKind, namespaceNameLabel } from './kinds/core/namespace.ts';
export { type Secret, secretKind } from './kinds/core/secret.ts';
export { type Service, type ServicePort, serviceKind } from './kinds/core/service.ts';
export { type ServiceAccount, serviceAccountKind } from './kinds/core/service-account.ts';
export { type WorkloadEntry, workloadEntryKind } from './kinds/networking/workload-entry.ts';
export type { WorkloadEntrySpec } from './kinds/networking/workload-entry-validation.ts';
export {
  type ProxyInbound,
  type ProxyResource,
  type ProxySpec,
  type ProxyStatus,
  type ProxySync,
  type ProxyUpstream,
  proxyKind,
} from './kinds/weft/proxy.ts';
export type {
  Condition,
  GroupVersionKind,
  KubeObject,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
} from './object.ts';
export { gvk, kindFor, kindForResource, kinds } from './registry.ts';
export type { ListOptions, ListResult, ResourceClient, WatchEvent, WatchHandlers } from './resource-client.ts';
export { parseApiVersion, type Validated, type ValidateOptions, validateObject } from './validate-object.ts';
export type { Violation, ViolationCode } from './violation.ts';

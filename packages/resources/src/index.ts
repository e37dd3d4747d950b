export type { KindDeclaration, PrinterColumn } from './kind.ts';
export type {
  Condition,
  GroupVersionKind,
  KubeObject,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
} from './object.ts';
export type {
  DeletePreconditions,
  ListOptions,
  ListResult,
  ResourceClient,
  WatchEvent,
  WatchHandlers,
} from './resource-client.ts';
export type { Violation, ViolationCode } from './violation.ts';

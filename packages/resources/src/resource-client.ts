import type { Unsubscribe } from '@weft/base';
import type { GroupVersionKind, KubeObject } from './object.ts';

/** Selects objects of one kind. */
export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  /** Kubernetes syntax: `app=reviews,version in (v1,v2)`. */
  readonly labelSelector?: string;
  /** Kubernetes syntax: `metadata.name=reviews`. */
  readonly fieldSelector?: string;
}

export interface ListResult<T extends KubeObject = KubeObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** What must hold of the stored object for a delete to happen (`meta.v1.Preconditions`). */
export interface DeletePreconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface WatchHandlers<T extends KubeObject = KubeObject> {
  readonly onEvent: (event: WatchEvent<T>) => void;
  /** The watch ended: with 410 Gone the caller lists again; with other errors it may resume from its last version. */
  readonly onEnd: (reason: { readonly code: number; readonly message: string }) => void;
}

/**
 * A Kubernetes-style API as controllers see it. Two implementations: in process against Weft's own API server, and over
 * HTTPS against any Kubernetes API server. Errors are `MeshError`s: `NOT_FOUND`, `CONFLICT`, `INVALID`, `FORBIDDEN`,
 * `UNAVAILABLE`.
 */
export interface ResourceClient {
  list<T extends KubeObject>(gvk: GroupVersionKind, options?: ListOptions): Promise<ListResult<T>>;
  get<T extends KubeObject>(gvk: GroupVersionKind, name: string, namespace?: string): Promise<T>;
  watch<T extends KubeObject>(
    gvk: GroupVersionKind,
    options: ListOptions & { readonly resourceVersion: string },
    handlers: WatchHandlers<T>,
  ): Unsubscribe;
  create<T extends KubeObject>(object: T): Promise<T>;
  /** Replaces; a `metadata.resourceVersion` that is not the stored one is a `CONFLICT`. */
  update<T extends KubeObject>(object: T): Promise<T>;
  /** RFC 7386 merge patch. */
  patch<T extends KubeObject>(
    gvk: GroupVersionKind,
    name: string,
    namespace: string | undefined,
    patch: unknown,
    options?: { readonly subresource?: 'status' },
  ): Promise<T>;
  /** Server-side apply; conflicts are taken over when `force`. */
  apply<T extends KubeObject>(
    object: T,
    options: { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<T>;
  /** Deletes; preconditions that do not hold are a `CONFLICT`, an object that is not there is a `NOT_FOUND`. */
  delete(gvk: GroupVersionKind, name: string, namespace?: string, preconditions?: DeletePreconditions): Promise<void>;
}

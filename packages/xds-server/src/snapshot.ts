import type { TypeUrl } from '@weft/xds-types';

/** One resource, encoded once and shared by all streams. */
export interface EncodedResource {
  readonly typeUrl: TypeUrl;
  readonly name: string;
  /** Hash of the content: equal versions mean equal bytes. */
  readonly version: string;
  /** The serialized message (the `value` of the `Any`). */
  readonly value: Uint8Array;
  /** Further names a client may subscribe to it by (on-demand virtual hosts). Delta only. Default none. */
  readonly aliases?: readonly string[];
  /** How long a client may use it without hearing of it again; the server sends heartbeats in time. Default: for ever. */
  readonly ttlMs?: number;
}

/**
 * All that one proxy should have. Immutable; a change is a new snapshot that shares what did not change: a type whose
 * map is the same object is known to be unchanged without looking into it ({@link createSnapshot} takes care of that).
 * A type that is absent from `resources` has no resources.
 */
export interface Snapshot {
  /** Store version this snapshot was computed from; grows, compared as a number. */
  readonly storeVersion: number;
  readonly resources: ReadonlyMap<TypeUrl, ReadonlyMap<string, EncodedResource>>;
}

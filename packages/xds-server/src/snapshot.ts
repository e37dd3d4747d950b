import type { TypeUrl } from '@weft/xds-types';

/** One resource, encoded once and shared by all streams. */
export interface EncodedResource {
  readonly typeUrl: TypeUrl;
  readonly name: string;
  /** Hash of the content: equal versions mean equal bytes. */
  readonly version: string;
  /** The serialized message (the `value` of the `Any`). */
  readonly value: Uint8Array;
}

/**
 * All that one proxy should have. Immutable; a change is a new snapshot that shares what did not change.
 * A type that is absent from `resources` has no resources.
 */
export interface Snapshot {
  /** Store version this snapshot was computed from; grows, compared as a number. */
  readonly storeVersion: number;
  readonly resources: ReadonlyMap<TypeUrl, ReadonlyMap<string, EncodedResource>>;
}

import type { Reference } from '../resource-type.ts';

/** A version of a resource that was decoded and found valid. */
export interface Accepted {
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
  readonly ttlMs: number | undefined;
  readonly bytes: Uint8Array;
  readonly value: unknown;
  readonly references: readonly Reference[];
}

/** All that is known about one name of one type. */
export interface Entry {
  readonly name: string;
  /** The newest valid version. */
  accepted: Accepted | undefined;
  /** The version in use: older than `accepted` while that one is warming. */
  active: Accepted | undefined;
  /** The server said that it does not exist. */
  missing: boolean;
  /** Nobody answered within the fetch timeout. */
  timedOut: boolean;
  /** Monotonic time at which the fetch times out; undefined: nobody was asked, or an answer came. */
  fetchDeadlineMs: number | undefined;
  /** Monotonic time at which the resource expires. */
  expiresAtMs: number | undefined;
  refused: { readonly version: string; readonly reason: string; readonly atMs: number } | undefined;
  /** Wall-clock time at which `accepted` was set. */
  updatedAtMs: number | undefined;
}

export function newEntry(name: string): Entry {
  return {
    name,
    accepted: undefined,
    active: undefined,
    missing: false,
    timedOut: false,
    fetchDeadlineMs: undefined,
    expiresAtMs: undefined,
    refused: undefined,
    updatedAtMs: undefined,
  };
}

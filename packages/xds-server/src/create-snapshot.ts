import { createHash } from 'node:crypto';
import { invariant } from '@weft/base';
import type { TypeUrl } from '@weft/xds-types';
import type { EncodedResource, Snapshot } from './snapshot.ts';

/** A resource before it has a version. */
export interface ResourceInput {
  readonly typeUrl: TypeUrl;
  readonly name: string;
  /** The serialized message; owned by the snapshot from now on. */
  readonly value: Uint8Array;
  readonly aliases?: readonly string[];
  readonly ttlMs?: number;
}

/** Gives a resource its version, which is a hash of its content: equal on every replica and after a restart. */
export function encodeResource(input: ResourceInput): EncodedResource {
  const hash = createHash('sha256').update(input.value);
  for (const alias of input.aliases ?? []) {
    hash.update('\0').update(alias);
  }
  if (input.ttlMs !== undefined) {
    hash.update(`\0\0${input.ttlMs}`);
  }
  return { ...input, version: hash.digest('base64url').slice(0, 16) };
}

/**
 * Builds a snapshot that shares with `previous` every resource and every type that is the same, so that unchanged types
 * cost the server nothing.
 * @param resources no two with the same type and name.
 */
export function createSnapshot(
  storeVersion: number,
  resources: Iterable<EncodedResource>,
  previous?: Snapshot,
): Snapshot {
  const types = new Map<TypeUrl, Map<string, EncodedResource>>();
  for (const resource of resources) {
    let type = types.get(resource.typeUrl);
    if (type === undefined) {
      type = new Map();
      types.set(resource.typeUrl, type);
    }
    invariant(
      !type.has(resource.name),
      `two resources of one name in a snapshot: ${resource.typeUrl} ${resource.name}`,
    );
    const old = previous?.resources.get(resource.typeUrl)?.get(resource.name);
    type.set(resource.name, old?.version === resource.version ? old : resource);
  }
  const shared = new Map<TypeUrl, ReadonlyMap<string, EncodedResource>>();
  for (const [typeUrl, type] of types) {
    const old = previous?.resources.get(typeUrl);
    shared.set(typeUrl, old !== undefined && sameResources(old, type) ? old : type);
  }
  return { storeVersion, resources: shared };
}

function sameResources(a: ReadonlyMap<string, EncodedResource>, b: ReadonlyMap<string, EncodedResource>): boolean {
  if (a.size !== b.size) {
    return false;
  }
  for (const [name, resource] of b) {
    if (a.get(name) !== resource) {
      return false;
    }
  }
  return true;
}

import { createHash } from 'node:crypto';
import type { EncodedResource } from './snapshot.ts';

type Resources = ReadonlyMap<string, EncodedResource>;

const versions = new WeakMap<Resources, string>();
const aliasIndexes = new WeakMap<Resources, ReadonlyMap<string, EncodedResource>>();

/** No resources of a type at all. */
export const noResources: Resources = new Map();

/** Version of all resources of a type together: a hash of their names and versions, the same on every replica. */
export function typeVersionOf(resources: Resources): string {
  let version = versions.get(resources);
  if (version === undefined) {
    const hash = createHash('sha256');
    for (const name of [...resources.keys()].sort()) {
      hash.update(`${name}\0${resources.get(name)?.version}\0`);
    }
    version = hash.digest('base64url').slice(0, 16);
    versions.set(resources, version);
  }
  return version;
}

/** The resource that a client means by `name`: its own name, or one of its aliases. */
export function findByNameOrAlias(resources: Resources, name: string): EncodedResource | undefined {
  return resources.get(name) ?? aliasIndexOf(resources).get(name);
}

function aliasIndexOf(resources: Resources): ReadonlyMap<string, EncodedResource> {
  let index = aliasIndexes.get(resources);
  if (index === undefined) {
    const entries = [...resources.values()].flatMap((resource) =>
      (resource.aliases ?? []).map((alias) => [alias, resource] as const),
    );
    index = new Map(entries);
    aliasIndexes.set(resources, index);
  }
  return index;
}

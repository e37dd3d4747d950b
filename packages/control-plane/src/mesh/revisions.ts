import type { KubeObject } from '@weft/resources';

/** A resource as status speaks of it. */
export interface TrackedResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** Snapshots of this revision or a later one show the generation. */
  readonly revision: number;
  /** The object as it was last seen, with its status. */
  readonly object: KubeObject;
}

/** `group/kind/namespace/name`, as `originKey` of the IR. */
export function resourceKey(object: KubeObject): string {
  const slash = object.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash);
  return `${group}/${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Which revision each generation of each resource came with. */
export class Revisions {
  readonly #resources = new Map<string, TrackedResource>();

  get(key: string): TrackedResource | undefined {
    return this.#resources.get(key);
  }

  /** @param revision from which snapshots hold this state of the object; a new status alone keeps the old one. */
  put(object: KubeObject, revision: number): void {
    const key = resourceKey(object);
    const old = this.#resources.get(key);
    const { metadata } = object;
    const generation = metadata.generation ?? 0;
    const uid = metadata.uid ?? '';
    const same = old !== undefined && old.uid === uid && old.generation === generation;
    this.#resources.set(key, {
      apiVersion: object.apiVersion,
      kind: object.kind,
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      uid,
      generation,
      revision: same ? old.revision : revision,
      object,
    });
  }

  remove(object: KubeObject): void {
    this.#resources.delete(resourceKey(object));
  }
}

import { isDeepStrictEqual } from 'node:util';
import { MeshError } from '@weft/base';
import {
  type GroupVersionKind,
  type KubeObject,
  parseApiVersion,
  type ResourceClient,
  type WatchHandlers,
} from '@weft/resources';

type Loose = KubeObject & Record<string, unknown>;

/** A resource API in memory with the semantics that controllers rely on, for tests of what stands on top of it. */
export class MemoryApi {
  readonly #objects = new Map<string, Loose>();
  readonly #watches = new Map<string, Set<WatchHandlers>>();
  #revision = 100;
  /** How many writes there were, by `kind/name` and `status` or `spec`. */
  readonly writes: string[] = [];

  readonly client: ResourceClient = {
    list: async (kind) => ({
      items: [...this.#objects]
        .filter(([key]) => key.startsWith(`${kind.group}/${kind.kind}/`))
        .map(([, o]) => o) as never,
      resourceVersion: String(this.#revision),
    }),
    get: async (kind, name, namespace) => this.#need(keyOf(kind, name, namespace)) as never,
    watch: (kind, _options, handlers) => {
      const key = `${kind.group}/${kind.kind}`;
      const set = this.#watches.get(key) ?? new Set();
      this.#watches.set(key, set);
      set.add(handlers as never);
      return () => void set.delete(handlers as never);
    },
    create: async (object) => {
      const key = keyOfObject(object);
      if (this.#objects.has(key)) {
        throw new MeshError('CONFLICT', `${key} exists`);
      }
      const uid = `uid-${this.#revision + 1}`;
      return this.#store('ADDED', {
        ...object,
        metadata: { creationTimestamp: '2026-01-01T00:00:00Z', ...object.metadata, uid, generation: 1 },
      } as Loose) as never;
    },
    update: async (object) => {
      const old = this.#need(keyOfObject(object));
      return this.#change(old, {
        ...(object as Loose),
        ...(old['status'] === undefined ? {} : { status: old['status'] }),
      }) as never;
    },
    patch: async (kind, name, namespace, patch, options) => {
      const old = this.#need(keyOf(kind, name, namespace));
      const merged = mergePatch(old, patch) as Loose;
      if (options?.subresource === 'status') {
        this.writes.push(`${kind.kind}/${name} status`);
        return this.#store('MODIFIED', { ...old, status: merged['status'] } as Loose) as never;
      }
      return this.#change(old, merged) as never;
    },
    apply: async () => {
      throw new MeshError('INTERNAL', 'not needed here');
    },
    delete: async (kind, name, namespace, preconditions) => {
      const key = keyOf(kind, name, namespace);
      const old = this.#need(key);
      if (
        (preconditions?.uid !== undefined && preconditions.uid !== old.metadata.uid) ||
        (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== old.metadata.resourceVersion)
      ) {
        throw new MeshError('CONFLICT', `${key} is another one`);
      }
      this.#objects.delete(key);
      this.#revision += 1;
      this.#tell('DELETED', { ...old, metadata: { ...old.metadata, resourceVersion: String(this.#revision) } });
    },
  };

  /** Creates or replaces. */
  async put(object: KubeObject & Record<string, unknown>): Promise<KubeObject> {
    return this.#objects.has(keyOfObject(object)) ? this.client.update(object) : this.client.create(object);
  }

  #need(key: string): Loose {
    const object = this.#objects.get(key);
    if (object === undefined) {
      throw new MeshError('NOT_FOUND', `there is no ${key}`);
    }
    return object;
  }

  #change(old: Loose, wanted: Loose): Loose {
    this.writes.push(`${old.kind}/${old.metadata.name} spec`);
    const same = isDeepStrictEqual(withoutServerFields(old), withoutServerFields(wanted));
    const generation = (old.metadata.generation ?? 0) + (same ? 0 : 1);
    return this.#store('MODIFIED', {
      ...wanted,
      metadata: { ...old.metadata, ...wanted.metadata, uid: old.metadata.uid ?? '', generation },
    });
  }

  #store(type: 'ADDED' | 'MODIFIED', object: Loose): Loose {
    this.#revision += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
    this.#objects.set(keyOfObject(stored), stored);
    this.#tell(type, stored);
    return stored;
  }

  #tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Loose): void {
    const { group } = parseApiVersion(object.apiVersion);
    for (const handlers of this.#watches.get(`${group}/${object.kind}`) ?? []) {
      handlers.onEvent({ type, object });
    }
  }
}

function withoutServerFields({ metadata: _m, status: _s, ...rest }: Loose): unknown {
  return rest;
}

function keyOf(kind: GroupVersionKind, name: string, namespace: string | undefined): string {
  return `${kind.group}/${kind.kind}/${namespace ?? ''}/${name}`;
}

function keyOfObject(object: KubeObject): string {
  return keyOf(
    { ...parseApiVersion(object.apiVersion), kind: object.kind },
    object.metadata.name,
    object.metadata.namespace,
  );
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    return patch;
  }
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete result[key];
    } else {
      result[key] = mergePatch(result[key], value);
    }
  }
  return result;
}

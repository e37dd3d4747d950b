import { silentLogger } from '@weft/base';
import { type KindDeclaration, type KubeObject, kinds as servedKinds } from '@weft/resources';
import { ManualClock, seededRandom } from '@weft/testkit';
import { Authorizer } from '../../src/authz/authorizer.ts';
import type { AdmissionCheck } from '../../src/options.ts';
import { GarbageCollector } from '../../src/registry/garbage-collector.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { ServedResource } from '../../src/registry/served-resource.ts';
import type { WriteContext } from '../../src/registry/write-context.ts';
import { openSqliteStorage } from '../../src/storage/sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ObjectStore } from '../../src/store/object-store.ts';

export interface MemoryRegistry {
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly collector: GarbageCollector;
  readonly clock: ManualClock;
  readonly authorizer: Authorizer;
  /** A served resource by its plural, `services` or `roles.rbac.authorization.k8s.io`. */
  resource(key: string): ServedResource;
  context(changes?: Partial<WriteContext>): WriteContext;
  create(object: unknown, changes?: Partial<WriteContext>): Promise<KubeObject>;
  close(): Promise<void>;
}

/** A registry over SQLite in memory, with the namespaces `default` and `other`, a clock that stands still and a collector. */
export async function memoryRegistry(
  options: {
    readonly kinds?: readonly KindDeclaration[];
    readonly admission?: AdmissionCheck[];
    readonly storage?: Storage;
    readonly maxHistoryEvents?: number;
    readonly maxPendingWrites?: number;
  } = {},
): Promise<MemoryRegistry> {
  const kinds = options.kinds ?? servedKinds;
  const clock = new ManualClock();
  const store = await ObjectStore.open({
    storage: options.storage ?? openSqliteStorage({ path: ':memory:' }),
    resources: kinds.map((kind) => (kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`)),
    maxHistoryEvents: options.maxHistoryEvents ?? 1_000,
    maxPendingWrites: options.maxPendingWrites ?? 1_000,
    logger: silentLogger,
  });
  const authorizer = new Authorizer({
    list: (group, plural, namespace) => store.collection(`${plural}.${group}`).list(namespace),
    get revision() {
      return store.revision;
    },
  });
  const registry = new Registry({
    kinds,
    store,
    authorizer,
    clock,
    random: seededRandom(1),
    maxListLimit: 500,
    bookmarkIntervalMs: 60_000,
    systemNamespaces: ['default'],
    admission: options.admission ?? [],
  });
  const resource = (key: string): ServedResource => {
    const found = registry.resources.find((each) => each.key === key);
    if (found === undefined) {
      throw new Error(`no resource ${key}`);
    }
    return found;
  };
  const context = (changes: Partial<WriteContext> = {}): WriteContext => ({
    user: { username: 'admin', groups: ['system:masters'] },
    fieldManager: 'test',
    dryRun: false,
    fieldValidation: 'Strict',
    version: 'v1',
    subresource: undefined,
    force: false,
    warnings: [],
    ...changes,
  });
  const create = (body: unknown, changes: Partial<WriteContext> = {}): Promise<KubeObject> => {
    const { apiVersion, kind, metadata } = body as KubeObject;
    const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion];
    const found = registry.resourceOfKind(group, kind);
    if (found === undefined) {
      throw new Error(`no kind ${kind}`);
    }
    return registry.create(found, metadata.namespace, body, context({ version, ...changes }));
  };
  for (const name of ['default', 'other']) {
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const collector = new GarbageCollector(registry, clock, silentLogger);
  return {
    registry,
    store,
    collector,
    clock,
    authorizer,
    resource,
    context,
    create,
    close: async () => {
      await collector.stop();
      await store.close();
    },
  };
}

export function configMap(name: string, changes: Readonly<Record<string, unknown>> = {}): KubeObject {
  const { metadata, ...rest } = changes as { readonly metadata?: object };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ...metadata },
    ...rest,
  } as KubeObject;
}

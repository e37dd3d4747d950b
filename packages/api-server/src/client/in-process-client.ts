import { MeshError, type Unsubscribe } from '@weft/base';
import {
  type DeletePreconditions,
  type GroupVersionKind,
  type KubeObject,
  type ListOptions,
  type ListResult,
  parseApiVersion,
  type ResourceClient,
  type WatchHandlers,
} from '@weft/resources';
import type { UserInfo } from '../options.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { meshErrorOfStatus, StatusError } from '../registry/status-error.ts';
import type { WriteContext } from '../registry/write-context.ts';

/** The controllers of the same process act as this user. */
const controllerUser: UserInfo = {
  username: 'system:weft:control-plane',
  groups: ['system:masters', 'system:authenticated'],
};

/** {@link ResourceClient} on the registry itself: same validation, ownership and storage as over HTTP, with all rights. */
export class InProcessClient implements ResourceClient {
  readonly #registry: Registry;
  readonly #fieldManager: string;

  constructor(registry: Registry, fieldManager: string) {
    this.#registry = registry;
    this.#fieldManager = fieldManager;
  }

  async list<T extends KubeObject>(gvk: GroupVersionKind, options: ListOptions = {}): Promise<ListResult<T>> {
    return guarded(() => {
      const resource = this.#resource(gvk);
      const { items, metadata } = this.#registry.list(resource, options);
      return {
        items: items.map((object) => resource.inVersion(object, gvk.version) as T),
        resourceVersion: metadata.resourceVersion,
      };
    });
  }

  async get<T extends KubeObject>(gvk: GroupVersionKind, name: string, namespace?: string): Promise<T> {
    return guarded(() => {
      const resource = this.#resource(gvk);
      return resource.inVersion(this.#registry.get(resource, { namespace, name }), gvk.version) as T;
    });
  }

  watch<T extends KubeObject>(
    gvk: GroupVersionKind,
    options: ListOptions & { readonly resourceVersion: string },
    handlers: WatchHandlers<T>,
  ): Unsubscribe {
    try {
      const resource = this.#resource(gvk);
      return this.#registry.watch(resource, { ...options, allowBookmarks: true, sendInitialEvents: false }, (event) => {
        handlers.onEvent(
          event.type === 'BOOKMARK'
            ? { type: 'BOOKMARK', resourceVersion: event.resourceVersion }
            : { type: event.type, object: resource.inVersion(event.object, gvk.version) as T },
        );
      });
    } catch (error) {
      const status = error instanceof StatusError ? error : undefined;
      let ended = false;
      // As with a watch over the network, the end is told after the call has returned.
      queueMicrotask(() => {
        if (!ended) {
          handlers.onEnd({
            code: status?.code ?? 500,
            message: error instanceof Error ? error.message : String(error),
          });
        }
      });
      return () => {
        ended = true;
      };
    }
  }

  create<T extends KubeObject>(object: T): Promise<T> {
    return guarded(async () => {
      const { resource, version } = this.#resourceOf(object);
      const created = await this.#registry.create(resource, object.metadata.namespace, object, this.#context(version));
      return resource.inVersion(created, version) as T;
    });
  }

  update<T extends KubeObject>(object: T): Promise<T> {
    return guarded(async () => {
      const { resource, version } = this.#resourceOf(object);
      const { namespace, name } = object.metadata;
      const updated = await this.#registry.update(resource, { namespace, name }, object, this.#context(version));
      return resource.inVersion(updated, version) as T;
    });
  }

  patch<T extends KubeObject>(
    gvk: GroupVersionKind,
    name: string,
    namespace: string | undefined,
    patch: unknown,
    options: { readonly subresource?: 'status' } = {},
  ): Promise<T> {
    return guarded(async () => {
      const resource = this.#resource(gvk);
      const context = { ...this.#context(gvk.version), subresource: options.subresource };
      const patched = await this.#registry.patch(resource, { namespace, name }, 'merge', patch, context);
      return resource.inVersion(patched, gvk.version) as T;
    });
  }

  apply<T extends KubeObject>(
    object: T,
    options: { readonly fieldManager: string; readonly force?: boolean },
  ): Promise<T> {
    return guarded(async () => {
      const { resource, version } = this.#resourceOf(object);
      const { namespace, name } = object.metadata;
      const context = { ...this.#context(version), fieldManager: options.fieldManager, force: options.force === true };
      const applied = await this.#registry.apply(resource, { namespace, name }, object, context);
      return resource.inVersion(applied.object, version) as T;
    });
  }

  delete(
    gvk: GroupVersionKind,
    name: string,
    namespace?: string,
    preconditions: DeletePreconditions = {},
  ): Promise<void> {
    return guarded(async () => {
      await this.#registry.delete(this.#resource(gvk), { namespace, name }, preconditions, this.#context(gvk.version));
    });
  }

  #resource(gvk: GroupVersionKind): ServedResource {
    const found = this.#registry.resourceOfKind(gvk.group, gvk.kind);
    if (found === undefined || !found.declaration.versions.includes(gvk.version)) {
      throw new MeshError(
        'NOT_FOUND',
        `the API does not serve ${gvk.kind} of ${gvk.group === '' ? 'core' : gvk.group}/${gvk.version}`,
      );
    }
    return found;
  }

  #resourceOf(object: KubeObject): { readonly resource: ServedResource; readonly version: string } {
    const { group, version } = parseApiVersion(object.apiVersion);
    return { resource: this.#resource({ group, version, kind: object.kind }), version };
  }

  #context(version: string): WriteContext {
    return {
      user: controllerUser,
      fieldManager: this.#fieldManager,
      dryRun: false,
      fieldValidation: 'Strict',
      version,
      subresource: undefined,
      force: false,
      warnings: [],
    };
  }
}

async function guarded<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw meshErrorOfStatus(error);
  }
}

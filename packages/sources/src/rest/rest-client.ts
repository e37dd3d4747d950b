import type { Unsubscribe } from '@weft/base';
import {
  type GroupVersionKind,
  type KubeObject,
  type ListOptions,
  type ListResult,
  parseApiVersion,
  type ResourceClient,
  type WatchHandlers,
} from '@weft/resources';
import type { ApiConnection } from './connection.ts';
import { HttpTransport } from './http-transport.ts';
import { ResourcePaths } from './resource-paths.ts';
import { watchStream } from './watch-stream.ts';

/** A client that holds connections: close it. */
export interface RestClient extends ResourceClient {
  close(): void;
}

export interface RestClientOptions {
  readonly connection: ApiConnection;
  /** Recorded as the owner of the fields that are written. Default `weft`. */
  readonly fieldManager?: string;
}

/** How many objects a page of a list has. */
const pageSize = 500;

/** A client of any Kubernetes-style API over HTTPS. */
export function createRestClient({ connection, fieldManager = 'weft' }: RestClientOptions): RestClient {
  const transport = new HttpTransport(connection);
  const paths = new ResourcePaths(transport);
  const kindOf = (object: KubeObject): GroupVersionKind => ({
    ...parseApiVersion(object.apiVersion),
    kind: object.kind,
  });
  const pathOf = (object: KubeObject): Promise<string> =>
    paths.object(kindOf(object), object.metadata.name, object.metadata.namespace);
  return {
    async list<T extends KubeObject>(kind: GroupVersionKind, options: ListOptions = {}): Promise<ListResult<T>> {
      const path = await paths.collection(kind, options.namespace);
      const items: T[] = [];
      let next: string | undefined;
      for (;;) {
        const page = await transport.json<RawList<T>>({
          method: 'GET',
          path,
          query: { ...selectors(options), limit: String(pageSize), continue: next },
        });
        // Items of a list come without their type.
        const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
        items.push(...(page.items ?? []).map((item) => ({ ...item, apiVersion, kind: kind.kind })));
        next = page.metadata?.continue;
        if (next === undefined || next === '') {
          return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
        }
      }
    },
    async get<T extends KubeObject>(kind: GroupVersionKind, name: string, namespace?: string): Promise<T> {
      return transport.json({ method: 'GET', path: await paths.object(kind, name, namespace) });
    },
    watch<T extends KubeObject>(
      kind: GroupVersionKind,
      options: ListOptions & { readonly resourceVersion: string },
      handlers: WatchHandlers<T>,
    ): Unsubscribe {
      let stop: Unsubscribe | undefined;
      let open = true;
      paths.collection(kind, options.namespace).then(
        (path) => {
          if (open) {
            const query = {
              ...selectors(options),
              watch: 'true',
              allowWatchBookmarks: 'true',
              resourceVersion: options.resourceVersion,
            };
            stop = watchStream(transport, { method: 'GET', path, query }, handlers);
          }
        },
        (error: Error) => {
          if (open) {
            handlers.onEnd({ code: 0, message: error.message });
          }
        },
      );
      return () => {
        open = false;
        stop?.();
      };
    },
    async create<T extends KubeObject>(object: T): Promise<T> {
      const path = await paths.collection(kindOf(object), object.metadata.namespace);
      return transport.json({ method: 'POST', path, query: { fieldManager }, body: object });
    },
    async update<T extends KubeObject>(object: T): Promise<T> {
      return transport.json({ method: 'PUT', path: await pathOf(object), query: { fieldManager }, body: object });
    },
    async patch<T extends KubeObject>(
      kind: GroupVersionKind,
      name: string,
      namespace: string | undefined,
      patch: unknown,
      options: { readonly subresource?: 'status' } = {},
    ): Promise<T> {
      const path = await paths.object(kind, name, namespace);
      return transport.json({
        method: 'PATCH',
        path: options.subresource === undefined ? path : `${path}/${options.subresource}`,
        query: { fieldManager },
        contentType: 'application/merge-patch+json',
        body: patch,
      });
    },
    async apply<T extends KubeObject>(
      object: T,
      options: { readonly fieldManager: string; readonly force?: boolean },
    ): Promise<T> {
      return transport.json({
        method: 'PATCH',
        path: await pathOf(object),
        query: { fieldManager: options.fieldManager, force: options.force === true ? 'true' : undefined },
        contentType: 'application/apply-patch+yaml',
        body: object,
      });
    },
    async delete(kind, name, namespace, preconditions): Promise<void> {
      await transport.json({
        method: 'DELETE',
        path: await paths.object(kind, name, namespace),
        ...(preconditions === undefined ? {} : { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions } }),
      });
    },
    close: () => transport.close(),
  };
}

interface RawList<T> {
  readonly items?: readonly T[];
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

function selectors({ labelSelector, fieldSelector }: ListOptions): Readonly<Record<string, string | undefined>> {
  return { labelSelector, fieldSelector };
}

import { MeshError } from '@weft/base';
import { type KindDeclaration, type KubeObject, kindFor, parseApiVersion } from '@weft/resources';
import type { ApiClient } from './api-client.ts';

/** A server-side table (`meta.k8s.io/v1` Table). */
export interface ApiTable {
  readonly columnDefinitions: readonly { readonly name: string; readonly type: string; readonly priority: number }[];
  readonly rows: readonly {
    readonly cells: readonly unknown[];
    readonly object?: { readonly metadata?: { readonly namespace?: string } };
  }[];
}

const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** Selects and limits a list. */
export interface ListQuery {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** The verbs of the resource API on any kind that Weft knows. */
export class ResourceApi {
  readonly client: ApiClient;

  constructor(client: ApiClient) {
    this.client = client;
  }

  get<T extends KubeObject = KubeObject>(
    kind: KindDeclaration,
    namespace: string | undefined,
    name: string,
  ): Promise<T> {
    return this.client.json<T>({ path: pathOf(kind, namespace, name) });
  }

  /** undefined when there is none. */
  async find<T extends KubeObject = KubeObject>(
    kind: KindDeclaration,
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(kind, namespace, name);
    } catch (error) {
      if (error instanceof MeshError && error.code === 'NOT_FOUND') {
        return undefined;
      }
      throw error;
    }
  }

  async list<T extends KubeObject = KubeObject>(
    kind: KindDeclaration,
    namespace: string | undefined,
    query: ListQuery = {},
  ): Promise<T[]> {
    const answer = await this.client.json<{ readonly items: readonly T[] }>({
      path: withQuery(pathOf(kind, namespace), query),
    });
    // Items of a list leave out what the list's own kind says.
    return answer.items.map((item) => ({ ...item, apiVersion: apiVersionOf(kind), kind: kind.kind }));
  }

  table(
    kind: KindDeclaration,
    namespace: string | undefined,
    name: string | undefined,
    query: ListQuery = {},
  ): Promise<ApiTable> {
    return this.client.json<ApiTable>({ path: withQuery(pathOf(kind, namespace, name), query), accept: tableAccept });
  }

  create<T extends KubeObject>(object: T): Promise<T> {
    return this.client.json<T>({
      method: 'POST',
      path: pathOf(kindOf(object), object.metadata.namespace),
      body: object,
    });
  }

  /** Server-side apply. With `dryRun` nothing is stored; the result is what would be. */
  apply<T extends KubeObject>(
    object: T,
    options: { readonly fieldManager: string; readonly force?: boolean; readonly dryRun?: boolean },
  ): Promise<T> {
    const path = pathOf(kindOf(object), object.metadata.namespace, object.metadata.name);
    return this.client.json<T>({
      method: 'PATCH',
      path: withQuery(path, {
        fieldManager: options.fieldManager,
        force: options.force === true ? 'true' : undefined,
        dryRun: options.dryRun === true ? 'All' : undefined,
        fieldValidation: 'Strict',
      }),
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  }

  /** RFC 7386 merge patch. */
  patch<T extends KubeObject>(
    kind: KindDeclaration,
    namespace: string | undefined,
    name: string,
    patch: unknown,
  ): Promise<T> {
    return this.client.json<T>({
      method: 'PATCH',
      path: pathOf(kind, namespace, name),
      contentType: 'application/merge-patch+json',
      body: patch,
    });
  }

  /** Kubernetes' strategic merge patch: lists with a key are merged by it. */
  strategicMerge<T extends KubeObject>(
    kind: KindDeclaration,
    namespace: string | undefined,
    name: string,
    patch: unknown,
  ): Promise<T> {
    return this.client.json<T>({
      method: 'PATCH',
      path: pathOf(kind, namespace, name),
      contentType: 'application/strategic-merge-patch+json',
      body: patch,
    });
  }

  async delete(kind: KindDeclaration, namespace: string | undefined, name: string, dryRun = false): Promise<void> {
    await this.client.json<unknown>({
      method: 'DELETE',
      path: withQuery(pathOf(kind, namespace, name), dryRun ? { dryRun: 'All' } : {}),
    });
  }
}

/** `apiVersion` of the preferred version. */
export function apiVersionOf(kind: KindDeclaration): string {
  const [version = 'v1'] = kind.versions;
  return kind.group === '' ? version : `${kind.group}/${version}`;
}

/** @throws MeshError `NOT_FOUND` for a kind that this version of Weft does not know. */
export function kindOf(object: KubeObject): KindDeclaration {
  const { group, version } = parseApiVersion(object.apiVersion);
  const kind = kindFor(group, version, object.kind);
  if (kind === undefined) {
    throw new MeshError('NOT_FOUND', `there is no kind ${object.kind} in ${object.apiVersion}`);
  }
  return kind;
}

function pathOf(kind: KindDeclaration, namespace: string | undefined, name?: string): string {
  const [version = 'v1'] = kind.versions;
  const root = kind.group === '' ? `/api/${version}` : `/apis/${kind.group}/${version}`;
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${kind.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>> | ListQuery): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') {
      parameters.set(name, value);
    }
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

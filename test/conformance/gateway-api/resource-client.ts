import { type KubeObject, kindFor, parseApiVersion } from '@weft/resources';
import type { TestApi } from '@weft/testkit';

/** An object as the API gives it back, with whatever status it has. */
export interface StoredObject extends KubeObject {
  readonly status?: Readonly<Record<string, unknown>>;
}

/** The resource API by objects. */
export class ResourceClient {
  readonly #api: TestApi;

  constructor(api: TestApi) {
    this.#api = api;
  }

  async apply(object: KubeObject): Promise<void> {
    const path = `${pathOf(object)}?fieldManager=conformance&force=true`;
    await this.#send('PATCH', path, JSON.stringify(object), 'application/apply-patch+yaml');
  }

  /** A JSON merge patch. */
  async patch(object: KubeObject, patch: unknown): Promise<void> {
    await this.#send('PATCH', pathOf(object), JSON.stringify(patch), 'application/merge-patch+json');
  }

  async delete(object: KubeObject): Promise<void> {
    const { status } = await this.#api.request('DELETE', pathOf(object));
    if (status >= 300 && status !== 404) {
      throw new Error(`DELETE ${pathOf(object)} was answered ${status}`);
    }
  }

  /** undefined: there is none. */
  async find(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    name: string,
  ): Promise<StoredObject | undefined> {
    const path = pathOf({ apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
    const { status, body } = await this.#api.request('GET', path);
    return status === 200 ? (body as StoredObject) : undefined;
  }

  async list(apiVersion: string, kind: string, namespace: string): Promise<readonly StoredObject[]> {
    const path = pathOf({ apiVersion, kind, metadata: { name: '', namespace } });
    return ((await this.#send('GET', path.slice(0, -1))) as { readonly items: readonly StoredObject[] }).items;
  }

  async #send(method: string, path: string, body?: string, contentType?: string): Promise<unknown> {
    const answer = await this.#api.request(method, path, body, contentType);
    if (answer.status >= 300) {
      throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }
}

function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const { group, version } = parseApiVersion(apiVersion);
  const declared = kindFor(group, version, kind);
  if (declared === undefined) {
    throw new Error(`${apiVersion} ${kind} is not served`);
  }
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${place}/${declared.plural}/${metadata.name}`;
}

import { MeshError } from '@weft/base';
import type { GroupVersionKind } from '@weft/resources';
import type { HttpTransport } from './http-transport.ts';

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Finds the URL paths of kinds by asking the API (discovery), once for each group and version. */
export class ResourcePaths {
  readonly #transport: HttpTransport;
  readonly #versions = new Map<string, Promise<readonly ApiResource[]>>();

  constructor(transport: HttpTransport) {
    this.#transport = transport;
  }

  /** The path of a collection. @throws MeshError `NOT_FOUND` when the API does not serve the kind. */
  async collection(kind: GroupVersionKind, namespace: string | undefined): Promise<string> {
    const { base, resource } = await this.#find(kind);
    const inNamespace = resource.namespaced && namespace !== undefined;
    return `${base}${inNamespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${resource.name}`;
  }

  /** The path of an object. @throws MeshError `INVALID` when a namespaced object is asked for without its namespace. */
  async object(kind: GroupVersionKind, name: string, namespace: string | undefined): Promise<string> {
    const { resource } = await this.#find(kind);
    if (resource.namespaced && (namespace === undefined || namespace === '')) {
      throw new MeshError('INVALID', `${kind.kind} ${name} needs a namespace`);
    }
    return `${await this.collection(kind, namespace)}/${encodeURIComponent(name)}`;
  }

  async #find(kind: GroupVersionKind): Promise<{ readonly base: string; readonly resource: ApiResource }> {
    const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
    let resources = this.#versions.get(base);
    if (resources === undefined) {
      resources = this.#transport
        .json<{ readonly resources?: readonly ApiResource[] }>({ method: 'GET', path: base })
        .then((list) => list.resources ?? []);
      this.#versions.set(base, resources);
      // A failure must not be remembered: the kind may be installed later.
      resources.catch(() => this.#versions.delete(base));
    }
    const resource = (await resources).find(
      ({ kind: name, name: plural }) => name === kind.kind && !plural.includes('/'),
    );
    if (resource === undefined) {
      this.#versions.delete(base);
      throw new MeshError(
        'NOT_FOUND',
        `the API does not serve ${kind.kind} in ${kind.group || 'core'}/${kind.version}`,
      );
    }
    return { base, resource };
  }
}

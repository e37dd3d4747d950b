import { byAge, compareText } from '../kinds.ts';
import { exportedTo, wildcardCovers } from '../match.ts';
import type { Reads } from './reads.ts';
import type { ServiceModel } from './service-model.ts';

/** Services before ServiceEntries, then the oldest first: the order in which they get a host. */
function byPrecedence(a: ServiceModel, b: ServiceModel): number {
  return compareText(b.object.kind, a.object.kind) === 0
    ? byAge(a.object, b.object)
    : a.object.kind === 'Service'
      ? -1
      : 1;
}

/** All services by host. */
export class ServiceIndex {
  readonly #reads: Reads;
  readonly #byObject = new Map<string, readonly ServiceModel[]>();
  readonly #byHost = new Map<string, readonly ServiceModel[]>();
  /** Hosts that begin with `*`, the most specific first. */
  #wildcards: readonly string[] = [];

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  /** Replaces the models of one object. */
  set(objectKey: string, models: readonly ServiceModel[]): void {
    this.#reads.touch(`service-object/${objectKey}`);
    for (const model of this.#byObject.get(objectKey) ?? []) {
      this.#replace(
        model.host,
        (this.#byHost.get(model.host) ?? []).filter((other) => other.objectKey !== objectKey),
      );
    }
    if (models.length === 0) {
      this.#byObject.delete(objectKey);
    } else {
      this.#byObject.set(objectKey, models);
    }
    for (const model of models) {
      this.#replace(model.host, [...(this.#byHost.get(model.host) ?? []), model].sort(byPrecedence));
    }
  }

  #replace(host: string, models: readonly ServiceModel[]): void {
    this.#reads.touch(`service/${host}`);
    const known = this.#byHost.has(host);
    if (models.length === 0) {
      this.#byHost.delete(host);
    } else {
      this.#byHost.set(host, models);
    }
    if (host.startsWith('*') && known !== models.length > 0) {
      this.#reads.touch('service-wildcards');
      this.#wildcards = [...this.#byHost.keys()]
        .filter((key) => key.startsWith('*'))
        .sort((a, b) => b.length - a.length || compareText(a, b));
    }
  }

  /** The services that one object declares. */
  ofObject(objectKey: string): readonly ServiceModel[] {
    this.#reads.note(`service-object/${objectKey}`);
    return this.#byObject.get(objectKey) ?? [];
  }

  /** All that claim exactly `host`, the one that has it first. */
  claims(host: string): readonly ServiceModel[] {
    this.#reads.note(`service/${host}`);
    return this.#byHost.get(host) ?? [];
  }

  /** The service with exactly this host that `clientNamespace` can see. */
  exact(host: string, clientNamespace: string): ServiceModel | undefined {
    this.#reads.note(`service/${host}`);
    return this.#byHost.get(host)?.find((model) => exportedTo(model.exportTo, model.namespace, clientNamespace));
  }

  /** The same, falling back to the most specific wildcard host. */
  find(host: string, clientNamespace: string): ServiceModel | undefined {
    const exact = this.exact(host, clientNamespace);
    if (exact !== undefined) {
      return exact;
    }
    this.#reads.note('service-wildcards');
    for (const wildcard of this.#wildcards) {
      const model = wildcardCovers(wildcard, host) ? this.exact(wildcard, clientNamespace) : undefined;
      if (model !== undefined) {
        return model;
      }
    }
    return undefined;
  }

  /** Keys of all objects that declare services; not tracked, so not for results that are remembered. */
  objectKeys(): Iterable<string> {
    return this.#byObject.keys();
  }
}

import {
  Backoff,
  type Clock,
  type Logger,
  MeshError,
  systemClock,
  type Timer,
  type Unsubscribe,
  WatchMap,
} from '@weft/base';
import type { GroupVersionKind, KubeObject, ListOptions, ResourceClient, WatchEvent } from '@weft/resources';

/** `<namespace>/<name>`; of a cluster-scoped object the bare name. */
export function objectKey(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export interface InformerOptions {
  readonly client: ResourceClient;
  readonly kind: GroupVersionKind;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly select?: ListOptions;
  /** Default 100 ms doubling to 10 s, with jitter. */
  readonly backoff?: Backoff;
}

/** All objects of a kind, kept up to date. */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly kind: GroupVersionKind;
  /** By {@link objectKey}. The last good state stays while the API is away. */
  readonly objects: WatchMap<string, T>;
  /** Resolves when the first list is in. */
  readonly synced: Promise<void>;
  /** Greatest resource version seen, as the API gave it. */
  readonly resourceVersion: string;
  stop(): void;
}

/**
 * Lists, then watches from there; resumes a watch that ended from its last version, lists again when that is too old
 * (410 Gone), waits longer after each failure. Objects that a new list shows unchanged keep their identity.
 */
export function createInformer<T extends KubeObject>(options: InformerOptions): Informer<T> {
  return new ListWatch<T>(options);
}

const gone = 410;

class ListWatch<T extends KubeObject> implements Informer<T> {
  readonly kind: GroupVersionKind;
  readonly objects = new WatchMap<string, T>();
  readonly synced: Promise<void>;
  readonly #options: InformerOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #resolveSynced: () => void = () => {};
  #resourceVersion = '';
  #stopped = false;
  #watch: Unsubscribe | undefined;
  #timer: Timer | undefined;

  constructor(options: InformerOptions) {
    this.kind = options.kind;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = options.backoff ?? new Backoff();
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
    void this.#list();
  }

  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#watch?.();
    this.#watch = undefined;
  }

  async #list(): Promise<void> {
    try {
      const result = await this.#options.client.list<T>(this.kind, this.#options.select);
      if (this.#stopped) {
        return;
      }
      const wanted = new Map<string, T>();
      for (const object of result.items) {
        const key = objectKey(object);
        const old = this.objects.get(key);
        const same = old !== undefined && isSameVersion(old, object);
        wanted.set(key, same ? old : object);
      }
      this.#resourceVersion = result.resourceVersion;
      this.objects.replaceAll(wanted);
      this.#backoff.reset();
      this.#resolveSynced();
      this.#startWatch();
    } catch (error) {
      this.#retry('list failed', error, () => void this.#list());
    }
  }

  #startWatch(): void {
    if (this.#stopped) {
      return;
    }
    let ended = false;
    try {
      const stop = this.#options.client.watch<T>(
        this.kind,
        { ...this.#options.select, resourceVersion: this.#resourceVersion },
        {
          onEvent: (event) => {
            if (!this.#stopped && !ended) {
              this.#backoff.reset();
              this.#take(event);
            }
          },
          onEnd: (reason) => {
            if (ended || this.#stopped) {
              return;
            }
            ended = true;
            this.#watch = undefined;
            if (reason.code === gone) {
              void this.#list();
            } else {
              this.#retry('watch ended', new MeshError('UNAVAILABLE', reason.message), () => this.#startWatch());
            }
          },
        },
      );
      if (!ended) {
        this.#watch = stop;
      }
    } catch (error) {
      this.#retry('watch failed', error, () => this.#startWatch());
    }
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion;
      return;
    }
    this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion;
    this.objects.update([[objectKey(event.object), event.type === 'DELETED' ? undefined : event.object]]);
  }

  #retry(what: string, error: unknown, again: () => void): void {
    if (this.#stopped) {
      return;
    }
    const delayMs = this.#backoff.nextDelayMs();
    const { group, kind } = this.kind;
    this.#options.logger.debug('informer retries', {
      what,
      group,
      kind,
      delayMs,
      error: MeshError.from(error).message,
    });
    this.#timer = this.#clock.setTimeout(again, delayMs);
  }
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  return (
    a.metadata.resourceVersion !== undefined &&
    a.metadata.resourceVersion === b.metadata.resourceVersion &&
    a.metadata.uid === b.metadata.uid
  );
}

import { type TypeUrl, typeUrls } from '@weft/xds-types';

/** The name that stands for "all of this type". */
const wildcardName = '*';

/** What a request changed. */
export interface SubscriptionChange {
  /** Names to be (re)sent: newly named, or named again by a delta client. */
  readonly added: readonly string[];
  /** Names that were subscribed and are not any more. */
  readonly removed: readonly string[];
  readonly wildcardStarted: boolean;
  readonly wildcardStopped: boolean;
}

/** Types for which a first request without names means "everything" (xDS protocol, "How the client specifies what resources to return"). */
const legacyWildcardTypes: ReadonlySet<TypeUrl> = new Set([typeUrls.listener, typeUrls.cluster, typeUrls.virtualHost]);

/**
 * What a client wants of one type, on one stream. A delta client of virtual hosts starts without names too (Envoy does):
 * it gets those that its snapshot holds.
 */
export class Subscription {
  readonly names = new Set<string>();
  readonly #legacy: boolean;
  /** Secrets have no wildcard: they are given out by name only. */
  readonly #wildcardAllowed: boolean;
  #wildcard = false;
  /** SotW: once a name was given, an empty list means nothing. */
  #named = false;

  constructor(typeUrl: TypeUrl) {
    this.#legacy = legacyWildcardTypes.has(typeUrl);
    this.#wildcardAllowed = typeUrl !== typeUrls.secret;
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  wants(name: string): boolean {
    return this.#wildcard || this.names.has(name);
  }

  /** SotW: the request lists all names that are wanted. */
  replace(requested: readonly string[]): SubscriptionChange {
    const wanted = new Set(requested);
    const star = wanted.delete(wildcardName);
    if (requested.length > 0) {
      this.#named = true;
    }
    const wildcard = (star && this.#wildcardAllowed) || (!this.#named && this.#legacy);
    const added = [...wanted].filter((name) => !this.names.has(name));
    const removed = [...this.names].filter((name) => !wanted.has(name));
    this.#apply(added, removed);
    return { added, removed, ...this.#setWildcard(wildcard) };
  }

  /** Delta: names come and go. A name in both lists ends unsubscribed. */
  update(subscribe: readonly string[], unsubscribe: readonly string[], first: boolean): SubscriptionChange {
    const added = new Set(subscribe);
    const gone = new Set(unsubscribe);
    let wildcard = this.#wildcard || (first && this.#legacy && added.size === 0 && gone.size === 0);
    if (added.delete(wildcardName)) {
      wildcard = this.#wildcardAllowed;
    }
    if (gone.delete(wildcardName)) {
      wildcard = false;
    }
    const removed = [...gone].filter((name) => this.names.has(name) || added.has(name));
    this.#apply(added, removed);
    return { added: [...added].filter((name) => !gone.has(name)), removed, ...this.#setWildcard(wildcard) };
  }

  #apply(added: Iterable<string>, removed: Iterable<string>): void {
    for (const name of added) {
      this.names.add(name);
    }
    for (const name of removed) {
      this.names.delete(name);
    }
  }

  #setWildcard(wildcard: boolean): Pick<SubscriptionChange, 'wildcardStarted' | 'wildcardStopped'> {
    const before = this.#wildcard;
    this.#wildcard = wildcard;
    return { wildcardStarted: wildcard && !before, wildcardStopped: before && !wildcard };
  }
}

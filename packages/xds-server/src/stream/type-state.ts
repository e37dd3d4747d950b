import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { NackRecord, RefusedResource } from '../client-state.ts';
import { namesIn } from '../nacked-names.ts';
import type { EncodedResource } from '../snapshot.ts';
import { findByNameOrAlias, noResources } from '../type-version.ts';
import { Subscription } from './subscription.ts';

type Resources = ReadonlyMap<string, EncodedResource>;

/** A resource that the client has, or is being sent. Only its version is known when the client told us (delta resume). */
export interface Held {
  readonly version: string;
  readonly resource: EncodedResource | undefined;
}

/** One response that is not answered yet. */
export interface Push {
  readonly nonce: string;
  readonly resources: readonly EncodedResource[];
  /** Place in the order of types; later places wait for the answer. */
  readonly place: number;
  readonly storeVersion: number;
  readonly typeVersion: string;
  /** Nothing remains to be sent of this type for `storeVersion`. */
  readonly complete: boolean;
  readonly sentAtMs: number;
}

/** What separates the client from its snapshot. */
export interface TypeDiff {
  readonly upserts: readonly EncodedResource[];
  /** The client holds them, the snapshot does not. */
  readonly removals: readonly string[];
  /** The client asks for them, the snapshot does not hold them, and the client was not told so. */
  readonly missing: readonly string[];
  /** See {@link TypeState.answerOwed}. */
  readonly firstAnswer: boolean;
}

const maxNackMessageLength = 8 * 1024;

/** Everything about one type on one stream: what the client wants, has, and said. */
export class TypeState {
  readonly typeUrl: TypeUrl;
  /** A SotW response lists all that exists (listeners, clusters); what it leaves out is deleted. */
  readonly fullState: boolean;
  readonly subscription: Subscription;
  readonly held = new Map<string, Held>();
  /** To be sent even if the client has this version: it asked (again). */
  readonly owed = new Set<string>();
  /** Named by a request for what an earlier type brought: not held back until that type is acknowledged. */
  readonly urgent = new Set<string>();
  readonly refused = new Map<string, RefusedResource>();
  /** Names of which the client has accepted some version. */
  readonly usable = new Set<string>();
  inFlight: Push | undefined;
  /** Nonce of the last response, empty before the first. */
  nonce = '';
  /** A wildcard began and must be answered, even by nothing: clients wait for the first answer when they start. */
  answerOwed = false;
  lastNack: NackRecord | undefined;
  ackedStoreVersion: number | undefined;
  ackedVersion = '';
  heartbeatAtMs: number | undefined;
  readonly #toldMissing = new Set<string>();
  #target: Resources = noResources;
  #diff: TypeDiff | undefined;

  constructor(typeUrl: TypeUrl) {
    this.typeUrl = typeUrl;
    this.fullState = typeUrl === typeUrls.listener || typeUrl === typeUrls.cluster;
    this.subscription = new Subscription(typeUrl);
  }

  get target(): Resources {
    return this.#target;
  }

  setTarget(target: Resources): void {
    if (target !== this.#target) {
      this.#target = target;
      this.changed();
      for (const name of this.#toldMissing) {
        if (findByNameOrAlias(target, name) !== undefined) {
          this.#toldMissing.delete(name);
        }
      }
      for (const [name, refused] of this.refused) {
        if (target.get(name)?.version !== refused.version) {
          this.refused.delete(name);
        }
      }
    }
  }

  /** To be sent although the client may have it, and not held back by an unanswered response of an earlier type. */
  owe(name: string): void {
    this.owed.add(name);
    this.urgent.add(name);
    this.changed();
  }

  /** All that the snapshot holds of what the client asks for. */
  wantedResources(): readonly EncodedResource[] {
    if (this.subscription.wildcard) {
      return [...this.#target.values()];
    }
    const wanted = new Set<EncodedResource>();
    for (const name of this.subscription.names) {
      const resource = findByNameOrAlias(this.#target, name);
      if (resource !== undefined) {
        wanted.add(resource);
      }
    }
    return [...wanted];
  }

  /** What the client has that will expire. */
  expiring(): readonly EncodedResource[] {
    return [...this.held].flatMap(([name, { version }]) => {
      const resource = this.#target.get(name);
      return resource?.ttlMs === undefined || resource.version !== version ? [] : [resource];
    });
  }

  /** To be called when anything that the difference depends on was changed from outside. */
  changed(): void {
    this.#diff = undefined;
  }

  get diff(): TypeDiff {
    this.#diff ??= this.#compare();
    return this.#diff;
  }

  #compare(): TypeDiff {
    const upserts = new Set<EncodedResource>();
    const missing: string[] = [];
    const consider = (resource: EncodedResource): void => {
      if (this.held.get(resource.name)?.version !== resource.version || this.owed.has(resource.name)) {
        upserts.add(resource);
      }
    };
    if (this.subscription.wildcard) {
      this.#target.forEach(consider);
    }
    for (const name of this.subscription.names) {
      const resource = findByNameOrAlias(this.#target, name);
      if (resource === undefined) {
        if (!this.held.has(name) && (!this.#toldMissing.has(name) || this.owed.has(name))) {
          missing.push(name);
        }
      } else if (this.owed.has(name)) {
        upserts.add(resource);
      } else {
        consider(resource);
      }
    }
    const removals = [...this.held.keys()].filter((name) => !this.#target.has(name));
    for (const name of this.owed) {
      // Unsubscribed by name under a wildcard: the client has to learn whether it stays.
      if (!this.held.has(name) && !this.subscription.names.has(name) && !this.#target.has(name)) {
        removals.push(name);
      }
    }
    return {
      upserts: [...upserts],
      removals,
      missing,
      firstAnswer: this.answerOwed && this.subscription.wildcard,
    };
  }

  /** The client was sent (or dropped) these. */
  markSent(resources: readonly EncodedResource[], removed: readonly string[]): void {
    for (const resource of resources) {
      this.held.set(resource.name, { version: resource.version, resource });
      this.#settle(resource.name);
      for (const alias of resource.aliases ?? []) {
        this.#settle(alias);
      }
    }
    for (const name of removed) {
      this.held.delete(name);
      this.usable.delete(name);
      this.#settle(name);
      if (this.subscription.names.has(name)) {
        this.#toldMissing.add(name);
      }
    }
    this.answerOwed = false;
    this.changed();
  }

  #settle(name: string): void {
    this.owed.delete(name);
    this.urgent.delete(name);
  }

  /** Forgets what the client no longer subscribes to. */
  forgetUnwanted(): void {
    const wanted = new Set<string>();
    if (!this.subscription.wildcard) {
      for (const name of this.subscription.names) {
        wanted.add(findByNameOrAlias(this.#target, name)?.name ?? name);
      }
      for (const name of [...this.held.keys()].filter((held) => !wanted.has(held))) {
        this.held.delete(name);
        this.owed.delete(name);
        this.refused.delete(name);
        this.usable.delete(name);
      }
    }
    for (const name of this.#toldMissing) {
      if (!this.subscription.names.has(name)) {
        this.#toldMissing.delete(name);
      }
    }
    for (const name of [...this.owed, ...this.urgent]) {
      if (!this.subscription.wants(name)) {
        this.#settle(name);
      }
    }
    this.changed();
  }

  /** The client was told that these do not exist. */
  markMissing(names: readonly string[]): void {
    for (const name of names) {
      this.#toldMissing.add(name);
      this.#settle(name);
    }
    this.changed();
  }

  /** The client answered `push`. Returns what is to be told when it was a refusal. */
  answer(push: Push, error: { readonly message: string } | undefined, atMs: number): NackRecord | undefined {
    this.inFlight = undefined;
    const names = push.resources.map((resource) => resource.name);
    const message = error?.message.slice(0, maxNackMessageLength);
    const named = message === undefined ? [] : namesIn(message, names);
    const refusedNames = new Set(message === undefined || named.length > 0 ? named : names);
    for (const resource of push.resources) {
      if (!refusedNames.has(resource.name)) {
        this.refused.delete(resource.name);
        this.usable.add(resource.name);
      } else if (this.#target.get(resource.name)?.version === resource.version) {
        this.refused.set(resource.name, { name: resource.name, version: resource.version, reason: message ?? '' });
      }
    }
    if (message === undefined) {
      if (push.complete && this.refused.size === 0) {
        this.acknowledged(push.storeVersion, push.typeVersion);
      }
      return undefined;
    }
    this.lastNack = { atMs, message, resources: [...refusedNames] };
    return this.lastNack;
  }

  /** Delta reconnect: the client has this version. */
  resume(name: string, version: string): void {
    this.held.set(name, { version, resource: undefined });
    this.usable.add(name);
    this.changed();
  }

  acknowledged(storeVersion: number, typeVersion: string): void {
    if (this.ackedStoreVersion === undefined || storeVersion >= this.ackedStoreVersion) {
      this.ackedStoreVersion = storeVersion;
      this.ackedVersion = typeVersion;
    }
  }
}

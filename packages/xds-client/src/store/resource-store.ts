import type { Clock, Logger } from '@weft/base';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { ReceivedResponse, TypeInterest } from '../protocol/protocol.ts';
import type { ReadResponse } from '../read-response.ts';
import type { Reference, ResourceType } from '../resource-type.ts';
import type { ResourceChange } from '../update.ts';
import { type Accepted, type Entry, newEntry } from './entry.ts';

/** Order in which resources become known; types that are not listed follow. */
const makeOrder: readonly TypeUrl[] = Object.values(typeUrls);

/** Virtual hosts and the like that the proxy's own traffic asks for; hosts that nobody serves are forgotten first. */
const maxDemands = 4_096;

/** One type and all its entries. */
export class TypeStore {
  readonly type: ResourceType;
  readonly entries = new Map<string, Entry>();
  /** Other names of accepted resources. */
  readonly aliases = new Map<string, string>();
  /** Asked for by the proxy itself. */
  readonly demands = new Set<string>();
  /** What the server is to know of our interest. */
  wanted: ReadonlySet<string> = new Set();
  version = '';

  constructor(type: ResourceType) {
    this.type = type;
  }

  get alwaysWildcard(): boolean {
    return this.type.subscription === 'wildcard';
  }

  find(name: string): Entry | undefined {
    return this.entries.get(name) ?? this.entries.get(this.aliases.get(name) ?? '');
  }

  entryOf(name: string): Entry {
    let entry = this.entries.get(name);
    if (entry === undefined) {
      entry = newEntry(name);
      this.entries.set(name, entry);
    }
    return entry;
  }

  /** Whether this name, or an alias of the resource, is asked for. */
  wants(name: string, aliases: readonly string[] = []): boolean {
    return (
      this.alwaysWildcard ||
      this.wanted.has('*') ||
      this.wanted.has(name) ||
      aliases.some((alias) => this.wanted.has(alias))
    );
  }

  interest(): TypeInterest {
    return {
      typeUrl: this.type.typeUrl,
      alwaysWildcard: this.alwaysWildcard,
      names: this.wanted,
      versions: () => this.#versions(),
    };
  }

  #versions(): ReadonlyMap<string, string> {
    const versions = new Map<string, string>();
    for (const [name, entry] of this.entries) {
      if (entry.accepted !== undefined) {
        versions.set(name, entry.accepted.version);
      }
    }
    return versions;
  }
}

export interface ResourceStoreOptions {
  readonly types: readonly ResourceType[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fetchTimeoutMs: number;
}

/**
 * What the server gave us and what of it is in use. A resource is in use ("active") once everything it references is; until
 * then its older version stays. What nothing references any more is dropped. Each method that changes something is followed by
 * {@link settle}, which says what the proxy has to apply.
 */
export class ResourceStore {
  readonly #options: ResourceStoreOptions;
  readonly types = new Map<TypeUrl, TypeStore>();

  constructor(options: ResourceStoreOptions) {
    this.#options = options;
    const order = [...options.types].sort((a, b) => placeOf(a.typeUrl) - placeOf(b.typeUrl));
    for (const type of order) {
      this.types.set(type.typeUrl, new TypeStore(type));
    }
  }

  /** Takes over resources that were active when they were saved: they are so again, whatever they reference. */
  restore(typeUrl: TypeUrl, resources: readonly Accepted[]): ResourceChange[] {
    const store = this.types.get(typeUrl);
    return resources.map((accepted) => {
      store?.entries.set(accepted.name, {
        ...newEntry(accepted.name),
        accepted,
        active: accepted,
        updatedAtMs: this.#options.clock.now(),
      });
      this.#indexAliases(store, undefined, accepted);
      return setChange(typeUrl, accepted);
    });
  }

  apply(store: TypeStore, response: ReceivedResponse, read: ReadResponse): void {
    const now = this.#options.clock.now();
    for (const accepted of read.accepted) {
      if (store.wants(accepted.name, accepted.aliases)) {
        this.#accept(store, accepted, now);
      }
    }
    for (const { name, version, reason } of read.refused) {
      // One that was never good is kept as well, so that the admin API can say why it is not there.
      const entry = store.find(name) ?? (store.wants(name) ? store.entryOf(name) : undefined);
      if (entry !== undefined) {
        entry.refused = { version, reason, atMs: now };
        entry.missing = false;
        this.#answered(entry);
      }
    }
    for (const { name, version, ttlMs } of read.heartbeats) {
      const entry = store.entries.get(name);
      if (entry?.accepted?.version === version) {
        this.#startTtl(entry, ttlMs);
      }
    }
    for (const name of [...response.removed, ...read.missing]) {
      this.#remove(store, name, read.missing.includes(name));
    }
    if (response.fullState) {
      this.#removeAbsent(store, read);
    }
    if (read.refused.length === 0) {
      store.version = response.version;
    }
  }

  #accept(store: TypeStore, accepted: Accepted, now: number): void {
    const entry = store.entryOf(accepted.name);
    entry.missing = false;
    this.#answered(entry);
    this.#startTtl(entry, accepted.ttlMs);
    entry.refused = undefined;
    for (const alias of accepted.aliases) {
      const placeholder = store.entries.get(alias);
      if (alias !== accepted.name && placeholder !== undefined && placeholder.accepted === undefined) {
        store.entries.delete(alias);
      }
    }
    if (!isSame(entry.accepted, accepted)) {
      this.#indexAliases(store, entry.accepted, accepted);
      entry.accepted = accepted;
      entry.updatedAtMs = now;
    }
  }

  #answered(entry: Entry): void {
    entry.fetchDeadlineMs = undefined;
    entry.timedOut = false;
  }

  #startTtl(entry: Entry, ttlMs: number | undefined): void {
    entry.expiresAtMs = ttlMs === undefined ? undefined : this.#options.clock.monotonicMs() + ttlMs;
  }

  #indexAliases(store: TypeStore | undefined, old: Accepted | undefined, accepted: Accepted): void {
    for (const alias of old?.aliases ?? []) {
      store?.aliases.delete(alias);
    }
    for (const alias of accepted.aliases) {
      store?.aliases.set(alias, accepted.name);
    }
  }

  /**
   * The server says that `name` does not exist. What a resource in use still references is kept: the server takes away what
   * uses it first, and if it does not, the last good state is better than none.
   */
  #remove(store: TypeStore, name: string, explicitly: boolean): void {
    const entry = store.find(name);
    if (entry === undefined) {
      return;
    }
    this.#answered(entry);
    if (!explicitly && entry.active !== undefined && this.#isReferenced(store.type.typeUrl, entry.name)) {
      this.#options.logger.warn('the server removed a resource that is in use; it is kept', {
        typeUrl: store.type.typeUrl,
        name,
      });
      return;
    }
    entry.missing = true;
    entry.accepted = undefined;
    entry.expiresAtMs = undefined;
  }

  /** SotW listeners and clusters: what the response leaves out is gone. */
  #removeAbsent(store: TypeStore, read: ReadResponse): void {
    const present = new Set([...read.accepted, ...read.refused, ...read.heartbeats].map(({ name }) => name));
    for (const [name, entry] of store.entries) {
      if (!present.has(name) && (entry.accepted !== undefined || entry.refused !== undefined)) {
        entry.accepted = undefined;
        entry.missing = true;
        entry.expiresAtMs = undefined;
      }
    }
  }

  #isReferenced(typeUrl: TypeUrl, name: string): boolean {
    for (const { entries } of this.types.values()) {
      for (const { accepted, active } of entries.values()) {
        const names = (reference: Reference): boolean => reference.typeUrl === typeUrl && reference.name === name;
        if (
          (accepted !== undefined && active?.references.some(names) === true) ||
          accepted?.references.some(names) === true
        ) {
          return true;
        }
      }
    }
    return false;
  }

  /** The stream is up and these types were asked for: names without an answer are waited for from now on. */
  startFetchTimers(store: TypeStore): void {
    const deadlineMs = this.#options.clock.monotonicMs() + this.#options.fetchTimeoutMs;
    for (const name of store.wanted) {
      const entry = store.find(name);
      if (entry !== undefined && entry.accepted === undefined && !entry.missing && !entry.timedOut) {
        entry.fetchDeadlineMs ??= deadlineMs;
      }
    }
  }

  /** The stream is down: silence means nothing now. */
  stopFetchTimers(): void {
    for (const { entries } of this.types.values()) {
      for (const entry of entries.values()) {
        entry.fetchDeadlineMs = undefined;
      }
    }
  }

  /** Fetch timeouts and expired resources whose time has come. */
  expire(): void {
    const now = this.#options.clock.monotonicMs();
    for (const store of this.types.values()) {
      for (const entry of store.entries.values()) {
        if (entry.fetchDeadlineMs !== undefined && entry.fetchDeadlineMs <= now) {
          entry.fetchDeadlineMs = undefined;
          entry.timedOut = true;
          this.#options.logger.warn('the server did not answer for a resource in time', {
            typeUrl: store.type.typeUrl,
            name: entry.name,
          });
        }
        if (entry.expiresAtMs !== undefined && entry.expiresAtMs <= now) {
          this.#options.logger.warn('a resource expired', { typeUrl: store.type.typeUrl, name: entry.name });
          entry.expiresAtMs = undefined;
          entry.accepted = undefined;
        }
      }
    }
  }

  /** Monotonic time of the next fetch timeout or expiry; infinity: none. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { entries } of this.types.values()) {
      for (const { fetchDeadlineMs, expiresAtMs } of entries.values()) {
        next = Math.min(next, fetchDeadlineMs ?? next, expiresAtMs ?? next);
      }
    }
    return next;
  }

  /** Makes active what can be, drops what is gone or not referenced, and renews what is wanted of the server. */
  settle(): ResourceChange[] {
    const sets: ResourceChange[][] = [...this.types].map(() => []);
    const removals: ResourceChange[] = [];
    let settled = false;
    while (!settled) {
      settled = true;
      let place = 0;
      for (const [typeUrl, store] of this.types) {
        for (const entry of store.entries.values()) {
          if (entry.accepted !== undefined && entry.accepted !== entry.active && this.#isReady(entry.accepted)) {
            entry.active = entry.accepted;
            sets[place]?.push(setChange(typeUrl, entry.accepted));
            settled = false;
          } else if (entry.accepted === undefined && entry.active !== undefined) {
            entry.active = undefined;
            removals.push({ kind: 'remove', typeUrl, name: entry.name });
            settled = false;
          }
        }
        place += 1;
      }
      this.#renewWanted(removals);
    }
    return [...latestOf(sets.flat()), ...inBreakOrder(removals)];
  }

  #isReady(accepted: Accepted): boolean {
    return accepted.references.every(({ typeUrl, name, whenMissing }) => {
      const store = this.types.get(typeUrl);
      if (store === undefined || name === '*') {
        return true;
      }
      const entry = store.find(name);
      return (
        entry?.active !== undefined ||
        (whenMissing === 'proceed' && (entry?.missing === true || entry?.timedOut === true))
      );
    });
  }

  #renewWanted(removals: ResourceChange[]): void {
    const wanted = new Map<TypeUrl, Set<string>>();
    for (const [typeUrl, store] of this.types) {
      wanted.set(typeUrl, new Set(store.demands));
    }
    for (const { entries } of this.types.values()) {
      for (const { accepted, active } of entries.values()) {
        for (const { typeUrl, name } of [...(accepted?.references ?? []), ...(active?.references ?? [])]) {
          wanted.get(typeUrl)?.add(name);
        }
      }
    }
    for (const [typeUrl, store] of this.types) {
      store.wanted = wanted.get(typeUrl) ?? new Set();
      this.#dropUnwanted(store, removals);
      for (const name of store.wanted) {
        if (name !== '*' && store.find(name) === undefined) {
          store.entryOf(name);
        }
      }
    }
  }

  #dropUnwanted(store: TypeStore, removals: ResourceChange[]): void {
    for (const entry of [...store.entries.values()]) {
      const isRefused = entry.refused !== undefined && !entry.missing;
      const gone =
        entry.accepted === undefined && entry.active === undefined && !isRefused && !store.wanted.has(entry.name);
      if (gone || !store.wants(entry.name, entry.accepted?.aliases)) {
        store.entries.delete(entry.name);
        for (const alias of entry.accepted?.aliases ?? []) {
          store.aliases.delete(alias);
        }
        if (entry.active !== undefined) {
          removals.push({ kind: 'remove', typeUrl: store.type.typeUrl, name: entry.name });
        }
      }
    }
  }

  /** Registers a name that the proxy itself asks for; false when there are too many. */
  demand(store: TypeStore, name: string): boolean {
    if (store.demands.size >= maxDemands && !store.demands.has(name)) {
      const idle = [...store.demands].find((demanded) => store.find(demanded)?.missing === true);
      if (idle === undefined) {
        return false;
      }
      store.demands.delete(idle);
    }
    store.demands.add(name);
    return true;
  }
}

function placeOf(typeUrl: TypeUrl): number {
  const place = makeOrder.indexOf(typeUrl);
  return place === -1 ? makeOrder.length : place;
}

function setChange(typeUrl: TypeUrl, { name, version, value, aliases }: Accepted): ResourceChange {
  return { kind: 'set', typeUrl, name, version, value, aliases };
}

function isSame(old: Accepted | undefined, accepted: Accepted): boolean {
  return (
    old !== undefined &&
    old.version === accepted.version &&
    old.ttlMs === accepted.ttlMs &&
    Buffer.compare(old.bytes, accepted.bytes) === 0 &&
    old.aliases.join('\0') === accepted.aliases.join('\0')
  );
}

/** One change for each resource: what it came to in the end. */
function latestOf(changes: readonly ResourceChange[]): ResourceChange[] {
  const latest = new Map<string, ResourceChange>();
  for (const change of changes) {
    latest.set(`${change.typeUrl}\0${change.name}`, change);
  }
  return [...latest.values()];
}

function inBreakOrder(removals: readonly ResourceChange[]): ResourceChange[] {
  return [...removals].sort((a, b) => placeOf(b.typeUrl) - placeOf(a.typeUrl));
}

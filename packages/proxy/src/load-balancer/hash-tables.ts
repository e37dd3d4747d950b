import type { LoadBalancerPolicy } from '../runtime-config/load-balancing.ts';
import { type BackgroundWork, runAtOnce, type Steps } from './background-work.ts';
import { BoundedLoad } from './bounded-load.ts';
import { buildHashRing, ringSize } from './hash-ring.ts';
import type { HashTable } from './hash-table.ts';
import type { Hash64 } from './hash64.ts';
import type { HostSet, Prioritised } from './host-set.ts';
import { buildMaglevTable } from './maglev-table.ts';
import { type NormalizedWeights, normalizeWeights } from './normalized-weights.ts';

export type HashingPolicy = Extract<LoadBalancerPolicy, { readonly kind: 'ring-hash' | 'maglev' }>;

/** Entries up to which a table is built at once: about a millisecond. */
const MAX_ENTRIES_AT_ONCE = 2048;
/** Times that an endpoint which may not be used any more is passed over while its table is being replaced. */
const MAX_STALE_STEPS = 32;

export interface HashTablesOptions<T> {
  readonly policy: HashingPolicy;
  readonly byLocalityWeight: boolean;
  /** What an endpoint is hashed by: its address as a rule, as a binary text. */
  readonly keyOf: (endpoint: T) => string;
  readonly work: BackgroundWork;
  /** Requests in flight in the whole cluster. */
  readonly activeTotal: () => number;
  /** All tables are there; called once, unless {@link HashTables.update} itself made them. */
  readonly onReady: () => void;
}

interface Slot<T> {
  table: HashTable<T> | undefined;
  /** What the table, or the one being built, was made of. */
  weights: NormalizedWeights<T> | undefined;
  /** All endpoints, whatever their health, are in the table. */
  panic: boolean;
  cancel: (() => void) | undefined;
  /** Changed again while one was being built. */
  next: NormalizedWeights<T> | undefined;
}

/** One table for each priority. While a new one is built, the old one serves. */
export class HashTables<T extends Prioritised> {
  readonly #options: HashTablesOptions<T>;
  readonly #bounded: BoundedLoad | undefined;
  #slots: Slot<T>[] = [];
  #ready = false;

  constructor(options: HashTablesOptions<T>) {
    this.#options = options;
    const { hashBalanceFactor } = options.policy;
    this.#bounded =
      hashBalanceFactor === undefined ? undefined : new BoundedLoad(hashBalanceFactor, options.activeTotal);
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Builds the tables of the priorities whose endpoints, weights or health changed. */
  update(levels: readonly HostSet<T>[], panic: readonly boolean[]): void {
    for (const dropped of this.#slots.slice(levels.length)) {
      dropped.cancel?.();
    }
    this.#slots = levels.map((level, index) => {
      const slot = this.#slots[index] ?? {
        table: undefined,
        weights: undefined,
        panic: false,
        cancel: undefined,
        next: undefined,
      };
      slot.panic = panic[index] === true;
      this.#refresh(slot, this.#weightsOf(level, slot.panic));
      return slot;
    });
    this.#ready ||= this.#isComplete();
  }

  /** Gives up what is being built. */
  stop(): void {
    for (const slot of this.#slots) {
      slot.cancel?.();
      slot.cancel = undefined;
      slot.next = undefined;
    }
  }

  /** Whether the table of a priority has all that it should have; otherwise one is being built. */
  isCurrent(priority: number): boolean {
    const slot = this.#slots[priority];
    return slot?.table !== undefined && slot.cancel === undefined;
  }

  /** @param attempt as for {@link HashTable.choose}. */
  choose(priority: number, hash: Hash64, attempt: number): T | undefined {
    const slot = this.#slots[priority];
    const table = slot?.table;
    if (slot === undefined || table === undefined) {
      return undefined;
    }
    const chosen = this.#chooseIn(table, hash, attempt);
    if (slot.cancel === undefined || chosen === undefined || isUsable(chosen, slot.panic)) {
      return chosen;
    }
    // The table is about to be replaced, and its choice is no good any more: the next on the way takes its place.
    for (let step = 1; step <= MAX_STALE_STEPS; step += 1) {
      const other = this.#chooseIn(table, hash, attempt + step);
      if (other !== undefined && isUsable(other, slot.panic)) {
        return other;
      }
    }
    return undefined;
  }

  #chooseIn(table: HashTable<T>, hash: Hash64, attempt: number): T | undefined {
    const bounded = this.#bounded;
    const index = bounded === undefined ? table.choose(hash, attempt) : bounded.choose(table, hash, attempt);
    return index < 0 ? undefined : table.hosts[index];
  }

  #weightsOf(level: HostSet<T>, panic: boolean): NormalizedWeights<T> {
    if (!this.#options.byLocalityWeight) {
      return normalizeWeights([{ weight: 1, hosts: panic ? level.all : level.healthy }]);
    }
    return normalizeWeights(
      level.localities.map(({ weight, endpoints }, index) => ({
        weight,
        hosts: panic ? endpoints : (level.healthyByLocality[index] ?? []),
      })),
    );
  }

  #refresh(slot: Slot<T>, weights: NormalizedWeights<T>): void {
    const newest = slot.next ?? slot.weights;
    if (newest !== undefined && isSame(newest, weights)) {
      return;
    }
    if (slot.cancel !== undefined) {
      // What has been begun is finished first: changes that come all the time cannot keep every table from being done.
      slot.next = weights;
      return;
    }
    slot.weights = weights;
    if (this.#sizeOf(weights) <= MAX_ENTRIES_AT_ONCE) {
      slot.table = runAtOnce(this.#build(weights));
      return;
    }
    slot.cancel = this.#options.work.run(this.#build(weights), (table) => {
      const { next } = slot;
      slot.table = table;
      slot.cancel = undefined;
      slot.next = undefined;
      if (next !== undefined) {
        this.#refresh(slot, next);
      }
      if (!this.#ready && this.#isComplete()) {
        this.#ready = true;
        this.#options.onReady();
      }
    });
  }

  #sizeOf(weights: NormalizedWeights<T>): number {
    const { policy } = this.#options;
    return policy.kind === 'maglev' ? policy.tableSize : ringSize(weights, policy);
  }

  #build(weights: NormalizedWeights<T>): Steps<HashTable<T>> {
    const { policy, keyOf } = this.#options;
    return policy.kind === 'maglev'
      ? buildMaglevTable(weights, keyOf, policy.tableSize)
      : buildHashRing(weights, keyOf, policy);
  }

  #isComplete(): boolean {
    return this.#slots.every(({ table }) => table !== undefined);
  }
}

function isUsable({ condition, removed }: Prioritised, panic: boolean): boolean {
  return !removed && (panic || condition !== 'unhealthy');
}

function isSame<T>(a: NormalizedWeights<T>, b: NormalizedWeights<T>): boolean {
  return (
    a.hosts.length === b.hosts.length &&
    a.hosts.every((host, index) => host === b.hosts[index] && a.shares[index] === b.shares[index])
  );
}

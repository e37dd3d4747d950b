import { memoEntriesMax, sameItems } from './memo-table.ts';

interface Remembered {
  readonly args: readonly unknown[];
  readonly result: unknown;
  /** Everything that was read on the way. */
  readonly topics: ReadonlySet<string>;
  /** The revision at which it was known to be right. */
  checkedAt: number;
}

/** Most changes that are kept in their order; results that were checked before them are checked by all that they read. */
const recentChangesMax = 4_096;

/**
 * Which results are still right after a change. Every index says what is read of it and what of it changes, in the same words
 * ("topics"); a result is remembered with the topics that were read while it was made, and made again only when one of them
 * has changed since. So nobody has to know what a result depends on, and nobody can forget it. Looking for something that is not there is a read, too.
 */
export class Reads {
  #revision = 0;
  readonly #touchedAt = new Map<string, number>();
  /** The topics that changed last; the last one at the present revision. */
  #recent: string[] = [];
  readonly #remembered = new Map<string, Remembered>();
  #reading: Set<string> | undefined;

  /** To be called by an index for all that it is asked about. */
  note(topic: string): void {
    this.#reading?.add(topic);
  }

  /** To be called by an index for all that changes in it. */
  touch(topic: string): void {
    this.#revision += 1;
    this.#touchedAt.set(topic, this.#revision);
    this.#recent.push(topic);
    if (this.#recent.length >= 2 * recentChangesMax) {
      this.#recent = this.#recent.slice(-recentChangesMax);
    }
  }

  /**
   * The result of `build`, from memory if nothing that it read has changed.
   * @param key names the result.
   * @param args everything that `build` depends on besides what it reads; compared by identity.
   */
  remember<R>(key: string, args: readonly unknown[], build: () => R): R {
    const known = this.#remembered.get(key);
    if (known !== undefined && sameItems(known.args, args) && this.#isRight(known)) {
      this.#addToOuter(known.topics);
      return known.result as R;
    }
    const outer = this.#reading;
    const topics = new Set<string>();
    this.#reading = topics;
    let result: R;
    try {
      result = build();
    } finally {
      this.#reading = outer;
    }
    this.#addToOuter(topics);
    if (this.#remembered.size >= memoEntriesMax) {
      this.#remembered.clear();
    }
    this.#remembered.set(key, { args, result, topics, checkedAt: this.#revision });
    return result;
  }

  #isRight(known: Remembered): boolean {
    if (known.checkedAt === this.#revision) {
      return true;
    }
    if (this.#hasChanged(known)) {
      return false;
    }
    known.checkedAt = this.#revision;
    return true;
  }

  /** Looks through what changed or through what was read, whichever is less. */
  #hasChanged({ topics, checkedAt }: Remembered): boolean {
    const changes = this.#revision - checkedAt;
    if (changes > this.#recent.length || changes > topics.size) {
      for (const topic of topics) {
        if ((this.#touchedAt.get(topic) ?? 0) > checkedAt) {
          return true;
        }
      }
      return false;
    }
    for (let at = this.#recent.length - changes; at < this.#recent.length; at += 1) {
      if (topics.has(this.#recent[at] ?? '')) {
        return true;
      }
    }
    return false;
  }

  #addToOuter(topics: ReadonlySet<string>): void {
    if (this.#reading !== undefined) {
      for (const topic of topics) {
        this.#reading.add(topic);
      }
    }
  }
}

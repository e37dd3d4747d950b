import type { EventClock } from './event-clock.ts';

/** A connection with gathered output. */
export interface Flushable {
  flush(): void;
  /** Gets what `flush` threw; the others of the queue are flushed all the same. */
  fault(error: unknown): void;
}

/**
 * Connections that have something to write. What one event produces for a connection is written once, when the event
 * has been worked through: a response head and body, or the frames of many streams, share one system call.
 */
export class FlushQueue {
  readonly #clock: EventClock;
  readonly #dirty: (Flushable | undefined)[] = [];
  /** Entries of `#dirty` in use; the array keeps its length, as shrinking it costs a call into the runtime. */
  #count = 0;
  #depth = 0;
  #scheduled = false;
  /** Those that are written at the end of the event loop's turn. */
  readonly #turn: Flushable[] = [];

  constructor(clock: EventClock) {
    this.#clock = clock;
  }

  /** An event begins; output waits until `leave`. */
  enter(): void {
    if (this.#depth === 0) {
      this.#clock.beginEvent();
    }
    this.#depth += 1;
  }

  leave(): void {
    this.#depth -= 1;
    if (this.#depth === 0) {
      try {
        if (this.#count > 0) {
          this.#flush();
        }
      } finally {
        this.#clock.endEvent();
      }
    }
  }

  add(connection: Flushable): void {
    this.#dirty[this.#count] = connection;
    this.#count += 1;
    if (this.#depth === 0 && !this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(flushLater, this);
    }
  }

  /**
   * Like `add`, but the write waits until all events of this turn of the event loop were worked through: the requests of many
   * clients that go over one connection share one system call and one TLS record.
   */
  addForTurn(connection: Flushable): void {
    if (this.#turn.length === 0) {
      setImmediate(flushTurn, this);
    }
    this.#turn.push(connection);
  }

  /** @internal */
  flushTurn(): void {
    for (const connection of this.#turn.splice(0)) {
      flushOne(connection);
    }
  }

  /** @internal */
  flushScheduled(): void {
    this.#scheduled = false;
    this.#flush();
  }

  #flush(): void {
    const dirty = this.#dirty;
    // The list may grow while it is worked on.
    for (let index = 0; index < this.#count; index += 1) {
      const connection = dirty[index];
      dirty[index] = undefined;
      if (connection !== undefined) {
        flushOne(connection);
      }
    }
    this.#count = 0;
  }
}

/** What one connection throws leaves the others alone. */
function flushOne(connection: Flushable): void {
  try {
    connection.flush();
  } catch (error) {
    connection.fault(error);
  }
}

function flushTurn(queue: FlushQueue): void {
  queue.flushTurn();
}

function flushLater(queue: FlushQueue): void {
  queue.flushScheduled();
}

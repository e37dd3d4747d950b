/** A connection with gathered output. */
export interface Flushable {
  flush(): void;
}

/**
 * Connections that have something to write. What one event produces for a connection is written once, when the event
 * has been worked through: a response head and body, or the frames of many streams, share one system call.
 */
export class FlushQueue {
  readonly #dirty: Flushable[] = [];
  #depth = 0;
  #scheduled = false;

  /** An event begins; output waits until `leave`. */
  enter(): void {
    this.#depth += 1;
  }

  leave(): void {
    this.#depth -= 1;
    if (this.#depth === 0 && this.#dirty.length > 0) {
      this.#flush();
    }
  }

  add(connection: Flushable): void {
    this.#dirty.push(connection);
    if (this.#depth === 0 && !this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(flushLater, this);
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
    for (let index = 0; index < dirty.length; index += 1) {
      (dirty[index] as Flushable).flush();
    }
    dirty.length = 0;
  }
}

function flushLater(queue: FlushQueue): void {
  queue.flushScheduled();
}

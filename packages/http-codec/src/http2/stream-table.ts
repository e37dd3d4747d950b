/** What a table holds: something with the id of a stream. */
export interface WithStreamId {
  readonly id: number;
}

const initialSlots = 16;

/**
 * Streams by id: open addressing, since ids only grow and a `Map` that is filled and emptied all the time allocates.
 */
export class StreamTable<Stream extends WithStreamId> {
  size = 0;
  #slots: (Stream | undefined)[] = new Array<Stream | undefined>(initialSlots).fill(undefined);
  #mask: number = initialSlots - 1;

  get(id: number): Stream | undefined {
    let slot = (id >>> 1) & this.#mask;
    for (;;) {
      const stream = this.#slots[slot];
      if (stream === undefined || stream.id === id) {
        return stream;
      }
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Adds a stream whose id is not in the table. */
  add(stream: Stream): void {
    if (this.size * 2 >= this.#slots.length) {
      this.#grow();
    }
    this.#place(stream);
    this.size += 1;
  }

  delete(id: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = (id >>> 1) & mask;
    for (;;) {
      const stream = slots[slot];
      if (stream === undefined) {
        return;
      }
      if (stream.id === id) {
        break;
      }
      slot = (slot + 1) & mask;
    }
    this.size -= 1;
    // Whoever was placed behind an occupied slot moves up, so that no search ends early at the hole.
    let hole = slot;
    for (let next = (slot + 1) & mask; ; next = (next + 1) & mask) {
      const stream = slots[next];
      if (stream === undefined) {
        break;
      }
      const home = (stream.id >>> 1) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = stream;
        hole = next;
      }
    }
    slots[hole] = undefined;
  }

  /** All streams at this moment, in order of their ids; to be used where streams come and go meanwhile. */
  snapshot(): Stream[] {
    const streams: Stream[] = [];
    for (const stream of this.#slots) {
      if (stream !== undefined) {
        streams.push(stream);
      }
    }
    return streams.sort((left, right) => left.id - right.id);
  }

  /** Calls `visit` for each stream, in no order; streams may not come or go meanwhile. */
  forEach(visit: (stream: Stream) => void): void {
    for (const stream of this.#slots) {
      if (stream !== undefined) {
        visit(stream);
      }
    }
  }

  #place(stream: Stream): void {
    let slot = (stream.id >>> 1) & this.#mask;
    while (this.#slots[slot] !== undefined) {
      slot = (slot + 1) & this.#mask;
    }
    this.#slots[slot] = stream;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Array<Stream | undefined>(before.length * 2).fill(undefined);
    this.#mask = this.#slots.length - 1;
    for (const stream of before) {
      if (stream !== undefined) {
        this.#place(stream);
      }
    }
  }
}

const prefixBytes = 5;

/** Counts the messages of a gRPC body: each has a prefix of a flag and four bytes of length. */
export class MessageCounter {
  /** Messages whose prefix has come completely. */
  count = 0;
  #prefix = 0;
  #length = 0;
  /** Bytes of the present message that are still to come. */
  #left = 0;

  scan(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, end - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      if (this.#prefix > 0) {
        this.#length = this.#length * 256 + (bytes[at] as number);
      }
      this.#prefix += 1;
      at += 1;
      if (this.#prefix === prefixBytes) {
        this.count += 1;
        this.#left = this.#length;
        this.#prefix = 0;
        this.#length = 0;
      }
    }
  }

  reset(): void {
    this.count = 0;
    this.#prefix = 0;
    this.#length = 0;
    this.#left = 0;
  }
}

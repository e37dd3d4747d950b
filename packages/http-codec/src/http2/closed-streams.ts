const remembered = 256;

/** How a stream that is gone was closed. */
export const ClosedBy = {
  /** Not remembered any more, or never used. */
  unknown: 0,
  /** Both sides said END_STREAM. */
  end: 1,
  peerReset: 2,
  ourReset: 3,
} as const;

/**
 * The streams that were closed last. RFC 9113 §5.1 asks for different answers to frames that come late: what was under way when
 * we reset a stream is ignored, what comes after the peer's own end is its mistake.
 */
export class ClosedStreams {
  #ids: Int32Array | undefined = undefined;
  #how: Uint8Array = noBytes;
  #next = 0;

  add(id: number, how: number): void {
    let ids = this.#ids;
    if (ids === undefined) {
      ids = new Int32Array(remembered);
      this.#ids = ids;
      this.#how = new Uint8Array(remembered);
    }
    ids[this.#next] = id;
    this.#how[this.#next] = how;
    this.#next = (this.#next + 1) % remembered;
  }

  howClosed(id: number): number {
    const at = this.#ids?.lastIndexOf(id) ?? -1;
    return at < 0 ? ClosedBy.unknown : (this.#how[at] as number);
  }
}

const noBytes = new Uint8Array(0);

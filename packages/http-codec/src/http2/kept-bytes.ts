import type { FrameWriter } from './frame-writer.ts';

const pieceBytes = 16 * 1024;
/** Pieces kept for reuse; more are left to the garbage collector. */
const maxFreePieces = 64;

const freePieces: Buffer[] = [];

/** Bytes of one stream that wait for its window, or for that of its connection, to open. */
export class KeptBytes {
  length = 0;
  readonly #pieces: Buffer[] = [];
  /** Where the first piece begins and the last one ends. */
  #start = 0;
  #end = pieceBytes;

  append(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#end === pieceBytes) {
        this.#pieces.push(freePieces.pop() ?? Buffer.allocUnsafeSlow(pieceBytes));
        this.#end = 0;
      }
      const until = Math.min(end, from + pieceBytes - this.#end);
      bytes.copy(this.#pieces[this.#pieces.length - 1] as Buffer, this.#end, from, until);
      this.#end += until - from;
      from = until;
    }
    this.length += end - start;
  }

  /** Takes the first `count` bytes into one DATA frame. */
  sendFrame(writer: FrameWriter, streamId: number, count: number): void {
    writer.beginData(streamId, count, false);
    let rest = count;
    while (rest > 0) {
      const piece = this.#pieces[0] as Buffer;
      const until = Math.min(pieceBytes, this.#start + rest);
      writer.dataBytes(piece, this.#start, until);
      rest -= until - this.#start;
      this.#start = until;
      if (until === pieceBytes) {
        this.#dropFirst();
      }
    }
    this.length -= count;
    if (this.length === 0) {
      this.clear();
    }
  }

  clear(): void {
    while (this.#pieces.length > 0) {
      this.#dropFirst();
    }
    this.length = 0;
    this.#end = pieceBytes;
  }

  #dropFirst(): void {
    const piece = this.#pieces.shift();
    this.#start = 0;
    if (piece !== undefined && freePieces.length < maxFreePieces) {
      freePieces.push(piece);
    }
  }
}

import type { HeadFields, RequestEncoder } from '@weft/http-codec';

/** Room that a stream's object keeps once it had a body: most messages of gRPC and most forms fit. */
export const keptRoomBytes = 1024;

/** A request body kept so that it can be sent later, or again. */
export class BodyBuffer {
  /** The body's first bytes, as far as they fit; used again for the next body. */
  #room: Buffer | undefined = undefined;
  #roomUsed = 0;
  readonly #pieces: Buffer[] = [];
  #length = 0;
  trailers: HeadFields | undefined = undefined;

  get length(): number {
    return this.#length;
  }

  append(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    if (this.#pieces.length === 0 && this.#roomUsed + size <= keptRoomBytes) {
      this.#room ??= Buffer.allocUnsafeSlow(keptRoomBytes);
      bytes.copy(this.#room, this.#roomUsed, start, end);
      this.#roomUsed += size;
    } else {
      this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    }
    this.#length += size;
  }

  /** Whoever gets the pieces has copied them when its `encodeData` returns. */
  replay(encoder: Pick<RequestEncoder, 'encodeData'>): void {
    if (this.#room !== undefined && this.#roomUsed > 0) {
      encoder.encodeData(this.#room, 0, this.#roomUsed);
    }
    for (const piece of this.#pieces) {
      encoder.encodeData(piece, 0, piece.length);
    }
  }

  clear(): void {
    if (this.#length > 0) {
      this.#pieces.length = 0;
      this.#length = 0;
      this.#roomUsed = 0;
    }
    this.trailers = undefined;
  }
}

import type { HeadFields, RequestEncoder } from '@weft/http-codec';

/** A request body kept so that it can be sent later, or again. */
export class BodyBuffer {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  trailers: HeadFields | undefined = undefined;

  get length(): number {
    return this.#length;
  }

  append(bytes: Buffer, start: number, end: number): void {
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.#length += end - start;
  }

  replay(encoder: Pick<RequestEncoder, 'encodeData'>): void {
    for (const piece of this.#pieces) {
      encoder.encodeData(piece, 0, piece.length);
    }
  }

  clear(): void {
    if (this.#length > 0) {
      this.#pieces.length = 0;
      this.#length = 0;
    }
    this.trailers = undefined;
  }
}

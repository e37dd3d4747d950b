import { maxContinuationFrames } from './flood-limits.ts';
import { Flag, max31, readUint32 } from './protocol.ts';

const initialBytes = 4096;

/** Takes the field block out of HEADERS, and puts it together when CONTINUATION follows. */
export class BlockAssembly {
  /** Of the HEADERS frame that came last. */
  endStream = false;
  /** Its priority names its own stream (RFC 7540 §5.3.1). */
  dependsOnItself = false;
  /** Where the block lies: in the frame, or in `bytes` when it came in several. */
  start = 0;
  end = 0;
  bytes: Buffer | undefined = undefined;
  readonly #maxBytes: number;
  #frames = 0;

  /** @param maxBytes of a block that comes in several frames. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reads a HEADERS frame. @returns false when its padding is longer than itself. */
  readHeaders(flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    let from = start;
    let padding = 0;
    if ((flags & Flag.padded) !== 0) {
      padding = from < end ? (bytes[from] as number) : 256;
      from += 1;
    }
    this.dependsOnItself = false;
    if ((flags & Flag.priority) !== 0) {
      this.dependsOnItself = from + 5 <= end && (readUint32(bytes, from) & max31) === streamId;
      from += 5;
    }
    this.endStream = (flags & Flag.endStream) !== 0;
    this.start = from;
    this.end = end - padding;
    return from <= this.end;
  }

  /** Keeps the block of the HEADERS frame just read, as more follows. @returns what is too much. */
  begin(bytes: Buffer): string | undefined {
    const { start, end } = this;
    this.#frames = 0;
    this.start = 0;
    this.end = 0;
    return this.#keep(bytes, start, end);
  }

  /** Adds the payload of a CONTINUATION frame. @returns what is too much. */
  add(bytes: Buffer, start: number, end: number): string | undefined {
    this.#frames += 1;
    return this.#frames > maxContinuationFrames ? 'too many CONTINUATION frames' : this.#keep(bytes, start, end);
  }

  #keep(bytes: Buffer, start: number, end: number): string | undefined {
    const length = this.end + end - start;
    if (length > this.#maxBytes) {
      return 'a head that is too long';
    }
    let block = this.bytes;
    if (block === undefined || block.length < length) {
      block = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(initialBytes, length * 2)));
      this.bytes?.copy(block, 0, 0, this.end);
      this.bytes = block;
    }
    bytes.copy(block, this.end, start, end);
    this.end = length;
    return undefined;
  }

  /** Gives the memory back; `start` and `end` stay. @returns the bytes of the block. */
  take(): Buffer | undefined {
    const block = this.bytes;
    this.bytes = undefined;
    return block;
  }
}

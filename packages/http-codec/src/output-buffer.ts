/**
 * Gathers what is to be written to one connection. Bytes are copied into chunks that come from free lists and go
 * back to them after the write, so that steady traffic allocates nothing and an idle connection holds nothing. The first chunk is a small one: when answers to
 * thousands of clients come at once, each has its chunk.
 */

/** Room for a whole read of 64 KiB with its framing and a head. */
export const chunkSizeBytes: number = 68 * 1024;
/** Room for a few messages of usual size. */
export const smallChunkBytes: number = 4 * 1024;
/** Chunks kept for reuse; more are left to the garbage collector. */
export const maxFreeChunks = 64;
export const maxFreeSmallChunks = 512;

/** Bytes with Node's raw accessors, which are much cheaper than `write` and `toString` for short texts. */
export type RawBuffer = Buffer & {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
};

const freeChunks: RawBuffer[] = [];
const freeSmallChunks: RawBuffer[] = [];

function takeChunk(size: number): RawBuffer {
  return size <= smallChunkBytes
    ? (freeSmallChunks.pop() ?? (Buffer.allocUnsafeSlow(smallChunkBytes) as RawBuffer))
    : (freeChunks.pop() ?? (Buffer.allocUnsafeSlow(chunkSizeBytes) as RawBuffer));
}

/** Gives a chunk back after its bytes were written. Chunks of other sizes are dropped. */
export function releaseChunk(chunk: Buffer): void {
  if (chunk.length === smallChunkBytes) {
    if (freeSmallChunks.length < maxFreeSmallChunks) {
      freeSmallChunks.push(chunk as RawBuffer);
    }
  } else if (chunk.length === chunkSizeBytes && freeChunks.length < maxFreeChunks) {
    freeChunks.push(chunk as RawBuffer);
  }
}

const colon = 0x3a;
const space = 0x20;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Characters up to which a loop is faster than a call out of JavaScript. */
const shortText = 12;

/** @returns where the text ends. */
function putText(bytes: RawBuffer, at: number, text: string): number {
  const { length } = text;
  if (length > shortText) {
    bytes.latin1Write(text, at, length);
  } else {
    for (let index = 0; index < length; index += 1) {
      bytes[at + index] = text.charCodeAt(index);
    }
  }
  return at + length;
}

/** One full or last chunk with the number of bytes in it. */
export interface OutputChunk {
  readonly bytes: Buffer;
  readonly length: number;
}

/** Is told when an empty output gets its first bytes. */
export interface OutputOwner {
  outputReady(): void;
  /** Bytes that the kernel has not taken, those in the output among them; left out: nobody knows more than the output. */
  readonly queuedBytes?: number;
}

/** Append-only bytes. */
export class OutputBuffer {
  readonly #owner: OutputOwner | undefined;
  /** The chunk that is being filled; undefined when nothing is gathered. */
  #chunk: RawBuffer | undefined = undefined;
  #length = 0;
  /** How many chunks were begun. */
  #number = 0;
  #full: OutputChunk[] | undefined = undefined;
  #fullBytes = 0;

  constructor(owner?: OutputOwner) {
    this.#owner = owner;
  }

  /** Bytes gathered and not taken yet. */
  get byteLength(): number {
    return this.#fullBytes + this.#length;
  }

  /** Bytes that were appended and that the kernel has not taken, as far as the owner knows. */
  get queuedBytes(): number {
    return this.#owner?.queuedBytes ?? this.byteLength;
  }

  /** Where in its chunk the room begins that `claim` gave last. */
  claimedAt = 0;

  /**
   * Appends `size` bytes (at most a chunk) in one piece, for a caller that fills them at once.
   * @param following bytes that the caller appends next: if they fit into the chunk with those, they will be in it.
   * @returns the chunk; the room begins at `claimedAt`.
   */
  claim(size: number, following = 0): RawBuffer {
    const together = size + following;
    const chunk = this.#room(together <= chunkSizeBytes ? together : size);
    this.claimedAt = this.#length;
    this.claimedIn = this.#number;
    this.#length += size;
    return chunk;
  }

  /** The chunk in which `claim` gave room last: its number, which it keeps when it is made larger. */
  claimedIn = 0;

  /** The chunk with this number if the byte before `end` in it is the one appended last: then what is before it may still be changed. */
  endingAt(number: number, end: number): RawBuffer | undefined {
    return this.#number === number && this.#length === end ? this.#chunk : undefined;
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start: number, end: number): void {
    let from = start;
    for (;;) {
      const rest = end - from;
      let chunk = this.#chunk ?? this.#begin(rest);
      if (chunk.length - this.#length < rest && chunk.length === smallChunkBytes) {
        chunk = this.#enlarge(chunk);
      }
      const room = chunk.length - this.#length;
      if (rest <= room) {
        (source as Buffer).copy(chunk, this.#length, from, end);
        this.#length += rest;
        return;
      }
      (source as Buffer).copy(chunk, this.#length, from, from + room);
      this.#length += room;
      from += room;
      this.#finish();
    }
  }

  /** Appends text whose characters are all below U+0100. */
  latin1(text: string): void {
    const size = text.length;
    if (size > chunkSizeBytes) {
      this.copy(Buffer.from(text, 'latin1'), 0, size);
      return;
    }
    this.#room(size).latin1Write(text, this.#length, size);
    this.#length += size;
  }

  /** Appends a field line, without putting it together first; characters as in `latin1`. */
  field(name: string, value: string): void {
    const size = name.length + value.length + 4;
    if (size > chunkSizeBytes) {
      this.latin1(`${name}: ${value}\r\n`);
      return;
    }
    const chunk = this.claim(size);
    let at = putText(chunk, this.claimedAt, name);
    chunk[at] = colon;
    chunk[at + 1] = space;
    at = putText(chunk, at + 2, value);
    chunk[at] = carriageReturn;
    chunk[at + 1] = lineFeed;
  }

  /** Hands the gathered bytes to `write`, chunk by chunk; the receiver calls `releaseChunk` when it is done with one. */
  flush(write: (bytes: Buffer, length: number) => void): void {
    const full = this.#full;
    if (full !== undefined) {
      this.#full = undefined;
      this.#fullBytes = 0;
      for (const chunk of full) {
        write(chunk.bytes, chunk.length);
      }
    }
    const chunk = this.#chunk;
    if (chunk !== undefined) {
      const length = this.#length;
      this.#chunk = undefined;
      this.#length = 0;
      write(chunk, length);
    }
  }

  /** The chunk if there is only one (the usual case), to be written without a callback; `lastTakenLength` is its size. */
  takeSingle(): Buffer | undefined {
    if (this.#full !== undefined) {
      return undefined;
    }
    const chunk = this.#chunk;
    this.lastTakenLength = this.#length;
    this.#chunk = undefined;
    this.#length = 0;
    return chunk;
  }

  lastTakenLength = 0;

  /** Throws the gathered bytes away. */
  discard(): void {
    this.flush(releaseChunk);
  }

  /** The chunk with room for `size` more bytes, which are at most a chunk. */
  #room(size: number): RawBuffer {
    const chunk = this.#chunk;
    if (chunk === undefined) {
      return this.#begin(size);
    }
    if (chunk.length - this.#length >= size) {
      return chunk;
    }
    if (chunk.length === smallChunkBytes && this.#length + size <= chunkSizeBytes) {
      return this.#enlarge(chunk);
    }
    this.#finish();
    return this.#begin(size);
  }

  #begin(size: number): RawBuffer {
    const chunk = takeChunk(size);
    this.#chunk = chunk;
    this.#number += 1;
    this.#length = 0;
    this.#owner?.outputReady();
    return chunk;
  }

  /** Puts what is in a small chunk into a large one, so that it still is one. */
  #enlarge(small: RawBuffer): RawBuffer {
    const chunk = takeChunk(chunkSizeBytes);
    small.copy(chunk, 0, 0, this.#length);
    releaseChunk(small);
    this.#chunk = chunk;
    return chunk;
  }

  #finish(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) {
      return;
    }
    this.#full ??= [];
    this.#full.push({ bytes: chunk, length: this.#length });
    this.#fullBytes += this.#length;
    this.#chunk = undefined;
    this.#length = 0;
  }
}

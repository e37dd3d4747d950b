import type { OutputBuffer, RawBuffer } from '../output-buffer.ts';
import type { FieldBlock } from './hpack/encoder.ts';
import { ErrorCode, Flag, FrameType, frameHeaderBytes, minMaxFrameBytes } from './protocol.ts';

/** Debug data of a GOAWAY are cut to this. */
const maxDebugBytes = 128;

/** Writes frames into the output of a connection, and counts what the peer has not taken. */
export class FrameWriter {
  /** SETTINGS_MAX_FRAME_SIZE of the peer. */
  maxFrameBytes: number = minMaxFrameBytes;
  /** Frames that the peer has perhaps not taken, and answers and resets among them; see `countTaken`. */
  untakenFrames = 0;
  untakenControlFrames = 0;
  /** DATA frames ever written. */
  dataFrames = 0;
  readonly #out: OutputBuffer;
  /** The frame written last, if END_STREAM may be added to it: the number of its chunk (0: none), where its flags are, where it ends. */
  #lastIn = 0;
  #lastFlagsAt = 0;
  #lastEnd = 0;
  #lastStreamId = 0;
  /** Length of its payload if it is DATA, else 0. */
  #lastDataLength = 0;
  /** Bytes of all frames ever written; those up to `#generationEnd` are of the older generation. */
  #written = 0;
  #generationEnd = 0;
  #oldFrames = 0;
  #oldControlFrames = 0;

  constructor(out: OutputBuffer) {
    this.#out = out;
  }

  /**
   * Forgets frames that the peer has taken. They are counted in two generations, and one is forgotten when its last byte was taken,
   * so that a peer that reads slowly but does read is never counted up.
   */
  countTaken(): void {
    const taken = this.#written - this.#out.queuedBytes;
    if (taken >= this.#generationEnd) {
      const all = taken >= this.#written;
      this.#generationEnd = this.#written;
      this.untakenFrames = all ? 0 : this.untakenFrames - this.#oldFrames;
      this.untakenControlFrames = all ? 0 : this.untakenControlFrames - this.#oldControlFrames;
      this.#oldFrames = this.untakenFrames;
      this.#oldControlFrames = this.untakenControlFrames;
    }
  }

  /** Writes a frame's header and room for `payload` bytes behind it in one piece. @returns where the payload begins. */
  #frame(type: number, flags: number, streamId: number, length: number, payload: number): number {
    const out = this.#out;
    const chunk = out.claim(frameHeaderBytes + payload, length - payload);
    const at = out.claimedAt;
    writeLength(chunk, at, length);
    chunk[at + 3] = type;
    chunk[at + 4] = flags;
    writeUint32(chunk, at + 5, streamId);
    this.#chunk = chunk;
    this.#lastIn = 0;
    this.untakenFrames += 1;
    this.#written += frameHeaderBytes + length;
    return at + frameHeaderBytes;
  }

  #chunk: RawBuffer = emptyChunk;

  /** The header of a DATA frame; its `length` bytes are to follow by `dataBytes`. */
  beginData(streamId: number, length: number, endStream: boolean): void {
    const at = this.#frame(FrameType.data, endStream ? Flag.endStream : 0, streamId, length, 0);
    this.dataFrames += 1;
    if (!endStream) {
      this.#rememberLast(streamId, at);
      this.#lastDataLength = length;
    }
  }

  dataBytes(bytes: Buffer, start: number, end: number): void {
    this.#out.copy(bytes, start, end);
    this.#lastEnd += end - start;
  }

  /**
   * `bytes[start, end)` in frames that the peer takes. What comes behind DATA of the same stream goes into its frame, so that a body in
   * many small pieces is not many small frames.
   */
  data(streamId: number, bytes: Buffer, start: number, end: number): void {
    let from = start;
    const chunk = this.#lastStreamId === streamId ? this.#out.endingAt(this.#lastIn, this.#lastEnd) : undefined;
    if (chunk !== undefined && this.#lastDataLength > 0 && this.#lastDataLength < this.maxFrameBytes) {
      from = Math.min(end, start + this.maxFrameBytes - this.#lastDataLength);
      this.#lastDataLength += from - start;
      this.#written += from - start;
      writeLength(chunk, this.#lastFlagsAt - 4, this.#lastDataLength);
      this.dataBytes(bytes, start, from);
    }
    while (from < end) {
      const until = end - from > this.maxFrameBytes ? from + this.maxFrameBytes : end;
      this.beginData(streamId, until - from, false);
      this.dataBytes(bytes, from, until);
      from = until;
    }
  }

  /** Ends the stream: on its last frame, if that is the last one in the output, else by an empty DATA frame. */
  endStream(streamId: number): void {
    const chunk = this.#lastStreamId === streamId ? this.#out.endingAt(this.#lastIn, this.#lastEnd) : undefined;
    if (chunk !== undefined) {
      chunk[this.#lastFlagsAt] = (chunk[this.#lastFlagsAt] as number) | Flag.endStream;
      this.#lastIn = 0;
      return;
    }
    this.beginData(streamId, 0, true);
  }

  #rememberLast(streamId: number, payloadAt: number): void {
    this.#lastIn = this.#out.claimedIn;
    this.#lastFlagsAt = payloadAt - frameHeaderBytes + 4;
    this.#lastEnd = payloadAt;
    this.#lastStreamId = streamId;
    this.#lastDataLength = 0;
  }

  /** HEADERS with as many CONTINUATION frames as the peer's frame size asks for. */
  headers(streamId: number, block: FieldBlock, endStream: boolean): void {
    const { bytes, length } = block;
    const end = endStream ? Flag.endStream : 0;
    if (length <= this.maxFrameBytes) {
      const at = this.#frame(FrameType.headers, Flag.endHeaders | end, streamId, length, 0);
      if (!endStream) {
        this.#rememberLast(streamId, at);
        this.#lastEnd += length;
      }
      this.#out.copy(bytes, 0, length);
      return;
    }
    for (let from = 0; from < length; from += this.maxFrameBytes) {
      const until = Math.min(length, from + this.maxFrameBytes);
      const flags = (until === length ? Flag.endHeaders : 0) | (from === 0 ? end : 0);
      this.#frame(from === 0 ? FrameType.headers : FrameType.continuation, flags, streamId, until - from, 0);
      this.#out.copy(bytes, from, until);
    }
  }

  /** @param pairs identifier and value in turn. */
  settings(pairs: readonly number[]): void {
    const length = (pairs.length / 2) * 6;
    let at = this.#frame(FrameType.settings, 0, 0, length, length);
    const chunk = this.#chunk;
    for (let index = 0; index < pairs.length; index += 2) {
      const id = pairs[index] as number;
      chunk[at] = id >>> 8;
      chunk[at + 1] = id;
      writeUint32(chunk, at + 2, pairs[index + 1] as number);
      at += 6;
    }
  }

  settingsAck(): void {
    this.untakenControlFrames += 1;
    this.#frame(FrameType.settings, Flag.ack, 0, 0, 0);
  }

  /** A PING of ours that carries `id`. */
  ping(id: number): void {
    const at = this.#frame(FrameType.ping, 0, 0, 8, 8);
    writeUint32(this.#chunk, at, pingMark);
    writeUint32(this.#chunk, at + 4, id);
  }

  /** The answer to a PING with the 8 octets at `bytes[start]`. */
  pingAck(bytes: Buffer, start: number): void {
    this.untakenControlFrames += 1;
    this.#frame(FrameType.ping, Flag.ack, 0, 8, 0);
    this.#out.copy(bytes, start, start + 8);
  }

  windowUpdate(streamId: number, increment: number): void {
    const at = this.#frame(FrameType.windowUpdate, 0, streamId, 4, 4);
    writeUint32(this.#chunk, at, increment);
  }

  rstStream(streamId: number, code: number): void {
    if (code !== ErrorCode.noError) {
      this.untakenControlFrames += 1;
    }
    const at = this.#frame(FrameType.rstStream, 0, streamId, 4, 4);
    writeUint32(this.#chunk, at, code);
  }

  goaway(lastStreamId: number, code: number, debug: string): void {
    const text = debug.slice(0, maxDebugBytes);
    const at = this.#frame(FrameType.goaway, 0, 0, 8 + text.length, 8);
    writeUint32(this.#chunk, at, lastStreamId);
    writeUint32(this.#chunk, at + 4, code);
    if (text !== '') {
      this.#out.latin1(text);
    }
  }
}

/** `weft`: by this a PING's answer is known to be the answer to one of ours. */
export const pingMark = 0x77656674;

const emptyChunk = Buffer.alloc(0) as RawBuffer;

function writeLength(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

import { ErrorCode, Flag, FrameType, frameHeaderBytes, readUint32 } from './protocol.ts';

/** Who works with frames. Bytes are valid during the call only. */
export interface FrameHandler {
  /** A frame that is no DATA, complete, its length and stream id checked against its type. */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
  /**
   * A DATA frame begins.
   * @param length of its payload with padding: what flow control counts (RFC 9113 §6.9.1).
   * @param dataLength without padding.
   */
  onDataFrame(flags: number, streamId: number, length: number, dataLength: number): void;
  /** A piece of the DATA frame that began last. `last`: the frame has no more; then the piece may be empty. */
  onDataPiece(bytes: Buffer, start: number, end: number, last: boolean): void;
  /** A frame of a type that we do not know was skipped. */
  onUnknownFrame(type: number): void;
  /** A frame with which its stream is wrong, but not the connection (a PRIORITY of wrong length). */
  onStreamFrameError(streamId: number, code: number, problem: string): void;
  /** The connection is in error: nothing more is read. */
  onFrameError(code: number, problem: string): void;
}

const inHeader = 0;
const inPayload = 1;
const inSkipped = 2;
const inPadLength = 3;
const inData = 4;
const inPadding = 5;

const nothing = Buffer.alloc(0);

/**
 * Takes bytes apart into frames, however they are cut. The payload of DATA is handed on from where it lies; of other
 * frames at most one is kept, and only when it came in pieces.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #maxFrameBytes: number;
  readonly #header: Buffer = Buffer.alloc(frameHeaderBytes);
  #headerLength = 0;
  #state = inHeader;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of the payload that are still to come; for DATA without the padding. */
  #remaining = 0;
  #padding = 0;
  /** The payload of a frame that came in pieces. */
  #kept: Buffer | undefined = undefined;
  #keptLength = 0;
  /** The stream whose field block is not complete: only its CONTINUATION may come. */
  #continues = 0;
  #stopped = false;

  constructor(handler: FrameHandler, maxFrameBytes: number) {
    this.#handler = handler;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Reads nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#kept = undefined;
  }

  /** The stream whose head was begun but is not complete; 0: none. */
  get headStreamId(): number {
    if (this.#continues !== 0) {
      return this.#continues;
    }
    return this.#state === inPayload && this.#type === FrameType.headers ? this.#streamId : 0;
  }

  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      switch (this.#state) {
        case inHeader:
          at = this.#readHeader(bytes, at, end);
          break;
        case inPayload:
          at = this.#readPayload(bytes, at, end);
          break;
        case inData: {
          const until = end - at < this.#remaining ? end : at + this.#remaining;
          this.#remaining -= until - at;
          if (this.#remaining === 0) {
            this.#state = this.#padding > 0 ? inPadding : inHeader;
          }
          this.#handler.onDataPiece(bytes, at, until, this.#state === inHeader);
          at = until;
          break;
        }
        case inPadLength:
          this.#beginPaddedData(bytes[at] as number);
          at += 1;
          break;
        case inPadding: {
          const until = end - at < this.#padding ? end : at + this.#padding;
          this.#padding -= until - at;
          at = until;
          if (this.#padding === 0) {
            this.#state = inHeader;
            this.#handler.onDataPiece(nothing, 0, 0, true);
          }
          break;
        }
        default: {
          const until = end - at < this.#remaining ? end : at + this.#remaining;
          this.#remaining -= until - at;
          at = until;
          if (this.#remaining === 0) {
            this.#state = inHeader;
          }
        }
      }
    }
  }

  #readHeader(bytes: Buffer, from: number, end: number): number {
    if (this.#headerLength === 0 && end - from >= frameHeaderBytes) {
      this.#begin(bytes, from);
      return from + frameHeaderBytes;
    }
    const until = Math.min(end, from + frameHeaderBytes - this.#headerLength);
    bytes.copy(this.#header, this.#headerLength, from, until);
    this.#headerLength += until - from;
    if (this.#headerLength === frameHeaderBytes) {
      this.#headerLength = 0;
      this.#begin(this.#header, 0);
    }
    return until;
  }

  #begin(bytes: Buffer, at: number): void {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const type = bytes[at + 3] as number;
    // The reserved bit before the id is ignored (RFC 9113 §4.1).
    const streamId = readUint32(bytes, at + 5) & 0x7fff_ffff;
    this.#type = type;
    this.#flags = bytes[at + 4] as number;
    this.#streamId = streamId;
    this.#remaining = length;
    if (length > this.#maxFrameBytes) {
      this.#fail(ErrorCode.frameSizeError, 'a frame longer than SETTINGS_MAX_FRAME_SIZE');
      return;
    }
    if (this.#continues !== 0 ? type !== FrameType.continuation || streamId !== this.#continues : type === 9) {
      this.#fail(
        ErrorCode.protocolError,
        type === FrameType.continuation ? 'CONTINUATION without a head before it' : 'a frame inside a field block',
      );
      return;
    }
    switch (type) {
      case FrameType.data:
        this.#beginData(length);
        return;
      case FrameType.headers:
      case FrameType.continuation:
      case FrameType.pushPromise:
        this.#expect(streamId !== 0, true, 0);
        break;
      case FrameType.priority:
        if (length !== 5 && streamId !== 0) {
          this.#state = length === 0 ? inHeader : inSkipped;
          this.#handler.onStreamFrameError(streamId, ErrorCode.frameSizeError, 'PRIORITY is 5 octets');
          return;
        }
        this.#expect(streamId !== 0, true, 5);
        break;
      case FrameType.rstStream:
        this.#expect(streamId !== 0, length === 4, 4);
        break;
      case FrameType.windowUpdate:
        this.#expect(true, length === 4, 4);
        break;
      case FrameType.ping:
        this.#expect(streamId === 0, length === 8, 8);
        break;
      case FrameType.goaway:
        this.#expect(streamId === 0, length >= 8, 8);
        break;
      case FrameType.settings:
        this.#expect(streamId === 0, (this.#flags & Flag.ack) !== 0 ? length === 0 : length % 6 === 0, 6);
        break;
      default:
        this.#state = length === 0 ? inHeader : inSkipped;
        this.#handler.onUnknownFrame(type);
        return;
    }
    if (this.#stopped) {
      return;
    }
    this.#state = inPayload;
    if (length === 0) {
      this.#dispatch(nothing, 0, 0);
    }
  }

  #expect(goodId: boolean, goodLength: boolean, usual: number): void {
    if (!goodId) {
      this.#fail(ErrorCode.protocolError, 'a frame on a stream id that its type cannot have');
    } else if (!goodLength) {
      this.#fail(ErrorCode.frameSizeError, `a frame of a wrong length, ${usual} is usual`);
    }
  }

  #beginData(length: number): void {
    if (this.#streamId === 0) {
      this.#fail(ErrorCode.protocolError, 'DATA on stream 0');
      return;
    }
    if ((this.#flags & Flag.padded) !== 0) {
      if (length === 0) {
        this.#fail(ErrorCode.frameSizeError, 'padded DATA without a pad length');
        return;
      }
      this.#state = inPadLength;
      return;
    }
    this.#padding = 0;
    this.#state = length === 0 ? inHeader : inData;
    this.#handler.onDataFrame(this.#flags, this.#streamId, length, length);
    if (length === 0 && !this.#stopped) {
      this.#handler.onDataPiece(nothing, 0, 0, true);
    }
  }

  #beginPaddedData(padding: number): void {
    const length = this.#remaining;
    if (padding >= length) {
      this.#fail(ErrorCode.protocolError, 'padding longer than its frame');
      return;
    }
    this.#padding = padding;
    this.#remaining = length - 1 - padding;
    this.#state = this.#remaining > 0 ? inData : padding > 0 ? inPadding : inHeader;
    const done = this.#state === inHeader;
    this.#handler.onDataFrame(this.#flags, this.#streamId, length, this.#remaining);
    if (done && !this.#stopped) {
      this.#handler.onDataPiece(nothing, 0, 0, true);
    }
  }

  #readPayload(bytes: Buffer, from: number, end: number): number {
    const kept = this.#kept;
    const until = end - from < this.#remaining ? end : from + this.#remaining;
    if (kept === undefined) {
      if (until - from === this.#remaining) {
        this.#remaining = 0;
        this.#dispatch(bytes, from, until);
        return until;
      }
      const begun = Buffer.allocUnsafeSlow(this.#remaining);
      bytes.copy(begun, 0, from, until);
      this.#kept = begun;
      this.#keptLength = until - from;
      this.#remaining -= until - from;
      return until;
    }
    bytes.copy(kept, this.#keptLength, from, until);
    this.#keptLength += until - from;
    this.#remaining -= until - from;
    if (this.#remaining === 0) {
      this.#kept = undefined;
      this.#dispatch(kept, 0, this.#keptLength);
    }
    return until;
  }

  #dispatch(bytes: Buffer, start: number, end: number): void {
    this.#state = inHeader;
    const type = this.#type;
    if (type === FrameType.headers || type === FrameType.continuation) {
      this.#continues = (this.#flags & Flag.endHeaders) !== 0 ? 0 : this.#streamId;
    }
    this.#handler.onFrame(type, this.#flags, this.#streamId, bytes, start, end);
  }

  #fail(code: number, problem: string): void {
    this.stop();
    this.#handler.onFrameError(code, problem);
  }
}

import { hexDigit, tokenLower } from '../byte-class.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';
import { takeFields } from '../trailer-fields.ts';
import { FieldScanner, needMore, refused } from './field-scanner.ts';
import type { Http1Limits } from './limits.ts';

/** Who receives a body. Bytes are valid during the call only. */
export interface BodySink {
  onBodyData(bytes: Buffer, start: number, end: number): void;
  /** `trailers` is undefined when there were none. Called once; not after an error. */
  onBodyEnd(trailers: HeadFields | undefined): void;
}

const byLength = 1;
const untilClose = 2;
const sizeStart = 3;
const inSize = 4;
const extension = 5;
const extensionName = 6;
const extensionValue = 7;
const extensionQuoted = 8;
const quotedPair = 9;
const afterQuoted = 10;
const sizeLf = 11;
const inChunk = 12;
const chunkCr = 13;
const chunkLf = 14;
const inTrailers = 15;
const extensionToken = 16;
const done = 0;

/** 2^48: sizes beyond it are refused, so that no arithmetic loses digits. */
const maxSizeDigits = 12;

/** Takes a message body out of its framing: by length, chunked (RFC 9112 §7.1) or up to the end of the connection. */
export class BodyDecoder {
  error: CodecErrorDetail = 'http1.invalid_chunk';
  readonly #limits: Http1Limits;
  #state = done;
  #remaining = 0;
  #digits = 0;
  #lineBytes = 0;
  #extensionBytes = 0;
  #scanner: FieldScanner | undefined = undefined;
  #trailers: HeadFields | undefined = undefined;
  #trailerFrom = 0;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  get active(): boolean {
    return this.#state !== done;
  }

  beginLength(length: number): void {
    this.#remaining = length;
    this.#state = byLength;
  }

  beginChunked(): void {
    this.#state = sizeStart;
    this.#extensionBytes = 0;
  }

  beginUntilClose(): void {
    this.#state = untilClose;
  }

  reset(): void {
    this.#state = done;
    this.#trailers = undefined;
  }

  /** The connection ended. @returns whether the body is complete by that; `onBodyEnd` was called then. */
  end(sink: BodySink): boolean {
    if (this.#state !== untilClose) {
      return false;
    }
    this.#state = done;
    sink.onBodyEnd(undefined);
    return true;
  }

  /** Decodes `bytes[from, end)`. @returns the position after what belongs to the body, or `refused`. */
  decode(bytes: Buffer, from: number, end: number, sink: BodySink): number {
    let at = from;
    while (at < end) {
      switch (this.#state) {
        case byLength: {
          const until = end - at < this.#remaining ? end : at + this.#remaining;
          this.#remaining -= until - at;
          const last = this.#remaining === 0;
          if (last) {
            this.#state = done;
          }
          sink.onBodyData(bytes, at, until);
          if (last) {
            sink.onBodyEnd(undefined);
            return until;
          }
          at = until;
          break;
        }
        case untilClose:
          sink.onBodyData(bytes, at, end);
          return end;
        case inChunk: {
          const until = end - at < this.#remaining ? end : at + this.#remaining;
          this.#remaining -= until - at;
          if (this.#remaining === 0) {
            this.#state = chunkCr;
          }
          sink.onBodyData(bytes, at, until);
          at = until;
          break;
        }
        case chunkCr:
        case chunkLf:
          if (bytes[at] !== (this.#state === chunkCr ? 0x0d : 0x0a)) {
            return this.#refuse('http1.invalid_chunk');
          }
          this.#state = this.#state === chunkCr ? chunkLf : sizeStart;
          at += 1;
          break;
        case inTrailers:
          return this.#decodeTrailers(bytes, at, end, sink);
        case done:
          return at;
        default:
          at = this.#decodeSizeLine(bytes, at, end);
          if (at < 0) {
            return at;
          }
      }
    }
    return at;
  }

  #decodeSizeLine(bytes: Buffer, from: number, end: number): number {
    let at = from;
    let state = this.#state;
    while (at < end) {
      const byte = bytes[at] as number;
      if (state === sizeStart || state === inSize) {
        const digit = hexDigit[byte] as number;
        if (digit !== 255) {
          if (state === sizeStart) {
            this.#remaining = 0;
            this.#digits = 0;
            this.#lineBytes = 0;
            state = inSize;
          }
          if (this.#digits >= maxSizeDigits) {
            return this.#refuse('http1.invalid_chunk');
          }
          this.#remaining = this.#remaining * 16 + digit;
          this.#digits += 1;
        } else if (state === inSize && byte === 0x0d) {
          state = sizeLf;
        } else if (state === inSize && byte === 0x3b) {
          state = extension;
        } else {
          return this.#refuse('http1.invalid_chunk');
        }
      } else if (state === sizeLf) {
        if (byte !== 0x0a) {
          return this.#refuse('http1.invalid_chunk');
        }
        this.#state = this.#remaining === 0 ? inTrailers : inChunk;
        return at + 1;
      } else {
        state = nextExtensionState(state, byte);
        this.#extensionBytes += 1;
        if (state < 0) {
          return this.#refuse('http1.invalid_chunk');
        }
        if (this.#extensionBytes > this.#limits.maxChunkExtensionBytes) {
          return this.#refuse('http1.chunk_line_too_long');
        }
      }
      this.#lineBytes += 1;
      if (this.#lineBytes > this.#limits.maxChunkLineBytes) {
        return this.#refuse('http1.chunk_line_too_long');
      }
      at += 1;
    }
    this.#state = state;
    return at;
  }

  #decodeTrailers(bytes: Buffer, from: number, end: number, sink: BodySink): number {
    // The usual end, an empty trailer section in one piece, needs no scanner.
    if (this.#trailers === undefined && end - from >= 2 && bytes[from] === 0x0d && bytes[from + 1] === 0x0a) {
      this.#state = done;
      sink.onBodyEnd(undefined);
      return from + 2;
    }
    this.#scanner ??= new FieldScanner();
    let trailers = this.#trailers;
    if (trailers === undefined) {
      trailers = takeFields();
      this.#trailers = trailers;
      this.#scanner.begin();
      this.#trailerFrom = 0;
    }
    const before = trailers.size;
    const room = this.#limits.maxTrailerBytes + 1 - before;
    trailers.append(bytes, from, Math.min(end, from + room));
    const after = this.#scanner.scan(
      trailers.bytes,
      0,
      this.#trailerFrom,
      trailers.size,
      trailers,
      this.#limits.maxFields,
    );
    if (after === refused) {
      const tooMany = this.#scanner.error === 'http1.too_many_headers';
      return this.#refuse(tooMany ? 'http1.too_many_trailers' : this.#scanner.error);
    }
    if (after === needMore) {
      if (trailers.size > this.#limits.maxTrailerBytes) {
        return this.#refuse('http1.trailers_too_large');
      }
      this.#trailerFrom = trailers.size;
      return end;
    }
    for (let index = 0; index < trailers.count; index += 1) {
      const id = trailers.idAt(index);
      // RFC 9110 §6.5.1: fields that frame or route a message are worthless in a trailer, and dangerous if merged.
      if (id !== KnownHeader.unknown && id <= KnownHeader.lastFraming) {
        return this.#refuse('http1.codec_error');
      }
    }
    this.#state = done;
    this.#trailers = undefined;
    sink.onBodyEnd(trailers.count === 0 ? undefined : trailers);
    return from + (after - before);
  }

  #refuse(detail: CodecErrorDetail): number {
    this.error = detail;
    this.#state = done;
    return refused;
  }
}

/** `*( ";" token [ "=" ( token / quoted-string ) ] )` of RFC 9112 §7.1.1, without blanks. -1 = refused. */
function nextExtensionState(state: number, byte: number): number {
  switch (state) {
    case extension:
      return tokenLower[byte] === 0 ? -1 : extensionName;
    case extensionName:
      if (byte === 0x3d) {
        return extensionValue;
      }
      break;
    case extensionValue:
      if (byte === 0x22) {
        return extensionQuoted;
      }
      return tokenLower[byte] === 0 ? -1 : extensionToken;
    case extensionQuoted:
      if (byte === 0x22) {
        return afterQuoted;
      }
      if (byte === 0x5c) {
        return quotedPair;
      }
      return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? extensionQuoted : -1;
    case quotedPair:
      return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f) ? extensionQuoted : -1;
    default:
  }
  if (byte === 0x0d) {
    return sizeLf;
  }
  if (byte === 0x3b) {
    return extension;
  }
  return state !== afterQuoted && tokenLower[byte] !== 0 ? state : -1;
}

import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { FieldScanner, needMore, refused } from './field-scanner.ts';
import type { Http1Limits } from './limits.ts';

/** Scans the first line of a head. */
export interface StartLineScanner {
  begin(): void;
  scan(bytes: Buffer, base: number, from: number, end: number): number;
}

const blank = 0;
const startLine = 1;
const fieldLines = 2;

/**
 * Collects one message head. A head that comes in one piece (the usual case) is scanned where it lies and then copied
 * once; pieces are gathered in the head's own storage, and scanning goes on where it stopped, so that each byte is
 * looked at once however slowly it comes.
 */
export class HeadReader<Head extends HeadFields> {
  error: CodecErrorDetail = 'http1.codec_error';
  readonly #limits: Http1Limits;
  readonly #line: StartLineScanner & { readonly error?: CodecErrorDetail };
  readonly #fields = new FieldScanner();
  #state = blank;
  #blankLines = 0;
  #carriageReturn = false;
  /** Where scanning goes on, relative to the head. */
  #position = 0;

  constructor(limits: Http1Limits, line: StartLineScanner & { readonly error?: CodecErrorDetail }) {
    this.#limits = limits;
    this.#line = line;
  }

  begin(): void {
    this.#state = blank;
    this.#blankLines = 0;
    this.#carriageReturn = false;
    this.#position = 0;
    this.#line.begin();
    this.#fields.begin();
  }

  /** Something of the head itself has arrived. */
  get started(): boolean {
    return this.#state !== blank;
  }

  /** @returns the position in `bytes` after the head, `needMore` or `refused`. */
  read(bytes: Buffer, from: number, end: number, head: Head): number {
    let at = from;
    if (this.#state === blank) {
      at = this.#skipBlankLines(bytes, at, end);
      if (at < 0 || at === end) {
        return at < 0 ? at : needMore;
      }
      this.#state = startLine;
    }
    if (head.size > 0) {
      return this.#readMore(bytes, at, end, head);
    }
    const limit = Math.min(end, at + this.#limits.maxHeadBytes + 1);
    const after = this.#scan(bytes, at, at, limit, head);
    if (after === refused) {
      return refused;
    }
    if (after === needMore) {
      if (limit - at > this.#limits.maxHeadBytes) {
        return this.#refuse('http1.headers_too_large');
      }
      head.append(bytes, at, end);
      this.#position = end - at;
      return needMore;
    }
    head.append(bytes, at, after);
    return after - at > this.#limits.maxHeadBytes ? this.#refuse('http1.headers_too_large') : after;
  }

  #readMore(bytes: Buffer, from: number, end: number, head: Head): number {
    const before = head.size;
    const until = Math.min(end, from + this.#limits.maxHeadBytes + 1 - before);
    head.append(bytes, from, until);
    const after = this.#scan(head.bytes, 0, this.#position, head.size, head);
    if (after === refused) {
      return refused;
    }
    if (after === needMore || after > this.#limits.maxHeadBytes) {
      if (head.size > this.#limits.maxHeadBytes) {
        return this.#refuse('http1.headers_too_large');
      }
      this.#position = head.size;
      return needMore;
    }
    head.size = after;
    return from + after - before;
  }

  #scan(bytes: Buffer, base: number, from: number, end: number, head: Head): number {
    let at = from;
    if (this.#state === startLine) {
      at = this.#line.scan(bytes, base, at, end);
      if (at < 0) {
        if (at === refused) {
          this.error = this.#line.error ?? 'http1.codec_error';
        }
        return at;
      }
      head.fieldsStart = at - base;
      this.#state = fieldLines;
    }
    at = this.#fields.scan(bytes, base, at, end, head, this.#limits.maxFields);
    if (at === refused) {
      this.error = this.#fields.error;
    }
    return at;
  }

  /** RFC 9112 §2.2: empty lines before a start line are ignored, a few of them. */
  #skipBlankLines(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end) {
      const byte = bytes[at];
      if (this.#carriageReturn) {
        if (byte !== 0x0a) {
          return this.#refuse('http1.codec_error');
        }
        this.#carriageReturn = false;
        this.#blankLines += 1;
        if (this.#blankLines > this.#limits.maxBlankLines) {
          return this.#refuse('http1.too_many_blank_lines');
        }
      } else if (byte === 0x0d) {
        this.#carriageReturn = true;
      } else {
        break;
      }
      at += 1;
    }
    return at;
  }

  #refuse(detail: CodecErrorDetail): number {
    this.error = detail;
    return refused;
  }
}

import { fieldValueByte, tokenLower } from '../byte-class.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import type { HeadFields } from '../head-fields.ts';
import { knownHeaderOf } from '../known-header.ts';

/** More bytes are needed. */
export const needMore = -1;
/** The message is refused; `FieldScanner.error` says why. */
export const refused = -2;

const lineStart = 0;
const inName = 1;
const beforeValue = 2;
const inValue = 3;
const afterValue = 4;
const finalLf = 5;

/**
 * Scans a field section byte by byte, with state that survives between pieces. Strict (RFC 9112 §5): CRLF only, no
 * folding, no blank before the colon, token names, no control bytes in values.
 */
export class FieldScanner {
  error: CodecErrorDetail = 'http1.codec_error';
  #state = lineStart;
  #hash = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;

  begin(): void {
    this.#state = lineStart;
  }

  /**
   * Scans `bytes[from, end)`; marks are made relative to `base`.
   * @returns the position after the empty line, `needMore` or `refused`.
   */
  scan(bytes: Buffer, base: number, from: number, end: number, fields: HeadFields, maxFields: number): number {
    let state = this.#state;
    let at = from;
    while (at < end) {
      if (state === inName) {
        let hash = this.#hash;
        while (at < end) {
          const lower = tokenLower[bytes[at] as number] as number;
          if (lower === 0) {
            break;
          }
          hash = (Math.imul(hash, 31) + lower) | 0;
          at += 1;
        }
        this.#hash = hash;
        if (at === end) {
          break;
        }
        if (bytes[at] !== 0x3a || at - base === this.#nameStart) {
          return this.#refuse('http1.invalid_characters');
        }
        this.#nameEnd = at - base;
        at += 1;
        state = beforeValue;
      } else if (state === beforeValue) {
        while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) {
          at += 1;
        }
        if (at === end) {
          break;
        }
        this.#valueStart = at - base;
        state = inValue;
      } else if (state === inValue) {
        while (at < end && fieldValueByte[bytes[at] as number] === 1) {
          at += 1;
        }
        if (at === end) {
          break;
        }
        if (bytes[at] !== 0x0d) {
          return this.#refuse('http1.invalid_characters');
        }
        this.#valueEnd = at - base;
        at += 1;
        state = afterValue;
      } else if (state === afterValue) {
        if (bytes[at] !== 0x0a) {
          return this.#refuse('http1.invalid_characters');
        }
        at += 1;
        this.#commit(bytes, base, fields);
        state = lineStart;
      } else if (state === lineStart) {
        if (bytes[at] === 0x0d) {
          fields.fieldsEnd = at - base;
          at += 1;
          state = finalLf;
          continue;
        }
        if (fields.count >= maxFields) {
          return this.#refuse('http1.too_many_headers');
        }
        this.#nameStart = at - base;
        this.#hash = 0;
        state = inName;
      } else {
        if (bytes[at] !== 0x0a) {
          return this.#refuse('http1.invalid_characters');
        }
        this.#state = lineStart;
        return at + 1;
      }
    }
    this.#state = state;
    return needMore;
  }

  #commit(bytes: Buffer, base: number, fields: HeadFields): void {
    const valueStart = this.#valueStart;
    let valueEnd = this.#valueEnd;
    while (valueEnd > valueStart) {
      const last = bytes[base + valueEnd - 1];
      if (last !== 0x20 && last !== 0x09) {
        break;
      }
      valueEnd -= 1;
    }
    const hash = this.#hash;
    const id = knownHeaderOf(bytes, base + this.#nameStart, base + this.#nameEnd, hash);
    fields.mark(this.#nameStart, this.#nameEnd, valueStart, valueEnd, hash, id);
  }

  #refuse(detail: CodecErrorDetail): number {
    this.error = detail;
    return refused;
  }
}

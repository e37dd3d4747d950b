import { fieldValueByte } from '../byte-class.ts';
import { needMore, refused } from './field-scanner.ts';

const prefix = Buffer.from('HTTP/1.', 'latin1');
const inReason = 13;
const finalLf = 14;

/**
 * Scans `HTTP/1.x SP status SP reason CRLF` (RFC 9112 §4). A missing blank before an empty reason is let through, as
 * many servers leave it out.
 */
export class StatusLineScanner {
  minorVersion = 1;
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  #at = 0;

  begin(): void {
    this.#at = 0;
    this.status = 0;
  }

  /** @returns the position after the line, `needMore` or `refused`; positions are relative to `base`. */
  scan(bytes: Buffer, base: number, from: number, end: number): number {
    let at = from;
    let state = this.#at;
    while (at < end) {
      const byte = bytes[at] as number;
      if (state < 7) {
        if (byte !== prefix[state]) {
          return refused;
        }
        state += 1;
      } else if (state === 7) {
        if (byte !== 0x31 && byte !== 0x30) {
          return refused;
        }
        this.minorVersion = byte - 0x30;
        state += 1;
      } else if (state === 8) {
        if (byte !== 0x20) {
          return refused;
        }
        state += 1;
      } else if (state < 12) {
        if (byte < 0x30 || byte > 0x39) {
          return refused;
        }
        this.status = this.status * 10 + byte - 0x30;
        state += 1;
      } else if (state === 12) {
        if (byte === 0x0d) {
          this.reasonStart = at - base;
          this.reasonEnd = at - base;
          state = finalLf;
        } else if (byte === 0x20) {
          this.reasonStart = at + 1 - base;
          state = inReason;
        } else {
          return refused;
        }
      } else if (state === inReason) {
        while (at < end && fieldValueByte[bytes[at] as number] === 1) {
          at += 1;
        }
        if (at === end) {
          break;
        }
        if (bytes[at] !== 0x0d) {
          return refused;
        }
        this.reasonEnd = at - base;
        state = finalLf;
      } else {
        if (byte !== 0x0a || this.status < 100) {
          return refused;
        }
        this.#at = 0;
        return at + 1;
      }
      at += 1;
    }
    this.#at = state;
    return needMore;
  }
}

import { targetByte, tokenLower } from '../byte-class.ts';
import type { CodecErrorDetail } from '../codec-error.ts';
import { needMore, refused } from './field-scanner.ts';

/** Longer methods are not methods. */
const maxMethodBytes = 32;

const inMethod = 0;
const inTarget = 1;
const inVersion = 2;
/** Bytes of the rest of the line after the target's blank; x stands for the minor version. */
const versionText = Buffer.from('HTTP/1.x\r\n', 'latin1');

/** Scans `method SP request-target SP HTTP/1.x CRLF` (RFC 9112 §3), with state that survives between pieces. */
export class RequestLineScanner {
  error: CodecErrorDetail = 'http1.codec_error';
  /** Positions relative to the base of the scan. The method begins at 0. */
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  minorVersion = 1;
  #state = inMethod;
  #version = 0;

  begin(): void {
    this.#state = inMethod;
    this.#version = 0;
  }

  /** @returns the position after the line, `needMore` or `refused`. */
  scan(bytes: Buffer, base: number, from: number, end: number): number {
    let at = from;
    if (this.#state === inMethod) {
      while (at < end && tokenLower[bytes[at] as number] !== 0) {
        at += 1;
      }
      if (at - base > maxMethodBytes) {
        return this.#refuse('http1.codec_error');
      }
      if (at === end) {
        return needMore;
      }
      if (bytes[at] !== 0x20 || at === base) {
        return this.#refuse('http1.codec_error');
      }
      this.methodEnd = at - base;
      at += 1;
      this.targetStart = at - base;
      this.#state = inTarget;
    }
    if (this.#state === inTarget) {
      while (at < end && targetByte[bytes[at] as number] === 1) {
        at += 1;
      }
      if (at === end) {
        return needMore;
      }
      if (bytes[at] !== 0x20 || at - base === this.targetStart) {
        return this.#refuse('http1.invalid_url');
      }
      this.targetEnd = at - base;
      at += 1;
      this.#state = inVersion;
    }
    let version = this.#version;
    while (at < end) {
      const byte = bytes[at] as number;
      if (version === 7) {
        if (byte !== 0x31 && byte !== 0x30) {
          return this.#refuse(byte >= 0x30 && byte <= 0x39 ? 'http1.unsupported_version' : 'http1.codec_error');
        }
        this.minorVersion = byte - 0x30;
      } else if (byte !== versionText[version]) {
        const digit = version === 5 && byte >= 0x30 && byte <= 0x39;
        return this.#refuse(digit ? 'http1.unsupported_version' : 'http1.codec_error');
      }
      at += 1;
      version += 1;
      if (version === 10) {
        this.#version = 0;
        return at;
      }
    }
    this.#version = version;
    return needMore;
  }

  #refuse(detail: CodecErrorDetail): number {
    this.error = detail;
    return refused;
  }
}

import type { CommandValue } from './commands.ts';
import { escapeText } from './escape.ts';

/** Room for a line, bytes; a longer one is put together as text. */
export const MAX_KEPT_LINE = 4 * 1024;

/** Bytes with Node's raw accessor, which is much cheaper than `write` for short texts. */
type TextBuffer = Buffer & { utf8Write(text: string, offset: number, length: number): number };

/** A piece of a line: text that is always the same, or a value of what is logged. */
export type LinePiece<Entry> = string | ((entry: Entry) => CommandValue);

const dash = 0x2d;
/** Characters that stand in a line as they are: printable ASCII but for `"` and `\`. */
const plain: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c ? 1 : 0,
);

/**
 * A line of a log as bytes. It is put over the line before it: values that are the same as then are there already, and most are; when a value has another
 * length, what stands behind it moves at once. So a line costs what is new in it, and makes no garbage.
 */
export class LogLine<Entry> {
  /** The line that was rendered last is `bytes[0, length)`, until the next one. */
  bytes: Buffer;
  length = 0;
  readonly #kept: TextBuffer = Buffer.allocUnsafeSlow(MAX_KEPT_LINE) as TextBuffer;
  /** Bytes of the line in `#kept`, of pieces that this line has and those that are still the line's before. */
  #keptLength = 0;
  /** There is no line in `#kept`. */
  #fresh = true;
  readonly #literals: readonly (Uint8Array | undefined)[];
  readonly #reads: readonly ((entry: Entry) => CommandValue)[];
  /** The values of the line in `#kept`, and where each piece of it ends. */
  readonly #values: CommandValue[];
  readonly #ends: number[];
  readonly #asText: (entry: Entry) => string;

  /** @param asText puts the line together as text; for long ones. */
  constructor(pieces: readonly LinePiece<Entry>[], asText: (entry: Entry) => string) {
    this.bytes = this.#kept;
    this.#literals = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : undefined));
    this.#reads = pieces.map((piece) => (typeof piece === 'string' ? () => undefined : piece));
    this.#values = pieces.map(() => undefined);
    this.#ends = pieces.map(() => 0);
    this.#asText = asText;
  }

  /** Puts the line of `entry` into `bytes`. */
  render(entry: Entry): void {
    const literals = this.#literals;
    const values = this.#values;
    const ends = this.#ends;
    const fresh = this.#fresh;
    let at = 0;
    /** How far what comes has moved. */
    let moved = 0;
    for (let index = 0; index < ends.length; index += 1) {
      const end = (ends[index] as number) + moved;
      const literal = literals[index];
      if (literal === undefined) {
        const value = (this.#reads[index] as (entry: Entry) => CommandValue)(entry);
        if (fresh || value !== values[index]) {
          values[index] = value;
          at = this.#writeValue(value, at, end);
        } else {
          at = end;
        }
      } else {
        at = fresh ? this.#writeLiteral(literal, at) : end;
      }
      if (at < 0) {
        this.#renderLong(entry);
        return;
      }
      ends[index] = at;
      moved += at - end;
    }
    this.#fresh = false;
    this.bytes = this.#kept;
    this.length = at;
  }

  #renderLong(entry: Entry): void {
    // What is kept is half of one line and half of another.
    this.#fresh = true;
    this.#ends.fill(0);
    this.#keptLength = 0;
    this.bytes = Buffer.from(this.#asText(entry), 'utf8');
    this.length = this.bytes.length;
  }

  /** Makes the piece `[start, end)` that long. @returns where it ends then; -1 when there is no room. */
  #resize(start: number, end: number, size: number): number {
    const after = start + size;
    if (after !== end) {
      const length = this.#keptLength;
      if (length + after - end > MAX_KEPT_LINE) {
        return -1;
      }
      if (length > end) {
        this.#kept.copyWithin(after, end, length);
      }
      this.#keptLength = length + after - end;
    }
    return after;
  }

  #writeLiteral(literal: Uint8Array, start: number): number {
    const end = this.#resize(start, start, literal.length);
    if (end >= 0) {
      this.#kept.set(literal, start);
    }
    return end;
  }

  /** Writes a value in place of the piece `[start, end)`. @returns where it ends; -1 when there is no room. */
  #writeValue(value: CommandValue, start: number, end: number): number {
    if (typeof value === 'string') {
      return this.#writeText(value, start, end);
    }
    if (value === undefined) {
      const after = this.#resize(start, end, 1);
      this.#kept[start] = dash;
      return after;
    }
    return value >= 0 && value <= 0x3fffffff && Number.isInteger(value)
      ? this.#writeInteger(value, start, end)
      : this.#writeText(String(value), start, end);
  }

  #writeInteger(value: number, start: number, end: number): number {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) {
      digits += 1;
    }
    const after = this.#resize(start, end, digits);
    const kept = this.#kept;
    let rest = value;
    for (let at = after - 1; at >= start; at -= 1) {
      const tens = (rest / 10) | 0;
      kept[at] = 0x30 + rest - tens * 10;
      rest = tens;
    }
    return after;
  }

  #writeText(text: string, start: number, end: number): number {
    const { length } = text;
    const after = this.#resize(start, end, length);
    if (after < 0) {
      return -1;
    }
    const kept = this.#kept;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f || plain[code] === 0) {
        return this.#writeEscaped(text, start, after);
      }
      kept[start + index] = code;
    }
    return after;
  }

  #writeEscaped(text: string, start: number, end: number): number {
    const escaped = escapeText(text);
    const size = Buffer.byteLength(escaped, 'utf8');
    const after = this.#resize(start, end, size);
    if (after >= 0) {
      this.#kept.utf8Write(escaped, start, size);
    }
    return after;
  }
}

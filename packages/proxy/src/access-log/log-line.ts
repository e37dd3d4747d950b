import type { CommandValue } from './commands.ts';
import { escapeText } from './escape.ts';

/** Room for a line, bytes; a longer one is put together as text. */
export const MAX_KEPT_LINE = 4 * 1024;
/** A character takes three bytes at most (a pair of surrogates four, for two characters). */
const bytesPerCharacter = 3;

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
 * A line of a log as bytes. It is put over the line before it: a value that is the same as then and begins at the same place is there already, and most are.
 * So a line costs what is new in it, and makes no garbage.
 */
export class LogLine<Entry> {
  /** The line that was rendered last is `bytes[0, length)`, until the next one. */
  bytes: Buffer;
  length = 0;
  readonly #kept: TextBuffer = Buffer.allocUnsafeSlow(MAX_KEPT_LINE) as TextBuffer;
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
    this.#ends = pieces.map(() => -1);
    this.#asText = asText;
  }

  /** Puts the line of `entry` into `bytes`. */
  render(entry: Entry): void {
    const literals = this.#literals;
    const values = this.#values;
    const ends = this.#ends;
    /** Where the piece begins in this line, and where it began in the one before. */
    let at = 0;
    let before = 0;
    for (let index = 0; index < ends.length; index += 1) {
      const end = ends[index] as number;
      const literal = literals[index];
      if (literal === undefined) {
        const value = (this.#reads[index] as (entry: Entry) => CommandValue)(entry);
        if (at === before && end >= 0 && value === values[index]) {
          at = end;
        } else {
          values[index] = value;
          at = this.#writeValue(value, at);
        }
      } else if (at === before && end >= 0) {
        at = end;
      } else {
        at = this.#writeLiteral(literal, at);
      }
      if (at < 0) {
        this.#renderLong(entry);
        return;
      }
      ends[index] = at;
      before = end;
    }
    this.bytes = this.#kept;
    this.length = at;
  }

  #renderLong(entry: Entry): void {
    // What is kept is half of one line and half of another.
    this.#ends.fill(-1);
    this.bytes = Buffer.from(this.#asText(entry), 'utf8');
    this.length = this.bytes.length;
  }

  /** @returns where the piece ends; -1 when there is no room. */
  #writeLiteral(literal: Uint8Array, start: number): number {
    const kept = this.#kept;
    const end = start + literal.length;
    if (end > MAX_KEPT_LINE) {
      return -1;
    }
    for (let index = 0; index < literal.length; index += 1) {
      kept[start + index] = literal[index] as number;
    }
    return end;
  }

  #writeValue(value: CommandValue, start: number): number {
    if (value === undefined) {
      if (start === MAX_KEPT_LINE) {
        return -1;
      }
      this.#kept[start] = dash;
      return start + 1;
    }
    if (typeof value === 'string') {
      return this.#writeText(value, start);
    }
    return value >= 0 && value <= 0x3fffffff && Number.isInteger(value)
      ? this.#writeInteger(value, start)
      : this.#writeText(String(value), start);
  }

  #writeInteger(value: number, start: number): number {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) {
      digits += 1;
    }
    const end = start + digits;
    if (end > MAX_KEPT_LINE) {
      return -1;
    }
    const kept = this.#kept;
    let rest = value;
    for (let at = end - 1; at >= start; at -= 1) {
      const tens = (rest / 10) | 0;
      kept[at] = 0x30 + rest - tens * 10;
      rest = tens;
    }
    return end;
  }

  #writeText(text: string, start: number): number {
    const { length } = text;
    if (length > MAX_KEPT_LINE - start) {
      return -1;
    }
    const kept = this.#kept;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f || plain[code] === 0) {
        return this.#writeEscaped(text, start);
      }
      kept[start + index] = code;
    }
    return start + length;
  }

  #writeEscaped(text: string, start: number): number {
    const escaped = escapeText(text);
    const most = escaped.length * bytesPerCharacter;
    return most > MAX_KEPT_LINE - start ? -1 : start + this.#kept.utf8Write(escaped, start, most);
  }
}

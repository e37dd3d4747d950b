import { huffmanCodes } from '../../packages/http-codec/src/http2/hpack/huffman.ts';
import { staticNames, staticValues } from '../../packages/http-codec/src/http2/hpack/static-table.ts';
import type { Pair } from './hpack-grammar.ts';

/** HPACK decoding as plainly as RFC 7541 describes it, bit by bit and with lists: what the fast decoder has to agree with. */
export class ReferenceDecoder {
  #table: Pair[] = [];
  #limit = 4096;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The fields of a block, or undefined when it is no valid block. */
  decode(bytes: Buffer): Pair[] | undefined {
    this.#bytes = bytes;
    this.#at = 0;
    try {
      return this.#fields();
    } catch (error) {
      if (error instanceof RangeError) {
        return undefined;
      }
      throw error;
    }
  }

  #fields(): Pair[] {
    const pairs: Pair[] = [];
    while (this.#at < this.#bytes.length) {
      const first = this.#bytes[this.#at] as number;
      if ((first & 0x80) !== 0) {
        pairs.push(this.#entry(this.#integer(7)));
      } else if ((first & 0xc0) === 0x40) {
        const pair = this.#literal(6);
        pairs.push(pair);
        this.#table.unshift(pair);
        this.#evict();
      } else if ((first & 0xe0) === 0x20) {
        const limit = this.#integer(5);
        if (pairs.length > 0 || limit > 4096) {
          throw new RangeError('size update');
        }
        this.#limit = limit;
        this.#evict();
      } else {
        pairs.push(this.#literal(4));
      }
    }
    return pairs;
  }

  #literal(prefix: number): Pair {
    const index = this.#integer(prefix);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): Pair {
    const fromTable = this.#table[index - staticNames.length];
    if (fromTable !== undefined) {
      return fromTable;
    }
    if (index === 0 || index >= staticNames.length) {
      throw new RangeError('index');
    }
    return [staticNames[index] as string, staticValues[index] as string];
  }

  #evict(): void {
    let size = 0;
    const kept = this.#table.findIndex(([name, value]) => {
      size += name.length + value.length + 32;
      return size > this.#limit;
    });
    this.#table = kept < 0 ? this.#table : this.#table.slice(0, kept);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      throw new RangeError('end');
    }
    this.#at += 1;
    return byte;
  }

  #integer(prefix: number): number {
    const mask = 2 ** prefix - 1;
    let value = this.#byte() & mask;
    if (value < mask) {
      return value;
    }
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value >= 2 ** 31) {
          break;
        }
        return value;
      }
    }
    throw new RangeError('integer');
  }

  #string(): string {
    const coded = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    if (this.#at + length > this.#bytes.length) {
      throw new RangeError('string');
    }
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return coded ? huffmanText(bytes) : bytes.toString('latin1');
  }
}

const symbols = new Map<string, number>();
for (const [symbol, length] of huffmanCodes.lengths.entries()) {
  symbols.set((huffmanCodes.codes[symbol] as number).toString(2).padStart(length, '0'), symbol);
}

function huffmanText(bytes: Buffer): string {
  let text = '';
  let code = '';
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, '0')) {
      code += bit;
      const symbol = symbols.get(code);
      if (symbol !== undefined) {
        if (symbol > 255) {
          throw new RangeError('EOS');
        }
        text += String.fromCharCode(symbol);
        code = '';
      }
    }
  }
  if (code.length > 7 || code.includes('0')) {
    throw new RangeError('padding');
  }
  return text;
}

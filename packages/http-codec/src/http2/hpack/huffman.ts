/**
 * The Huffman code of RFC 7541 appendix B. It is canonical: codes are given out by length, then by symbol, so that the lengths
 * say everything. Symbol 256 is EOS, which is only ever used as padding.
 */

/** Length of the code of each symbol, in bits, one digit of base 36 for each. */
const lengthDigits =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u';

export const endOfString = 256;

/** Code and length of each symbol. */
export const huffmanCodes: { readonly codes: Uint32Array; readonly lengths: Uint8Array } = assignCodes();

function assignCodes(): { codes: Uint32Array; lengths: Uint8Array } {
  const lengths = Uint8Array.from(lengthDigits, (digit) => Number.parseInt(digit, 36));
  const codes = new Uint32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= 30; length += 1) {
    code *= 2;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] === length) {
        codes[symbol] = code;
        code += 1;
      }
    }
  }
  return { codes, lengths };
}

/** Inner nodes of the tree: the states of the decoder, which are what was read of a code that is not complete. */
const states = 256;
/** For each state the next node for bit 0 and bit 1; a leaf is `-1 - symbol`. */
const tree = new Int16Array(states * 2);
/** States in which a string may end: fewer than eight bits, all ones (RFC 7541 §5.2). */
const mayEnd = new Uint8Array(states);

buildTree();

function buildTree(): void {
  const { codes, lengths } = huffmanCodes;
  let nodes = 1;
  for (let symbol = 0; symbol <= endOfString; symbol += 1) {
    let node = 0;
    for (let bit = (lengths[symbol] as number) - 1; bit > 0; bit -= 1) {
      const branch = node * 2 + (((codes[symbol] as number) >>> bit) & 1);
      if (tree[branch] === 0) {
        tree[branch] = nodes;
        nodes += 1;
      }
      node = tree[branch] as number;
    }
    tree[node * 2 + ((codes[symbol] as number) & 1)] = -1 - symbol;
  }
  for (let bits = 0, node = 0; bits < 8; bits += 1) {
    mayEnd[node] = 1;
    node = tree[node * 2 + 1] as number;
  }
}

/**
 * One step for each state and byte: up to two symbols (bits 0 to 15), how many (16, 17), and the next state (from 18 on).
 * A row is made when its state is first met: 0 stands for "not there yet", which no step can be, as a byte without a symbol
 * leads away from the root. Text meets about forty of the 256 rows.
 */
const steps = new Int32Array(states * 256);
const noStep = -1;

function buildRow(state: number): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let node = state;
    let symbols = 0;
    let count = 0;
    let ended = false;
    for (let bit = 7; bit >= 0 && !ended; bit -= 1) {
      const next = tree[node * 2 + ((byte >> bit) & 1)] as number;
      if (next >= 0) {
        node = next;
        continue;
      }
      const symbol = -1 - next;
      ended = symbol === endOfString;
      symbols |= (symbol & 0xff) << (8 * count);
      count += 1;
      node = 0;
    }
    steps[(state << 8) | byte] = ended ? noStep : symbols | (count << 16) | (node << 18);
  }
}

/** Bytes that `target` must have room for when `length` bytes are decoded: no code is shorter than five bits. */
export function maxDecodedLength(length: number): number {
  return Math.floor((length * 8) / 5) + 1;
}

/**
 * Decodes `source[start, end)` to `target[at…]`, which has `maxDecodedLength` bytes of room.
 * @returns the position in `target` after the text; -1 when the bytes are no such text (EOS inside, padding that is not
 * ones or is longer than seven bits).
 */
export function decodeHuffman(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let state = 0;
  let to = at;
  for (let from = start; from < end; from += 1) {
    let step = steps[(state << 8) | (source[from] as number)] as number;
    if (step <= 0) {
      if (step === noStep) {
        return -1;
      }
      buildRow(state);
      step = steps[(state << 8) | (source[from] as number)] as number;
      if (step === noStep) {
        return -1;
      }
    }
    target[to] = step;
    target[to + 1] = step >> 8;
    to += (step >> 16) & 3;
    state = step >> 18;
  }
  return mayEnd[state] === 1 ? to : -1;
}

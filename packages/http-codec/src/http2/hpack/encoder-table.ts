import { tokenLower } from '../../byte-class.ts';
import { Column, DynamicTable } from './dynamic-table.ts';

const buckets = 64;
const noEntry = -1;
/** What a table without entries searches, so that a connection that never uses it keeps nothing for it. */
const nothingNew: Int32Array = new Int32Array(2 * buckets).fill(noEntry);
/** Entries of a bucket that are looked at: whoever fills one bucket on purpose gains nothing. */
const maxCandidates = 8;
/** Longer values are compared by a call (58 ns), shorter ones byte by byte (1 ns each). */
const shortCompareBytes = 64;

/**
 * The encoder's dynamic table, which can be searched. Entries of a bucket are linked from the newest on by their numbers; one that was evicted is
 * known by its number, so that eviction has nothing to tidy.
 */
export class EncoderTable extends DynamicTable {
  /** Number of the newest entry of each bucket, for whole fields, and behind them for names. */
  #newest: Int32Array = nothingNew;

  /** Age of the entry that is this field, -1 when there is none. Names match in any case. */
  ageOf(
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    hash: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): number {
    let number = this.#newest[bucketOf(hash, value, valueStart, valueLength)] as number;
    const records = this.records;
    let before = -1;
    for (let candidates = 0; candidates < maxCandidates; candidates += 1) {
      const age = (this.made - 1 - number) | 0;
      // A link to an entry that is gone, or (after 2^32 entries) to one that took its number.
      if (age <= before || age >= this.count) {
        return -1;
      }
      const record = this.recordOf(age);
      if (
        records[record + Column.hash] === hash &&
        records[record + Column.nameLength] === nameLength &&
        records[record + Column.valueLength] === valueLength
      ) {
        const start = records[record] as number;
        if (
          this.#isName(start, name, nameStart, nameLength) &&
          this.#isValue(start + nameLength + 2, value, valueStart, valueLength)
        ) {
          return age;
        }
      }
      before = age;
      number = records[record + Column.link] as number;
    }
    return -1;
  }

  /** Age of the newest entry with this name, -1 when there is none (or it is not found at once). */
  ageOfName(name: Uint8Array, nameStart: number, nameLength: number, hash: number): number {
    const age = (this.made - 1 - (this.#newest[nameBucketOf(hash)] as number)) | 0;
    if (age < 0 || age >= this.count) {
      return -1;
    }
    const record = this.recordOf(age);
    const records = this.records;
    return records[record + Column.hash] === hash &&
      records[record + Column.nameLength] === nameLength &&
      this.#isName(records[record] as number, name, nameStart, nameLength)
      ? age
      : -1;
  }

  /** Age of the entry with this number, -1 when it is gone. */
  ageOfNumber(number: number): number {
    const age = (this.made - 1 - number) | 0;
    return age < this.count ? age : -1;
  }

  /** Makes an entry; it must not be larger than the table. */
  add(
    name: Uint8Array,
    nameStart: number,
    nameLength: number,
    hash: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): void {
    const number = this.made;
    const record = this.insert(nameLength, valueLength, hash);
    if (record < 0) {
      return;
    }
    const bytes = this.bytes;
    let to = this.records[record] as number;
    for (let at = nameStart; at < nameStart + nameLength; at += 1) {
      const byte = name[at] as number;
      const lower = tokenLower[byte] as number;
      bytes[to] = lower === 0 ? byte : lower;
      to += 1;
    }
    (value as Buffer).copy(bytes, to + 2, valueStart, valueStart + valueLength);
    if (this.#newest === nothingNew) {
      this.#newest = nothingNew.slice();
    }
    const newest = this.#newest;
    const bucket = bucketOf(hash, value, valueStart, valueLength);
    this.records[record + Column.link] = newest[bucket] as number;
    newest[bucket] = number;
    newest[nameBucketOf(hash)] = number;
  }

  #isName(start: number, name: Uint8Array, nameStart: number, length: number): boolean {
    const bytes = this.bytes;
    for (let index = 0; index < length; index += 1) {
      const byte = name[nameStart + index] as number;
      const own = bytes[start + index];
      if (byte !== own && tokenLower[byte] !== own) {
        return false;
      }
    }
    return true;
  }

  #isValue(start: number, value: Uint8Array, valueStart: number, length: number): boolean {
    const bytes = this.bytes;
    if (length > shortCompareBytes) {
      return bytes.compare(value, valueStart, valueStart + length, start, start + length) === 0;
    }
    for (let index = 0; index < length; index += 1) {
      if (value[valueStart + index] !== bytes[start + index]) {
        return false;
      }
    }
    return true;
  }
}

function nameBucketOf(hash: number): number {
  return buckets + (hash & (buckets - 1));
}

/** Two bytes and the length tell most values of a name apart, without a look at all of them. */
function bucketOf(hash: number, value: Uint8Array, start: number, length: number): number {
  if (length === 0) {
    return hash & (buckets - 1);
  }
  const last = value[start + length - 1] as number;
  const middle = value[start + (length >> 1)] as number;
  return (hash + length * 7 + last * 31 + middle * 13) & (buckets - 1);
}

import { tokenLower } from '../../byte-class.ts';
import { type ByteRange, equalBytes } from '../../byte-range.ts';
import { Column, DynamicTable } from './dynamic-table.ts';

const buckets = 64;
const noEntry = -1;
/** What a table without entries searches, so that a connection that never uses it keeps nothing for it. */
const nothingNew: Int32Array = new Int32Array(2 * buckets).fill(noEntry);
/** Entries of a bucket that are looked at: whoever fills one bucket on purpose gains nothing. */
const maxCandidates = 8;

/**
 * The encoder's dynamic table, which can be searched. Entries of a bucket are linked from the newest on by their numbers; one that was evicted is
 * known by its number, so that eviction has nothing to tidy.
 */
export class EncoderTable extends DynamicTable {
  /** Number of the newest entry of each bucket, for whole fields, and behind them for names. */
  #newest: Int32Array = nothingNew;

  /** Age of the entry that is this field, -1 when there is none. Names match in any case. */
  ageOf(name: ByteRange, hash: number, value: ByteRange): number {
    const nameLength = name.length;
    const valueLength = value.length;
    let number = this.#newest[bucketOf(hash, value)] as number;
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
          equalBytes(this.view, start + nameLength + 2, value.view, value.start, valueLength) &&
          this.#isName(start, name)
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
  ageOfName(name: ByteRange, hash: number): number {
    const age = (this.made - 1 - (this.#newest[nameBucketOf(hash)] as number)) | 0;
    if (age < 0 || age >= this.count) {
      return -1;
    }
    const record = this.recordOf(age);
    const records = this.records;
    return records[record + Column.hash] === hash &&
      records[record + Column.nameLength] === name.length &&
      this.#isName(records[record] as number, name)
      ? age
      : -1;
  }

  /** Age of the entry with this number, -1 when it is gone. */
  ageOfNumber(number: number): number {
    const age = (this.made - 1 - number) | 0;
    return age < this.count ? age : -1;
  }

  /** Makes an entry; it must not be larger than the table. The name is kept as it came: it mostly comes so again. */
  add(name: ByteRange, hash: number, value: ByteRange): void {
    const number = this.made;
    const record = this.insert(name.length, value.length, hash);
    if (record < 0) {
      return;
    }
    const start = this.records[record] as number;
    name.bytes.copy(this.bytes, start, name.start, name.start + name.length);
    value.bytes.copy(this.bytes, start + name.length + 2, value.start, value.start + value.length);
    if (this.#newest === nothingNew) {
      this.#newest = nothingNew.slice();
    }
    const newest = this.#newest;
    const bucket = bucketOf(hash, value);
    this.records[record + Column.link] = newest[bucket] as number;
    newest[bucket] = number;
    newest[nameBucketOf(hash)] = number;
  }

  #isName(start: number, name: ByteRange): boolean {
    if (equalBytes(this.view, start, name.view, name.start, name.length)) {
      return true;
    }
    const { bytes, start: nameStart } = name;
    for (let index = 0; index < name.length; index += 1) {
      const byte = bytes[nameStart + index] as number;
      const own = this.bytes[start + index] as number;
      if (byte !== own && tokenLower[byte] !== tokenLower[own]) {
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
function bucketOf(hash: number, value: ByteRange): number {
  const length = value.length;
  if (length === 0) {
    return hash & (buckets - 1);
  }
  const last = value.view.getUint8(value.start + length - 1);
  const middle = value.view.getUint8(value.start + (length >> 1));
  return (hash + length * 7 + last * 31 + middle * 13) & (buckets - 1);
}

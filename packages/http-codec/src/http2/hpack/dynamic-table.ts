import { viewOf } from '../../byte-range.ts';
import type { RawBuffer } from '../../output-buffer.ts';

/** The size that both sides begin with (RFC 9113 §6.5.2). */
export const defaultTableBytes = 4096;
/** What RFC 7541 §4.1 adds to name and value of each entry. */
export const entryOverheadBytes = 32;
/** `: ` and CRLF, with which an entry is kept as the line that it becomes. */
export const lineOverheadBytes = 4;

/** Numbers kept for each entry. */
const stride = 8;
/** A record begins at its place shifted by this. */
export const recordShift = 3;
const initialEntries = 16;
const initialBytes = 512;

const emptyBytes = Buffer.alloc(0) as RawBuffer;
const emptyView = viewOf(emptyBytes);
const emptyRecords = new Int32Array(0);

/** Columns of `DynamicTable.records`, to be added to what `recordOf` and `insert` return. */
export const Column = {
  /** Where the line begins in `bytes`. */
  start: 0,
  nameLength: 1,
  valueLength: 2,
  /** Of the name, as in `HeadFields`. */
  hash: 3,
  /** The last four belong to the user of the table: the decoder keeps what the field means, the encoder how to find it. */
  id: 4,
  nameKind: 5,
  kind: 6,
  link: 7,
} as const;

/**
 * The dynamic table of RFC 7541 §2.3.2, either side. Entries are kept as lines `name: value\r\n`, one behind the other in the order in
 * which they came: an entry goes into a head with one copy, and a run of them, which is what an encoder makes of a head that it
 * has seen before, with one copy too. Takes no memory before the first entry, then grows up to twice its limit.
 */
export class DynamicTable {
  /** The lines; positions are in `records`. */
  bytes: RawBuffer = emptyBytes;
  /** The same bytes. */
  view: DataView = emptyView;
  records: Int32Array = emptyRecords;
  /** Entries in the table. */
  count = 0;
  /** Size as RFC 7541 §4.1 counts it. */
  size = 0;
  /** Entries ever made, modulo 2^32; the number of an entry is the value before it was made. */
  made = 0;
  #limit: number;
  #mask = 0;
  #end = 0;

  /** @param limit most bytes as RFC 7541 §4.1 counts them. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    this.#evict(0);
  }

  /** The record of the entry `age` (0: the newest), which has to be below `count`. */
  recordOf(age: number): number {
    return ((this.made - 1 - age) & this.#mask) << recordShift;
  }

  /**
   * Makes an entry: room for its line, `nameLength + valueLength + 4` bytes from `records[record + Column.start]`, which the caller
   * fills. What it refers to in `bytes` may have moved or gone.
   * @returns its record, or -1 when it is larger than the table, which is empty then (RFC 7541 §4.4).
   */
  insert(nameLength: number, valueLength: number, hash: number): number {
    const size = nameLength + valueLength + entryOverheadBytes;
    if (this.size + size > this.#limit) {
      this.#evict(size);
      if (size > this.#limit) {
        return -1;
      }
    }
    if (this.count << recordShift === this.records.length) {
      this.#growRecords();
    }
    const length = nameLength + valueLength + lineOverheadBytes;
    if (this.#end + length > this.bytes.length) {
      this.#makeRoom(length);
    }
    const record = (this.made & this.#mask) << recordShift;
    const records = this.records;
    records[record] = this.#end;
    records[record + Column.nameLength] = nameLength;
    records[record + Column.valueLength] = valueLength;
    records[record + Column.hash] = hash;
    this.#end += length;
    this.made = (this.made + 1) | 0;
    this.count += 1;
    this.size += size;
    return record;
  }

  #evict(room: number): void {
    const records = this.records;
    while (this.count > 0 && this.size + room > this.#limit) {
      const record = this.recordOf(this.count - 1);
      this.size -=
        (records[record + Column.nameLength] as number) +
        (records[record + Column.valueLength] as number) +
        entryOverheadBytes;
      this.count -= 1;
    }
    if (this.count === 0) {
      this.#end = 0;
    }
  }

  #growRecords(): void {
    const entries = Math.max(initialEntries, this.count * 2);
    const grown = new Int32Array(entries * stride);
    for (let age = 0; age < this.count; age += 1) {
      const from = this.recordOf(age);
      grown.set(this.records.subarray(from, from + stride), ((this.made - 1 - age) & (entries - 1)) << recordShift);
    }
    this.records = grown;
    this.#mask = entries - 1;
  }

  /** Moves the lines to the front, over those that were evicted, into more bytes if they fill half of what there is. */
  #makeRoom(length: number): void {
    const from = this.count === 0 ? this.#end : (this.records[this.recordOf(this.count - 1)] as number);
    const used = this.#end - from;
    let room = Math.max(this.bytes.length, initialBytes);
    while (room < 2 * (used + length)) {
      room *= 2;
    }
    if (room === this.bytes.length) {
      this.bytes.copy(this.bytes, 0, from, this.#end);
    } else {
      const grown = Buffer.allocUnsafeSlow(room) as RawBuffer;
      this.bytes.copy(grown, 0, from, this.#end);
      this.bytes = grown;
      this.view = viewOf(grown);
    }
    this.#end = used;
    for (let age = 0; age < this.count; age += 1) {
      const record = this.recordOf(age);
      this.records[record] = (this.records[record] as number) - from;
    }
  }
}

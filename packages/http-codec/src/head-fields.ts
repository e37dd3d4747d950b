import { tokenLower } from './byte-class.ts';
import { viewOf } from './byte-range.ts';
import type { HeaderView } from './header-view.ts';
import { hashName, KnownHeader, type KnownHeaderId, knownHeaderByName } from './known-header.ts';
import type { OutputBuffer, RawBuffer } from './output-buffer.ts';
import type { TextMemo } from './text-memo.ts';

/** Numbers kept for each field line: begin and end of name and value (relative to the head), hash of the name. */
const stride = 5;
const initialFields = 32;
const initialBytes = 1024;
const kept = 0;
const removed = 1;
const replaced = 2;

/**
 * The fields of one message head: the bytes as they came, an index over them, and the edits made since. What was not
 * edited leaves the proxy byte for byte as it came in, case and order included; a value becomes a string only when
 * somebody asks for it. Objects are reused: `clear` makes one new.
 */
export class HeadFields implements HeaderView {
  /** The head's bytes, from its start line to the empty line. */
  bytes: RawBuffer = Buffer.allocUnsafeSlow(initialBytes) as RawBuffer;
  /** The same bytes. */
  view: DataView = viewOf(this.bytes);
  /** How many of `bytes` are the head. */
  size = 0;
  /** Where the first field line begins. */
  fieldsStart = 0;
  /** Where the empty line begins. */
  fieldsEnd = 0;
  /** Field lines received. */
  count = 0;
  /** As `isNeverIndexed`, for the target of a request. */
  targetNeverIndexed = false;
  #marks: Int32Array = new Int32Array(stride * initialFields);
  #ids: Uint8Array = new Uint8Array(initialFields);
  #edits: Uint8Array = new Uint8Array(initialFields);
  #edited = false;
  /** By line; what stands there counts for lines that are marked as replaced only. */
  #replacements: string[] = [];
  /** Name as written, name in lower case, value, for each added field. */
  readonly #added: string[] = [];
  /** Entries of `#added` in use; the array keeps its length, as shrinking it costs a call into the runtime. */
  #addedLength = 0;
  /** Lines that must never be put into a compression table. */
  #neverIndexed: number[] | undefined = undefined;

  clear(): void {
    this.size = 0;
    this.fieldsStart = 0;
    this.fieldsEnd = 0;
    this.count = 0;
    this.#edited = false;
    this.#addedLength = 0;
    this.#neverIndexed = undefined;
    this.targetNeverIndexed = false;
    if (this.#replacements.length > initialFields) {
      this.#replacements = [];
    }
    if (this.bytes.length > 16 * initialBytes) {
      this.bytes = Buffer.allocUnsafeSlow(initialBytes) as RawBuffer;
      this.view = viewOf(this.bytes);
    }
  }

  /** Becomes what `other` is, edits included. */
  copyFrom(other: HeadFields): void {
    this.clear();
    this.append(other.bytes, 0, other.size);
    this.fieldsStart = other.fieldsStart;
    this.fieldsEnd = other.fieldsEnd;
    while (this.#ids.length < other.count) {
      this.#grow();
    }
    this.count = other.count;
    this.#marks.set(other.#marks.subarray(0, other.count * stride));
    this.#ids.set(other.#ids.subarray(0, other.count));
    this.#edits.set(other.#edits.subarray(0, other.count));
    this.#edited = other.#edited;
    for (let at = 0; at < other.#replacements.length; at += 1) {
      this.#replacements[at] = other.#replacements[at] as string;
    }
    this.#neverIndexed = other.#neverIndexed?.slice();
    this.targetNeverIndexed = other.targetNeverIndexed;
    for (let at = 0; at < other.#addedLength; at += 1) {
      this.#added[at] = other.#added[at] as string;
    }
    this.#addedLength = other.#addedLength;
  }

  /** Appends bytes of the head; to be used by whoever receives it. */
  append(source: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    source.copy(this.bytes, this.size, start, end);
    this.size += end - start;
  }

  /** Makes room for that many more bytes behind `size`, for a receiver that writes them by itself. */
  reserve(count: number): void {
    const needed = this.size + count;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2)) as RawBuffer;
      this.bytes.copy(grown, 0, 0, this.size);
      this.bytes = grown;
      this.view = viewOf(grown);
    }
  }

  /** Registers one field line; positions are relative to the head. */
  mark(
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    hash: number,
    id: KnownHeaderId,
  ): void {
    const index = this.count;
    if (index === this.#ids.length) {
      this.#grow();
    }
    const at = index * stride;
    const marks = this.#marks;
    marks[at] = nameStart;
    marks[at + 1] = nameEnd;
    marks[at + 2] = valueStart;
    marks[at + 3] = valueEnd;
    marks[at + 4] = hash;
    this.#ids[index] = id;
    this.#edits[index] = kept;
    this.count = index + 1;
  }

  /** The value of the last line goes on until `valueEnd`. */
  extendLast(valueEnd: number): void {
    this.#marks[(this.count - 1) * stride + 3] = valueEnd;
  }

  /** Takes the last line away, as if it had not come. */
  dropLast(): void {
    const index = this.count - 1;
    this.count = index;
    this.size = this.nameStartAt(index);
    this.fieldsEnd = this.size;
    if (this.#neverIndexed !== undefined) {
      this.#neverIndexed = this.#neverIndexed.filter((marked) => marked !== index);
    }
  }

  /** Puts the first line behind line `index`; those between move up. */
  moveFirstBehind(index: number): void {
    const { bytes, fieldsStart } = this;
    const length = this.nameStartAt(1) - fieldsStart;
    const end = index + 1 < this.count ? this.nameStartAt(index + 1) : this.fieldsEnd;
    const line = bytes.latin1Slice(fieldsStart, fieldsStart + length);
    bytes.copyWithin(fieldsStart, fieldsStart + length, end);
    bytes.latin1Write(line, end - length, length);
    const marks = this.#marks;
    const [first0, first1, first2, first3, hash] = marks;
    const moved = end - length - fieldsStart;
    for (let at = stride; at < (index + 1) * stride; at += stride) {
      for (let part = 0; part < 4; part += 1) {
        marks[at - stride + part] = (marks[at + part] as number) - length;
      }
      marks[at - 1] = marks[at + 4] as number;
    }
    marks.set(
      [first0 as number, first1 as number, first2 as number, first3 as number].map((mark) => mark + moved),
      index * stride,
    );
    marks[index * stride + 4] = hash as number;
    rotate(this.#ids, index);
    rotate(this.#edits, index);
    if (this.#replacements.length > 0) {
      const replacements = Array.from({ length: index + 1 }, (_, at) => this.#replacements[at] ?? '');
      replacements.push(replacements.shift() ?? '');
      this.#replacements = [...replacements, ...this.#replacements.slice(index + 1)];
    }
    this.#neverIndexed = this.#neverIndexed?.map((marked) =>
      marked > index ? marked : marked === 0 ? index : marked - 1,
    );
  }

  /** The last line came with the wish that no hop puts it into a compression table (RFC 7541 §6.2.3). */
  markNeverIndexed(): void {
    this.#neverIndexed ??= [];
    this.#neverIndexed.push(this.count - 1);
  }

  isNeverIndexed(index: number): boolean {
    return this.#neverIndexed?.includes(index) ?? false;
  }

  #grow(): void {
    const marks = new Int32Array(this.#marks.length * 2);
    marks.set(this.#marks);
    this.#marks = marks;
    const ids = new Uint8Array(this.#ids.length * 2);
    ids.set(this.#ids);
    this.#ids = ids;
    const edits = new Uint8Array(this.#edits.length * 2);
    edits.set(this.#edits);
    this.#edits = edits;
  }

  /** The number of the name of line `index`. */
  idAt(index: number): KnownHeaderId {
    return this.#ids[index] as number;
  }

  isRemoved(index: number): boolean {
    return this.#edits[index] === removed;
  }

  /** Hash of the name of line `index` in lower case. */
  hashAt(index: number): number {
    return this.#marks[index * stride + 4] as number;
  }

  /** First byte of the name of line `index`, and the one after its last: positions in `bytes`. */
  nameStartAt(index: number): number {
    return this.#marks[index * stride] as number;
  }

  nameEndAt(index: number): number {
    return this.#marks[index * stride + 1] as number;
  }

  /** What the value of line `index` was replaced by, if it was. */
  replacementAt(index: number): string | undefined {
    return this.#edits[index] === replaced ? (this.#replacements[index] ?? '') : undefined;
  }

  /** How many fields were added. */
  get addedCount(): number {
    return this.#addedLength / 3;
  }

  /** Name in lower case of the added field `index`. */
  addedNameAt(index: number): string {
    return this.#added[index * 3 + 1] as string;
  }

  /** The name of the added field `index` as it will be written. */
  addedNameWrittenAt(index: number): string {
    return this.#added[index * 3] as string;
  }

  addedValueAt(index: number): string {
    return this.#added[index * 3 + 2] as string;
  }

  /** First byte of the value of line `index`, and the one after its last: positions in `bytes`. */
  valueStartAt(index: number): number {
    return this.#marks[index * stride + 2] as number;
  }

  valueEndAt(index: number): number {
    return this.#marks[index * stride + 3] as number;
  }

  nameAt(index: number): string {
    const at = index * stride;
    return this.bytes.latin1Slice(this.#marks[at] as number, this.#marks[at + 1] as number);
  }

  valueAt(index: number): string {
    if (this.#edits[index] === replaced) {
      return this.#replacements[index] ?? '';
    }
    return this.bytes.latin1Slice(this.valueStartAt(index), this.valueEndAt(index));
  }

  /** Index of the first line with this number that was not removed, from line `from`; -1 when there is none. */
  indexOfKnown(id: KnownHeaderId, from = 0): number {
    const ids = this.#ids;
    const edits = this.#edits;
    for (let index = from; index < this.count; index += 1) {
      if (ids[index] === id && edits[index] !== removed) {
        return index;
      }
    }
    return -1;
  }

  /** The value of a known field as it came or as it was added, several joined by `,`. */
  getKnown(id: KnownHeaderId, name: string): string | undefined {
    const index = this.indexOfKnown(id);
    if (index < 0) {
      return this.#addedLength === 0 ? undefined : this.#addedValue(name, undefined);
    }
    let value = this.valueAt(index);
    for (let next = this.indexOfKnown(id, index + 1); next >= 0; next = this.indexOfKnown(id, next + 1)) {
      value += `,${this.valueAt(next)}`;
    }
    return this.#addedLength === 0 ? value : this.#addedValue(name, value);
  }

  get(name: string): string | undefined {
    const known = knownHeaderByName(name);
    if (known !== KnownHeader.unknown) {
      return this.getKnown(known, name);
    }
    let value: string | undefined;
    for (let index = this.#find(name, 0); index >= 0; index = this.#find(name, index + 1)) {
      value = value === undefined ? this.valueAt(index) : `${value},${this.valueAt(index)}`;
    }
    return this.#addedLength === 0 ? value : this.#addedValue(name, value);
  }

  /** Whether a value of that name satisfies `matches`, line by line; undefined when there is no such line. */
  someValue<T>(name: string, matches: (value: string, wanted: T) => boolean, wanted: T): boolean | undefined {
    let result: boolean | undefined;
    for (let index = this.#find(name, 0); index >= 0; index = this.#find(name, index + 1)) {
      if (matches(this.valueAt(index), wanted)) {
        return true;
      }
      result = false;
    }
    const added = this.#added;
    for (let at = 1; at < this.#addedLength; at += 3) {
      if (added[at] === name) {
        if (matches(added[at + 1] as string, wanted)) {
          return true;
        }
        result = false;
      }
    }
    return result;
  }

  /** The value of the first line of that name, as it came or as it was added. */
  getFirst(name: string): string | undefined {
    const index = this.#find(name, 0);
    if (index >= 0) {
      return this.valueAt(index);
    }
    const added = this.#added;
    for (let at = 1; at < this.#addedLength; at += 3) {
      if (added[at] === name) {
        return added[at + 1];
      }
    }
    return undefined;
  }

  /** As `get`; a value that came in one line is read through `memo`. */
  getRemembered(name: string, id: KnownHeaderId, memo: TextMemo): string | undefined {
    const known = id !== KnownHeader.unknown;
    const index = known ? this.indexOfKnown(id) : this.#find(name, 0);
    if (index < 0) {
      return this.#addedLength === 0 ? undefined : this.#addedValue(name, undefined);
    }
    const next = known ? this.indexOfKnown(id, index + 1) : this.#find(name, index + 1);
    if (next >= 0 || this.#edits[index] === replaced) {
      return this.get(name);
    }
    const value = memo.textOf(this.bytes, this.valueStartAt(index), this.valueEndAt(index));
    return this.#addedLength === 0 ? value : this.#addedValue(name, value);
  }

  has(name: string): boolean {
    if (this.#find(name, 0) >= 0) {
      return true;
    }
    const added = this.#added;
    for (let at = 1; at < this.#addedLength; at += 3) {
      if (added[at] === name) {
        return true;
      }
    }
    return false;
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let index = 0; index < this.count; index += 1) {
      if (this.#edits[index] !== removed) {
        visit(this.nameAt(index), this.valueAt(index));
      }
    }
    const added = this.#added;
    for (let at = 0; at < this.#addedLength; at += 3) {
      visit(added[at] as string, added[at + 2] as string);
    }
  }

  /** Appends a field. `name` is written as given; bytes that may not stand in a value are dropped from `value`. */
  add(name: string, value: string): void {
    this.#append(name, lowerName(name), fieldValue(value));
  }

  /** Like `add` for a name that is in lower case and a value that is known to be clean. */
  addClean(name: string, value: string): void {
    this.#append(name, name, value);
  }

  #append(name: string, lower: string, value: string): void {
    const at = this.#addedLength;
    const added = this.#added;
    added[at] = name;
    added[at + 1] = lower;
    added[at + 2] = value;
    this.#addedLength = at + 3;
  }

  /** Removes every line of that name. */
  remove(name: string): void {
    for (let index = this.#find(name, 0); index >= 0; index = this.#find(name, index + 1)) {
      this.removeAt(index);
    }
    this.#removeAdded(name);
  }

  removeKnown(id: KnownHeaderId, name: string): void {
    for (let index = this.indexOfKnown(id); index >= 0; index = this.indexOfKnown(id, index + 1)) {
      this.removeAt(index);
    }
    if (this.#addedLength > 0) {
      this.#removeAdded(name);
    }
  }

  removeAt(index: number): void {
    this.#edits[index] = removed;
    this.#edited = true;
  }

  /** Replaces the value of line `index` where it stands. */
  replaceAt(index: number, value: string): void {
    this.#edits[index] = replaced;
    this.#edited = true;
    const replacements = this.#replacements;
    while (replacements.length < index) {
      replacements.push('');
    }
    replacements[index] = fieldValue(value);
  }

  /** One line of that name with this value: the first one is replaced in its place, others go. */
  set(name: string, value: string): void {
    const lower = lowerName(name);
    const first = this.#find(lower, 0);
    if (first < 0) {
      this.#removeAdded(lower);
      this.#append(name, lower, fieldValue(value));
      return;
    }
    for (let index = this.#find(lower, first + 1); index >= 0; index = this.#find(lower, index + 1)) {
      this.removeAt(index);
    }
    this.#removeAdded(lower);
    this.replaceAt(first, value);
  }

  /** Several lines of a known field become one in the place of the first: values that are not empty, joined by `separator`. */
  joinKnown(id: KnownHeaderId, separator: string): void {
    const first = this.indexOfKnown(id);
    let next = first < 0 ? -1 : this.indexOfKnown(id, first + 1);
    if (next < 0) {
      return;
    }
    let value = this.valueAt(first);
    for (; next >= 0; next = this.indexOfKnown(id, next + 1)) {
      const more = this.valueAt(next);
      value += value === '' || more === '' ? more : separator + more;
      this.removeAt(next);
    }
    this.replaceAt(first, value);
  }

  /** Writes all field lines, without the empty line. */
  writeFields(out: OutputBuffer): void {
    if (!this.#edited) {
      if (this.fieldsEnd > this.fieldsStart) {
        out.copy(this.bytes, this.fieldsStart, this.fieldsEnd);
      }
    } else {
      this.#writeEdited(out);
    }
    const added = this.#added;
    for (let at = 0; at < this.#addedLength; at += 3) {
      out.field(added[at] as string, added[at + 2] as string);
    }
  }

  #writeEdited(out: OutputBuffer): void {
    const marks = this.#marks;
    const edits = this.#edits;
    let from = this.fieldsStart;
    for (let index = 0; index < this.count; index += 1) {
      const edit = edits[index];
      if (edit === kept) {
        continue;
      }
      const at = index * stride;
      const lineStart = marks[at] as number;
      const until = edit === replaced ? (marks[at + 2] as number) : lineStart;
      if (until > from) {
        out.copy(this.bytes, from, until);
      }
      if (edit === replaced) {
        out.latin1(this.#replacements[index] ?? '');
        out.latin1('\r\n');
      }
      from = index + 1 < this.count ? (marks[at + stride] as number) : this.fieldsEnd;
    }
    if (this.fieldsEnd > from) {
      out.copy(this.bytes, from, this.fieldsEnd);
    }
  }

  #addedValue(name: string, before: string | undefined): string | undefined {
    const added = this.#added;
    let value = before;
    for (let at = 1; at < this.#addedLength; at += 3) {
      if (added[at] === name) {
        value = value === undefined ? added[at + 1] : `${value},${added[at + 1]}`;
      }
    }
    return value;
  }

  #removeAdded(name: string): void {
    const added = this.#added;
    for (let at = this.#addedLength - 2; at > 0; at -= 3) {
      if (added[at] === name) {
        added.copyWithin(at - 1, at + 2, this.#addedLength);
        this.#addedLength -= 3;
      }
    }
  }

  #find(name: string, from: number): number {
    const hash = hashName(name);
    const marks = this.#marks;
    for (let index = from; index < this.count; index += 1) {
      const at = index * stride;
      if (marks[at + 4] === hash && this.#edits[index] !== removed && this.#nameEquals(at, name)) {
        return index;
      }
    }
    return -1;
  }

  #nameEquals(at: number, name: string): boolean {
    const start = this.#marks[at] as number;
    if ((this.#marks[at + 1] as number) - start !== name.length) {
      return false;
    }
    for (let index = 0; index < name.length; index += 1) {
      if (tokenLower[this.bytes[start + index] as number] !== name.charCodeAt(index)) {
        return false;
      }
    }
    return true;
  }
}

/** The first of `values[0…last]` goes behind the others. */
function rotate(values: Uint8Array, last: number): void {
  const first = values[0] as number;
  values.copyWithin(0, 1, last + 1);
  values[last] = first;
}

function lowerName(name: string): string {
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index);
    if (code >= 0x41 && code <= 0x5a) {
      return name.toLowerCase();
    }
  }
  return name;
}

/** `value` without what RFC 9110 §5.5 forbids, so that no text from a certificate or a rewrite can begin a new line. */
function fieldValue(value: string): string {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) {
      return cleanFieldValue(value);
    }
  }
  return value;
}

function cleanFieldValue(value: string): string {
  const latin1 = Buffer.from(value, 'utf8').toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return latin1.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '');
}

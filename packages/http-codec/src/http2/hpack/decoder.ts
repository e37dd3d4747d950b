import type { HeadFields } from '../../head-fields.ts';
import { type KnownHeaderId, knownHeaderOf } from '../../known-header.ts';
import type { RawBuffer } from '../../output-buffer.ts';
import { Column, DynamicTable, defaultTableBytes, lineOverheadBytes, recordShift } from './dynamic-table.ts';
import { FieldKind, type FieldKindId, kindOfField, kindOfName, nameByte } from './field-kind.ts';
import { copyBytes, HeadBuilder } from './head-builder.ts';
import { decodeHuffman, maxDecodedLength } from './huffman.ts';
import type { FieldSection, PseudoFields } from './pseudo-fields.ts';
import {
  staticCount,
  staticHashes,
  staticIds,
  staticKinds,
  staticLines,
  staticNameLengths,
  staticStarts,
  staticValueLengths,
  staticValues,
} from './static-table.ts';

/** What became of a block. Of several problems a compression error counts, otherwise the first. */
export type HpackResult =
  | 'ok'
  /** The message is malformed (RFC 9113 §8.1.1): a stream error. The table is in step. */
  | 'malformed'
  /** Larger than `maxHeadBytes` or `maxFields`: 431, or a stream error. The table is in step. */
  | 'too-large'
  /** COMPRESSION_ERROR of the connection (RFC 9113 §4.3); the decoder must not be used again. */
  | 'compression-error';

/** Bounds of what one block may make. */
export interface HpackDecoderLimits {
  /** SETTINGS_HEADER_TABLE_SIZE that we announced; bytes as RFC 7541 §4.1 counts them. */
  readonly maxTableBytes: number;
  /** Names and values, pseudo fields included, without the 32 bytes a field of RFC 9113 §10.5.1. */
  readonly maxHeadBytes: number;
  /** Field lines, `host` included; pseudo fields do not count, crumbs of a cookie that follow each other count as one. */
  readonly maxFields: number;
}

/** An integer that goes on for more bytes than this, or exceeds 2^31 - 1, is an error: RFC 7541 §5.1 asks for such a limit. */
const maxIntegerBytes = 5;
const maxInteger = 0x7fff_ffff;

/** The reading side of HPACK (RFC 7541) for one connection. */
export class HpackDecoder {
  /** Says what was wrong with the last block that was not `ok`: for GOAWAY debug data and the log. */
  problem = '';
  readonly #table = new DynamicTable(defaultTableBytes);
  readonly #builder: HeadBuilder;
  /** Values of pseudo fields in the table, by the place of their records, which changes when the table grows. */
  #texts: (string | undefined)[] = [];
  /** What the peer may set its table to. */
  #maxTableBytes: number;
  /** The next block has to begin with a size update. */
  #updateDue = false;
  /** The block being decoded: where we are in it, and where it ends. */
  #block: Buffer = staticLines;
  #at = 0;
  #end = 0;

  constructor(limits: HpackDecoderLimits) {
    this.#builder = new HeadBuilder(limits.maxHeadBytes, limits.maxFields);
    // Before it has seen our SETTINGS the peer uses the default.
    this.#maxTableBytes = Math.max(defaultTableBytes, limits.maxTableBytes);
  }

  /**
   * The peer acknowledged SETTINGS with this table size. When that is less than what it uses, its next block has to begin with a size update
   * (RFC 7541 §4.2). To be called for the first SETTINGS too.
   */
  setMaxTableBytes(bytes: number): void {
    this.#maxTableBytes = bytes;
    this.#updateDue = bytes < this.#table.limit;
  }

  /**
   * Decodes one complete field block, `block[start, end)`, into `fields` (cleared before by the caller): each regular field
   * becomes a line `name: value\r\n` with its mark; `fieldsStart` and `fieldsEnd` are set. In a request the first line is
   * `host`, made of `:authority`; a `host` field that says the same is dropped, a different one is malformed; crumbs
   * of `cookie` are joined. `pseudo` is cleared and filled. When the result is not `ok`, both hold nothing of use. A block of a stream that is
   * gone has to be decoded all the same.
   */
  decode(
    block: Buffer,
    start: number,
    end: number,
    section: FieldSection,
    fields: HeadFields,
    pseudo: PseudoFields,
  ): HpackResult {
    const builder = this.#builder;
    this.#block = block;
    this.#at = start;
    this.#end = end;
    builder.begin(section, fields, pseudo);
    let error = this.#sizeUpdates();
    while (error === '' && this.#at < end) {
      error = (block[this.#at] as number) >= 0x80 ? this.#indexed() : this.#literal(fields);
    }
    builder.finish();
    this.#block = staticLines;
    if (error !== '') {
      this.problem = error;
      return 'compression-error';
    }
    if (builder.problem !== '') {
      this.problem = builder.problem;
      return builder.tooLarge ? 'too-large' : 'malformed';
    }
    return 'ok';
  }

  /** RFC 7541 §6.3; they stand at the beginning of a block only (§4.2). */
  #sizeUpdates(): string {
    while (this.#at < this.#end && ((this.#block[this.#at] as number) & 0xe0) === 0x20) {
      const size = this.#integer(0x1f);
      if (size < 0) {
        return 'invalid integer';
      }
      if (size > this.#maxTableBytes) {
        return 'table size above the announced one';
      }
      this.#table.setLimit(size);
      this.#updateDue = false;
    }
    return this.#updateDue && this.#at < this.#end ? 'no table size update after SETTINGS' : '';
  }

  /** RFC 7541 §6.1 */
  #indexed(): string {
    const index = this.#integer(0x7f);
    if (index <= 0) {
      return index === 0 ? 'index 0' : 'invalid integer';
    }
    if (index <= staticCount) {
      this.#builder.field(
        staticLines,
        staticStarts[index] as number,
        staticNameLengths[index] as number,
        staticValueLengths[index] as number,
        staticHashes[index] as number,
        staticIds[index] as number,
        staticKinds[index] as number,
        staticValues[index],
      );
      return '';
    }
    const table = this.#table;
    const age = index - staticCount - 1;
    if (age >= table.count) {
      return 'index beyond the tables';
    }
    const record = table.recordOf(age);
    const records = table.records;
    const kind = records[record + Column.kind] as number;
    this.#builder.field(
      table.bytes,
      records[record] as number,
      records[record + Column.nameLength] as number,
      records[record + Column.valueLength] as number,
      records[record + Column.hash] as number,
      records[record + Column.id] as number,
      kind,
      kind >= FieldKind.method && kind <= FieldKind.status ? this.#textOf(record) : undefined,
    );
    return '';
  }

  /** The value of an entry that is a pseudo field: made once. */
  #textOf(record: number): string {
    const slot = record >> recordShift;
    const known = this.#texts[slot];
    if (known !== undefined) {
      return known;
    }
    const { bytes, records } = this.#table;
    const start = (records[record] as number) + (records[record + Column.nameLength] as number) + 2;
    const text = bytes.latin1Slice(start, start + (records[record + Column.valueLength] as number));
    this.#texts[slot] = text;
    return text;
  }

  /** RFC 7541 §6.2. The line is put together behind what `fields` holds, where it stays if it is one of the head. */
  #literal(fields: HeadFields): string {
    const builder = this.#builder;
    const first = this.#block[this.#at] as number;
    const indexing = first >= 0x40;
    if (!indexing && first >= 0x20) {
      return 'table size update inside a block';
    }
    const nameIndex = this.#integer(indexing ? 0x3f : 0x0f);
    if (nameIndex < 0) {
      return 'invalid integer';
    }
    builder.flush();
    const start = fields.size;
    let nameLength: number;
    let hash: number;
    let id: KnownHeaderId;
    let nameKind: FieldKindId;
    if (nameIndex === 0) {
      fields.reserve(maxDecodedLength(this.#end - this.#at) + lineOverheadBytes);
      const nameEnd = this.#string(fields, start);
      if (nameEnd < 0) {
        return this.problem;
      }
      nameLength = nameEnd - start;
      hash = nameHash(fields.bytes, start, nameEnd);
      if (hash === badName) {
        hash = 0;
        id = 0;
        nameKind = FieldKind.badName;
      } else {
        id = knownHeaderOf(fields.bytes, start, nameEnd, hash);
        nameKind = kindOfName(fields.bytes, start, nameEnd, id);
      }
    } else if (nameIndex <= staticCount) {
      nameLength = staticNameLengths[nameIndex] as number;
      hash = staticHashes[nameIndex] as number;
      id = staticIds[nameIndex] as number;
      nameKind = staticKinds[nameIndex] as number;
      fields.reserve(nameLength + maxDecodedLength(this.#end - this.#at) + lineOverheadBytes);
      const from = staticStarts[nameIndex] as number;
      copyBytes(staticLines, from, from + nameLength, fields.bytes, start);
    } else {
      const table = this.#table;
      const age = nameIndex - staticCount - 1;
      if (age >= table.count) {
        return 'index beyond the tables';
      }
      const record = table.recordOf(age);
      const records = table.records;
      nameLength = records[record + Column.nameLength] as number;
      hash = records[record + Column.hash] as number;
      id = records[record + Column.id] as number;
      nameKind = records[record + Column.nameKind] as number;
      fields.reserve(nameLength + maxDecodedLength(this.#end - this.#at) + lineOverheadBytes);
      const from = records[record] as number;
      copyBytes(table.bytes, from, from + nameLength, fields.bytes, start);
    }
    const bytes = fields.bytes;
    const valueStart = start + nameLength + 2;
    bytes[valueStart - 2] = 0x3a;
    bytes[valueStart - 1] = 0x20;
    const valueEnd = this.#string(fields, valueStart);
    if (valueEnd < 0) {
      return this.problem;
    }
    bytes[valueEnd] = 0x0d;
    bytes[valueEnd + 1] = 0x0a;
    const valueLength = valueEnd - valueStart;
    const kind = kindOfField(nameKind, bytes, fields.view, valueStart, valueEnd);
    if (indexing) {
      this.#remember(bytes, start, nameLength, valueLength, hash, id, nameKind, kind);
    }
    builder.field(bytes, start, nameLength, valueLength, hash, id, kind, undefined);
    if (first >= 0x10 && !indexing) {
      builder.neverIndexed(kind);
    }
    return '';
  }

  #remember(
    bytes: RawBuffer,
    start: number,
    nameLength: number,
    valueLength: number,
    hash: number,
    id: KnownHeaderId,
    nameKind: FieldKindId,
    kind: FieldKindId,
  ): void {
    const table = this.#table;
    const before = table.records;
    const record = table.insert(nameLength, valueLength, hash);
    if (record >= 0) {
      const records = table.records;
      if (records === before) {
        this.#texts[record >> recordShift] = undefined;
      } else {
        this.#texts = [];
      }
      records[record + Column.id] = id;
      records[record + Column.nameKind] = nameKind;
      records[record + Column.kind] = kind;
      const end = start + nameLength + valueLength + lineOverheadBytes;
      copyBytes(bytes, start, end, table.bytes, records[record] as number);
    }
  }

  /** RFC 7541 §5.1; -1 when it is not valid. */
  #integer(mask: number): number {
    const block = this.#block;
    let at = this.#at;
    let value = (block[at] as number) & mask;
    at += 1;
    if (value === mask) {
      const limit = Math.min(this.#end, at + maxIntegerBytes);
      let factor = 1;
      let byte = 0x80;
      while (byte >= 0x80) {
        if (at === limit) {
          return -1;
        }
        byte = block[at] as number;
        value += (byte & 0x7f) * factor;
        factor *= 128;
        at += 1;
      }
      if (value > maxInteger) {
        return -1;
      }
    }
    this.#at = at;
    return value;
  }

  /** RFC 7541 §5.2: copies the string to `fields.bytes[to…]`. Returns the position behind it; -1, with `problem` set, when it is not valid. */
  #string(fields: HeadFields, to: number): number {
    const block = this.#block;
    if (this.#at >= this.#end) {
      this.problem = 'truncated';
      return -1;
    }
    const huffman = (block[this.#at] as number) >= 0x80;
    const length = this.#integer(0x7f);
    if (length < 0) {
      this.problem = 'invalid integer';
      return -1;
    }
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) {
      this.problem = 'truncated';
      return -1;
    }
    this.#at = end;
    if (!huffman) {
      copyBytes(block, start, end, fields.bytes, to);
      return to + length;
    }
    const after = decodeHuffman(block, start, end, fields.bytes, to);
    if (after < 0) {
      this.problem = 'invalid Huffman code';
    }
    return after;
  }
}

/** No hash of a name: outside of 32 bits. */
const badName = 2 ** 32;

/** Hash of a name as `HeadFields` keeps it, `badName` when a byte may not stand in a name; `:` may be the first. */
function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let at = start;
  if (at < end && bytes[at] === 0x3a) {
    hash = 0x3a;
    at += 1;
  }
  if (at === end) {
    return badName;
  }
  for (; at < end; at += 1) {
    const byte = nameByte[bytes[at] as number] as number;
    if (byte === 0) {
      return badName;
    }
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

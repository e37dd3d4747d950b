import { tokenLower } from '../../byte-class.ts';
import { ByteRange, copyWords, equalBytes, viewOf } from '../../byte-range.ts';
import type { HeadFields } from '../../head-fields.ts';
import { hashName, KnownHeader } from '../../known-header.ts';
import type { RawBuffer } from '../../output-buffer.ts';
import { defaultTableBytes, entryOverheadBytes } from './dynamic-table.ts';
import { EncoderTable } from './encoder-table.ts';
import { FieldBlock, maxIntegerBytes } from './field-block.ts';
import { namePolicies, nameStaticIndexes, Policy, type PolicyId, ruleNamed, ruleOf, rulesById } from './name-policy.ts';
import { staticCount } from './static-table.ts';

export { FieldBlock } from './field-block.ts';

/** Values sent lately that are remembered, by their hash. */
const sightings = 64;
/** An entry larger than this part of the table would drive out too much. */
const largestPart = 2;

/** Texts on their way into the block. */
let textBytes: RawBuffer = Buffer.allocUnsafeSlow(1024) as RawBuffer;
let textView: DataView = viewOf(textBytes);
/** The field that is being written; one for all encoders, as a field is written at once. */
const fieldName = new ByteRange(textBytes, textView);
const fieldValue = new ByteRange(textBytes, textView);
/** Shorter texts are written character by character, which is cheaper than the call. */
const shortTextLength = 10;

/** Longer values are copied by a call (32 ns). */
const longCopyBytes = 128;

/** Copies text to `textBytes`. */
function writeText(text: string): void {
  const length = text.length;
  if (length > textBytes.length) {
    textBytes = Buffer.allocUnsafeSlow(length * 2) as RawBuffer;
    textView = viewOf(textBytes);
  }
  if (length > shortTextLength) {
    textBytes.latin1Write(text, 0, length);
    return;
  }
  for (let index = 0; index < length; index += 1) {
    textBytes[index] = text.charCodeAt(index);
  }
}

/** A name as the encoder needs it. */
interface NameText {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly hash: number;
  readonly rule: number;
}

function nameText(name: string, rule?: number): NameText {
  const bytes = Buffer.from(name, 'latin1');
  const hash = hashName(name);
  return { bytes, view: viewOf(bytes), hash, rule: rule ?? ruleOf(bytes, 0, bytes.length, hash) };
}

function pseudoName(name: string): NameText {
  return nameText(name, ruleNamed(name));
}

const methodName = pseudoName(':method');
const schemeName = pseudoName(':scheme');
const authorityName = pseudoName(':authority');
const pathName = pseudoName(':path');
const protocolName = pseudoName(':protocol');
const statusName = pseudoName(':status');

/** Names of fields that the proxy adds: few, unless a configuration makes them up. */
const maxAddedNames = 512;
const addedNames = new Map<string, NameText>();

function addedName(name: string): NameText {
  let known = addedNames.get(name);
  if (known === undefined) {
    known = nameText(name);
    if (addedNames.size < maxAddedNames) {
      addedNames.set(name, known);
    }
  }
  return known;
}

/** Indexes of entries of the static table that are whole fields. Maps: a method may be called `constructor`. */
const staticMethods: ReadonlyMap<string, number> = new Map([
  ['GET', 2],
  ['POST', 3],
]);
const staticPaths: ReadonlyMap<string, number> = new Map([
  ['/', 4],
  ['/index.html', 5],
]);
const staticSchemes: ReadonlyMap<string, number> = new Map([
  ['http', 6],
  ['https', 7],
]);
const staticStatuses: ReadonlyMap<number, number> = new Map(
  [200, 204, 206, 304, 400, 404, 500].map((status, index) => [status, index + 8]),
);
const acceptEncodingIndex = 16;
const staticAcceptEncoding = Buffer.from('gzip, deflate', 'latin1');
const staticAcceptEncodingView = viewOf(staticAcceptEncoding);

const noBlock = new FieldBlock();

/** A pseudo field whose value is mostly that of the head before. */
interface LastValue {
  text: string | undefined;
  /** Number of its entry. */
  number: number;
}

/**
 * The writing side of HPACK (RFC 7541) for one connection. A head is: `begin`, pseudo fields, `fields`, and perhaps `field`.
 * Every block that was begun has to be sent, in the order in which they were begun, as the peer's table follows from them.
 *
 * What repeats goes into the table (`Policy` says when), secrets never. Strings are not Huffman coded: see docs/http2.md.
 */
export class HpackEncoder {
  readonly #table = new EncoderTable(defaultTableBytes);
  readonly #maxTableBytes: number;
  #block: FieldBlock = noBlock;
  /** Size of the table that the next block announces, and the lowest one since the last block (RFC 7541 §4.2). */
  #wantedBytes: number;
  #lowestBytes = defaultTableBytes;
  /** Hashes of fields that were sent lately; made with the first. */
  #seen: Int32Array | undefined = undefined;
  readonly #lastAuthority: LastValue = { text: undefined, number: 0 };
  readonly #lastPath: LastValue = { text: undefined, number: 0 };

  /** @param maxTableBytes the most that is used of the table that the peer offers, as RFC 7541 §4.1 counts it. */
  constructor(maxTableBytes: number = defaultTableBytes) {
    this.#maxTableBytes = maxTableBytes;
    this.#wantedBytes = Math.min(maxTableBytes, defaultTableBytes);
    this.#lowestBytes = this.#wantedBytes;
  }

  /** SETTINGS_HEADER_TABLE_SIZE of the peer, in bytes. Until it is called 4,096 holds (RFC 9113 §6.5.2). */
  setPeerMaxTableBytes(bytes: number): void {
    this.#wantedBytes = Math.min(bytes, this.#maxTableBytes);
    this.#lowestBytes = Math.min(this.#lowestBytes, this.#wantedBytes);
  }

  /** Begins a block: empties `block`, tells a change of the size of the table. */
  begin(block: FieldBlock): void {
    this.#block = block;
    block.clear();
    const table = this.#table;
    if (this.#lowestBytes < table.limit) {
      table.setLimit(this.#lowestBytes);
      block.integer(0x20, 0x1f, this.#lowestBytes);
    }
    if (this.#wantedBytes !== table.limit) {
      table.setLimit(this.#wantedBytes);
      block.integer(0x20, 0x1f, this.#wantedBytes);
    }
    this.#lowestBytes = this.#wantedBytes;
  }

  method(method: string): void {
    this.#pseudo(methodName, method, staticMethods.get(method));
  }

  scheme(scheme: string): void {
    this.#pseudo(schemeName, scheme, staticSchemes.get(scheme));
  }

  authority(authority: string): void {
    this.#pseudoLikeBefore(authorityName, authority, this.#lastAuthority);
  }

  /** @param never it came with the wish that no hop indexes it (`HeadFields.targetNeverIndexed`). */
  path(path: string, never = false): void {
    const index = path.length > 11 ? undefined : staticPaths.get(path);
    if (never) {
      this.#text(pathName, path, true);
    } else if (index === undefined) {
      this.#pseudoLikeBefore(pathName, path, this.#lastPath);
    } else {
      this.#indexed(index);
    }
  }

  /** `:protocol` of RFC 8441. */
  protocol(protocol: string): void {
    this.#pseudo(protocolName, protocol, undefined);
  }

  status(status: number): void {
    const index = staticStatuses.get(status);
    if (index === undefined) {
      this.#pseudo(statusName, String(status), undefined);
    } else {
      this.#indexed(index);
    }
  }

  /**
   * All fields of a head or of trailers with their edits, names in lower case. Left out are `host`, `connection`, `keep-alive`,
   * `proxy-connection`, `transfer-encoding`, `upgrade`, `http2-settings`; of `te` only `trailers` remains.
   */
  fields(fields: HeadFields): void {
    const { bytes, view } = fields;
    const name = fieldName;
    const value = fieldValue;
    for (let index = 0; index < fields.count; index += 1) {
      if (fields.isRemoved(index)) {
        continue;
      }
      const id = fields.idAt(index);
      let rule = -1;
      if (id !== KnownHeader.unknown && id !== KnownHeader.xEnvoy) {
        rule = rulesById[id] as number;
        if (namePolicies[rule] === Policy.dropped) {
          continue;
        }
        if (id === KnownHeader.te) {
          this.#te(fields.valueAt(index));
          continue;
        }
      }
      const nameStart = fields.nameStartAt(index);
      name.point(bytes, view);
      name.set(nameStart, fields.nameEndAt(index) - nameStart);
      const replacement = fields.replacementAt(index);
      if (replacement === undefined) {
        const start = fields.valueStartAt(index);
        value.point(bytes, view);
        value.set(start, fields.valueEndAt(index) - start);
      } else {
        this.#valueText(replacement);
      }
      this.#put(fields.hashAt(index), rule, fields.isNeverIndexed(index));
    }
    for (let index = 0; index < fields.addedCount; index += 1) {
      this.field(fields.addedNameAt(index), fields.addedValueAt(index));
    }
  }

  /** One more field; `name` in lower case. Those that `fields` leaves out are left out here too. */
  field(name: string, value: string): void {
    const text = addedName(name);
    switch (namePolicies[text.rule]) {
      case Policy.dropped:
        return;
      case Policy.te:
        this.#te(value);
        return;
      default:
        this.#text(text, value);
    }
  }

  /** RFC 9113 §8.2.2: `te` may say nothing but `trailers`. */
  #te(value: string): void {
    if (value === 'trailers' || /(^|,)\s*trailers\s*($|[,;])/i.test(value)) {
      this.#text(addedName('te'), 'trailers');
    }
  }

  #pseudo(name: NameText, value: string, index: number | undefined): void {
    if (index === undefined) {
      this.#text(name, value);
    } else {
      this.#indexed(index);
    }
  }

  #pseudoLikeBefore(name: NameText, value: string, last: LastValue): void {
    if (last.text === value) {
      const age = this.#table.ageOfNumber(last.number);
      if (age >= 0) {
        this.#indexed(staticCount + 1 + age);
        return;
      }
    }
    const age = this.#text(name, value);
    if (age >= 0) {
      last.text = value;
      last.number = (this.#table.made - 1 - age) | 0;
    }
  }

  #text(name: NameText, value: string, never = false): number {
    fieldName.point(name.bytes, name.view);
    fieldName.set(0, name.bytes.length);
    this.#valueText(value);
    return this.#put(name.hash, name.rule, never);
  }

  #valueText(text: string): void {
    writeText(text);
    fieldValue.point(textBytes, textView);
    fieldValue.set(0, text.length);
  }

  #indexed(index: number): void {
    this.#block.reserve(maxIntegerBytes);
    this.#block.integer(0x80, 0x7f, index);
  }

  /**
   * Writes the field of `fieldName` and `fieldValue`.
   * @param hash of the name.
   * @param rule of the name, -1: not known yet.
   * @returns the age of its entry in the table, -1 when it has none.
   */
  #put(hash: number, rule: number, never: boolean): number {
    const name = fieldName;
    const value = fieldValue;
    const table = this.#table;
    if (!never) {
      const age = table.ageOf(name, hash, value);
      if (age >= 0) {
        this.#indexed(staticCount + 1 + age);
        return age;
      }
    }
    const known = rule < 0 ? ruleOf(name.bytes, name.start, name.start + name.length, hash) : rule;
    const policy = never ? Policy.never : (namePolicies[known] as PolicyId);
    let nameIndex = nameStaticIndexes[known] as number;
    if (nameIndex === acceptEncodingIndex && isStaticAcceptEncoding(value) && !never) {
      this.#indexed(acceptEncodingIndex);
      return -1;
    }
    if (nameIndex === 0) {
      nameIndex = table.ageOfName(name, hash) + 1;
      nameIndex = nameIndex === 0 ? 0 : nameIndex + staticCount;
    }
    const fits = (name.length + value.length + entryOverheadBytes) * largestPart <= table.limit;
    const indexing = fits && this.#wantsEntry(policy, nameIndex, hash);
    const block = this.#block;
    block.reserve(name.length + value.length + 3 * maxIntegerBytes);
    if (indexing) {
      block.integer(0x40, 0x3f, nameIndex);
    } else {
      block.integer(policy === Policy.never ? 0x10 : 0, 0x0f, nameIndex);
    }
    if (nameIndex === 0) {
      block.integer(0, 0x7f, name.length);
      writeLower(name, block);
    }
    block.integer(0, 0x7f, value.length);
    if (value.length > longCopyBytes) {
      value.bytes.copy(block.bytes, block.length, value.start, value.start + value.length);
    } else {
      copyWords(value.view, value.start, block.view, block.length, value.length);
    }
    block.length += value.length;
    if (!indexing) {
      return -1;
    }
    table.add(name, hash, value);
    return 0;
  }

  #wantsEntry(policy: PolicyId, nameIndex: number, hash: number): boolean {
    switch (policy) {
      case Policy.whenRepeated:
        return this.#sentLately(hash);
      case Policy.nameOnly:
        return nameIndex === 0;
      case Policy.never:
        return false;
      default:
        return true;
    }
  }

  #sentLately(nameHash: number): boolean {
    const { bytes, start, length } = fieldValue;
    let hash = nameHash;
    for (let at = start; at < start + length; at += 1) {
      hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
    }
    const slot = (hash ^ (hash >>> 16)) & (sightings - 1);
    this.#seen ??= new Int32Array(sightings);
    if (this.#seen[slot] === hash) {
      return true;
    }
    this.#seen[slot] = hash;
    return false;
  }
}

function isStaticAcceptEncoding(value: ByteRange): boolean {
  const length = staticAcceptEncoding.length;
  return value.length === length && equalBytes(value.view, value.start, staticAcceptEncodingView, 0, length);
}

function writeLower(name: ByteRange, block: FieldBlock): void {
  const { bytes, start, length } = name;
  const target = block.bytes;
  const to = block.length;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[start + index] as number;
    target[to + index] = byte === 0x3a ? byte : (tokenLower[byte] as number);
  }
  block.length = to + length;
}

import { tokenLower } from '../../byte-class.ts';
import { HeadFields } from '../../head-fields.ts';
import { hashName, KnownHeader, type KnownHeaderId } from '../../known-header.ts';
import type { RawBuffer } from '../../output-buffer.ts';
import { lineOverheadBytes } from './dynamic-table.ts';
import { allowedPseudoKinds, FieldKind, type FieldKindId, kindProblems } from './field-kind.ts';
import { type FieldSection, PseudoFields } from './pseudo-fields.ts';
import { pseudoText } from './pseudo-text.ts';

/** Shorter pieces are copied byte by byte (1 ns each), which is cheaper than the call (32 ns). */
const shortCopyBytes = 26;
const hostName = Buffer.from('host: ', 'latin1');
const hostNameLength = 4;
const hostLineOverhead = 8;
const hostHash = hashName('host');

/** What the builder holds between two heads. */
const noFields = new HeadFields();
const noPseudo = new PseudoFields();

/** Copies `source[start, end)` to `target[at…]`; also forwards within one buffer (`at` below `start`). */
export function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > shortCopyBytes) {
    source.copy(target, at, start, end);
    return;
  }
  for (let from = start, to = at; from < end; from += 1, to += 1) {
    target[to] = source[from] as number;
  }
}

/**
 * Makes a head out of decoded fields, in the order of the block: lines into a `HeadFields`, pseudo fields into a `PseudoFields`, with the
 * rules of RFC 9113 §8.2 and §8.3 that concern more than one field, and the limits. After the first problem nothing is kept any more.
 */
export class HeadBuilder {
  /** What is wrong with the head; empty: nothing. */
  problem = '';
  tooLarge = false;
  readonly #maxHeadBytes: number;
  readonly #maxFields: number;
  #fields: HeadFields = noFields;
  #pseudo: PseudoFields = noPseudo;
  #isRequest = false;
  /** A bit for each kind of pseudo field that may come. */
  #allowed = 0;
  /** Bytes of names and values so far. */
  #headBytes = 0;
  #regularSeen = false;
  /** Index of the last cookie line, -1: none; and whether there are several. */
  #cookieLine = -1;
  #cookiesApart = false;
  /** Lines that will be copied together, as they lie one behind the other: `#run[#runStart, #runEnd)`. */
  #run: RawBuffer = noFields.bytes;
  #runStart = 0;
  #runEnd = 0;

  constructor(maxHeadBytes: number, maxFields: number) {
    this.#maxHeadBytes = maxHeadBytes;
    this.#maxFields = maxFields;
  }

  begin(section: FieldSection, fields: HeadFields, pseudo: PseudoFields): void {
    this.problem = '';
    this.tooLarge = false;
    this.#isRequest = section === 'request';
    this.#allowed = allowedPseudoKinds[section];
    this.#fields = fields;
    this.#pseudo = pseudo;
    this.#headBytes = 0;
    this.#regularSeen = false;
    this.#cookieLine = -1;
    this.#cookiesApart = false;
    this.#runStart = 0;
    this.#runEnd = 0;
    pseudo.clear();
    fields.fieldsStart = fields.size;
  }

  finish(): void {
    this.flush();
    const fields = this.#fields;
    if (this.#cookiesApart && this.problem === '') {
      fields.joinKnown(KnownHeader.cookie, '; ');
    }
    fields.fieldsEnd = fields.size;
    this.#fields = noFields;
    this.#pseudo = noPseudo;
  }

  /** Copies what waits to be copied: `size` of the fields is true then. */
  flush(): void {
    const length = this.#runEnd - this.#runStart;
    if (length > 0) {
      const fields = this.#fields;
      fields.reserve(length);
      copyBytes(this.#run, this.#runStart, this.#runEnd, fields.bytes, fields.size);
      fields.size += length;
      this.#runStart = 0;
      this.#runEnd = 0;
    }
  }

  /**
   * A field whose line is `source[start…]`: in a table, or behind what `fields` holds already (then `flush` was called before it
   * was put there).
   * @param text the value of a pseudo field, if it is known.
   */
  field(
    source: RawBuffer,
    start: number,
    nameLength: number,
    valueLength: number,
    hash: number,
    id: KnownHeaderId,
    kind: FieldKindId,
    text: string | undefined,
  ): void {
    if (this.problem !== '') {
      return;
    }
    this.#headBytes += nameLength + valueLength;
    if (this.#headBytes > this.#maxHeadBytes) {
      this.#refuseSize('head too large');
    } else if (kind === FieldKind.regular || kind === FieldKind.te) {
      this.#regularSeen = true;
      this.#line(source, start, nameLength, valueLength, hash, id);
    } else if (kind >= FieldKind.malformed) {
      this.problem = kindProblems[kind - FieldKind.malformed] as string;
    } else if (kind <= FieldKind.host) {
      this.#regularSeen = true;
      if (!this.#isRequest) {
        this.#line(source, start, nameLength, valueLength, hash, id);
      } else if (kind === FieldKind.cookie) {
        this.#cookie(source, start, nameLength, valueLength, hash);
      } else {
        this.#host(source, start, nameLength, valueLength);
      }
    } else {
      this.#pseudoField(source, start + nameLength + 2, valueLength, kind, text);
    }
  }

  /** The field given last, of this kind, must not get into a table on the way. */
  neverIndexed(kind: FieldKindId): void {
    const fields = this.#fields;
    if (this.problem !== '') {
      return;
    }
    if (kind === FieldKind.path) {
      fields.targetNeverIndexed = true;
    } else if (this.#regularSeen && fields.count > 0 && !fields.isNeverIndexed(fields.count - 1)) {
      fields.markNeverIndexed();
    }
  }

  #refuseSize(problem: string): void {
    this.problem = problem;
    this.tooLarge = true;
  }

  #line(
    source: RawBuffer,
    start: number,
    nameLength: number,
    valueLength: number,
    hash: number,
    id: KnownHeaderId,
  ): void {
    const fields = this.#fields;
    if (fields.count >= this.#maxFields) {
      this.#refuseSize('too many fields');
      return;
    }
    const length = nameLength + valueLength + lineOverheadBytes;
    let at = fields.size;
    if (source === fields.bytes) {
      fields.size = at + length;
    } else {
      if (start !== this.#runEnd || source !== this.#run) {
        this.flush();
        at = fields.size;
        this.#run = source;
        this.#runStart = start;
      }
      at += start - this.#runStart;
      this.#runEnd = start + length;
    }
    const valueAt = at + nameLength + 2;
    fields.mark(at, at + nameLength, valueAt, valueAt + valueLength, hash, id);
  }

  /** RFC 9113 §8.2.3: crumbs of a cookie become one field. Empty ones are dropped: a blank may not be the end of a value. */
  #cookie(source: RawBuffer, start: number, nameLength: number, valueLength: number, hash: number): void {
    const fields = this.#fields;
    const last = fields.count - 1;
    if (this.#cookieLine < 0 || this.#cookieLine !== last) {
      this.#cookiesApart = this.#cookieLine >= 0;
      this.#cookieLine = fields.count;
      this.#line(source, start, nameLength, valueLength, hash, KnownHeader.cookie);
      return;
    }
    if (valueLength === 0) {
      return;
    }
    this.flush();
    fields.reserve(valueLength);
    let at = fields.size - 2;
    if (fields.valueEndAt(last) > fields.valueStartAt(last)) {
      fields.bytes[at] = 0x3b;
      fields.bytes[at + 1] = 0x20;
      at += 2;
    }
    this.#appendValue(source, start + nameLength + 2, valueLength, at);
    fields.extendLast(fields.size - 2);
  }

  /** RFC 9113 §8.3.1: a `host` beside `:authority` has to say the same; it is dropped, as the line is there already. */
  #host(source: RawBuffer, start: number, nameLength: number, valueLength: number): void {
    const authority = this.#pseudo.authority;
    if (authority === undefined || authority === '') {
      if (this.#fields.indexOfKnown(KnownHeader.host) >= 0) {
        this.problem = 'host twice';
        return;
      }
      this.#line(source, start, nameLength, valueLength, hostHash, KnownHeader.host);
      return;
    }
    const valueStart = start + nameLength + 2;
    let same = authority.length === valueLength;
    for (let index = 0; same && index < valueLength; index += 1) {
      same = tokenLower[source[valueStart + index] as number] === tokenLower[authority.charCodeAt(index)];
      // Bytes of an authority that are no token (`:`, `[`) have no case.
      same &&=
        tokenLower[authority.charCodeAt(index)] !== 0 || source[valueStart + index] === authority.charCodeAt(index);
    }
    if (!same) {
      this.problem = 'host differs from :authority';
    }
  }

  #pseudoField(
    source: RawBuffer,
    valueStart: number,
    valueLength: number,
    kind: FieldKindId,
    known: string | undefined,
  ): void {
    const pseudo = this.#pseudo;
    if (this.#regularSeen) {
      this.problem = 'pseudo field after a regular one';
      return;
    }
    if ((this.#allowed & (1 << kind)) === 0) {
      this.problem = 'pseudo field that does not belong here';
      return;
    }
    let before: string | undefined;
    const text = known ?? pseudoText(source, valueStart, valueStart + valueLength);
    switch (kind) {
      case FieldKind.method:
        before = pseudo.method;
        pseudo.method = text;
        break;
      case FieldKind.scheme:
        before = pseudo.scheme;
        pseudo.scheme = text;
        break;
      case FieldKind.authority:
        before = pseudo.authority;
        pseudo.authority = text;
        if (valueLength > 0 && before === undefined) {
          this.#hostLine(source, valueStart, valueLength);
        }
        break;
      case FieldKind.path:
        before = pseudo.path;
        pseudo.path = text;
        break;
      case FieldKind.protocol:
        before = pseudo.protocol;
        pseudo.protocol = text;
        break;
      default:
        before = pseudo.status === 0 ? undefined : text;
        pseudo.status = Number(text);
    }
    if (before !== undefined) {
      this.problem = 'pseudo field twice';
    }
  }

  /** `host` comes first in a head, RFC 9110 §7.2. Pseudo fields come before all others, so that nothing stands there yet. */
  #hostLine(source: RawBuffer, valueStart: number, valueLength: number): void {
    const fields = this.#fields;
    if (fields.count >= this.#maxFields) {
      this.#refuseSize('too many fields');
      return;
    }
    fields.reserve(hostLineOverhead + valueLength);
    const at = fields.size;
    copyBytes(hostName, 0, hostName.length, fields.bytes, at);
    const valueAt = at + hostName.length;
    this.#appendValue(source, valueStart, valueLength, valueAt);
    fields.mark(at, at + hostNameLength, valueAt, valueAt + valueLength, hostHash, KnownHeader.host);
  }

  #appendValue(source: RawBuffer, start: number, length: number, at: number): void {
    const fields = this.#fields;
    const bytes = fields.bytes;
    copyBytes(source, start, start + length, bytes, at);
    bytes[at + length] = 0x0d;
    bytes[at + length + 1] = 0x0a;
    fields.size = at + length + 2;
  }
}

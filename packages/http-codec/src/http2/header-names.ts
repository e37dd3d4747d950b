import { equalBytes, viewOf } from '../byte-range.ts';
import type { HeadFields } from '../head-fields.ts';
import { hashName, KnownHeader } from '../known-header.ts';

/**
 * How names of fields are written, and where `host` stands, gets lost in HTTP/2; applications of HTTP/1.1 may look at both. Between
 * two of our proxies one field carries it: the names in order, separated by commas, where they are not what the other side makes by
 * itself. Lists repeat, so that HPACK sends one byte for them and both sides remember what they said (see docs/http2.md).
 */
export const namesField = 'x-weft-names';
const namesFieldView = viewOf(Buffer.from(namesField, 'latin1'));

/** Lists remembered by each side of a connection; applications have few forms of heads. */
const remembered = 8;
/** Longer lists are ignored; heads with so many names keep them in lower case. */
export const maxListBytes: number = 8 * 1024;
const comma = 0x2c;

interface KnownList {
  readonly text: string;
  /** The same as bytes. */
  readonly view: DataView;
  /** It says something that the other side would not make by itself. */
  readonly needed: boolean;
}

/** Whether the field at `index` goes out by HTTP/2 and comes in again as one line, `host` included. */
function travels(fields: HeadFields, index: number, cookieSeen: boolean): boolean {
  if (fields.isRemoved(index)) {
    return false;
  }
  switch (fields.idAt(index)) {
    case KnownHeader.connection:
    case KnownHeader.transferEncoding:
    case KnownHeader.keepAlive:
    case KnownHeader.proxyConnection:
    case KnownHeader.upgrade:
    case KnownHeader.http2Settings:
      return false;
    case KnownHeader.te:
      return fields.valueAt(index) === 'trailers';
    case KnownHeader.cookie:
      // Crumbs become one line, in the place of the first.
      return !cookieSeen;
    default:
      return true;
  }
}

function addedTravels(fields: HeadFields, index: number): boolean {
  switch (fields.addedNameAt(index)) {
    case 'connection':
    case 'transfer-encoding':
    case 'keep-alive':
    case 'proxy-connection':
    case 'upgrade':
    case 'http2-settings':
      return false;
    case 'te':
      return fields.addedValueAt(index) === 'trailers';
    default:
      return true;
  }
}

/** The side that knows how names are written. */
export class HeaderNamesWriter {
  readonly #known: (KnownList | undefined)[] = new Array<KnownList | undefined>(remembered).fill(undefined);

  /** The list for a head that goes out; undefined when the other side needs none. Fields of that name are removed. */
  listFor(fields: HeadFields): string | undefined {
    fields.remove(namesField);
    let key = fields.count + fields.addedCount;
    for (let index = 0; index < fields.count; index += 1) {
      key = (key + fields.hashAt(index)) | 0;
    }
    const slot = (key ^ (key >>> 16)) & (remembered - 1);
    let list = this.#known[slot];
    if (list === undefined || !isListOf(fields, list)) {
      list = makeList(fields);
      this.#known[slot] = list;
    }
    return list.needed ? list.text : undefined;
  }
}

/** Whether `list` is what `makeList` would make; without making it. */
function isListOf(fields: HeadFields, list: KnownList): boolean {
  const { view } = list;
  const length = view.byteLength;
  let at = 0;
  let cookieSeen = false;
  for (let index = 0; index < fields.count; index += 1) {
    if (!travels(fields, index, cookieSeen)) {
      continue;
    }
    cookieSeen ||= fields.idAt(index) === KnownHeader.cookie;
    const start = fields.nameStartAt(index);
    const end = at + fields.nameEndAt(index) - start;
    if (end >= length || view.getUint8(end) !== comma || !equalBytes(fields.view, start, view, at, end - at)) {
      return false;
    }
    at = end + 1;
  }
  for (let index = 0; index < fields.addedCount; index += 1) {
    if (!addedTravels(fields, index)) {
      continue;
    }
    const name = fields.addedNameWrittenAt(index);
    const end = at + name.length;
    if (end >= length || view.getUint8(end) !== comma || !list.text.startsWith(name, at)) {
      return false;
    }
    at = end + 1;
  }
  return at === length;
}

/** Each name with a comma behind it. */
function makeList(fields: HeadFields): KnownList {
  let text = '';
  let needed = false;
  let cookieSeen = false;
  let first = true;
  const add = (name: string, isHost: boolean): void => {
    text += `${name},`;
    needed ||= name !== name.toLowerCase() || (isHost && !first);
    first = false;
  };
  for (let index = 0; index < fields.count; index += 1) {
    if (travels(fields, index, cookieSeen)) {
      cookieSeen ||= fields.idAt(index) === KnownHeader.cookie;
      add(fields.nameAt(index), fields.idAt(index) === KnownHeader.host);
    }
  }
  for (let index = 0; index < fields.addedCount; index += 1) {
    if (addedTravels(fields, index)) {
      add(fields.addedNameWrittenAt(index), fields.addedNameAt(index) === 'host');
    }
  }
  return { text, view: viewOf(Buffer.from(text, 'latin1')), needed: needed && text.length <= maxListBytes };
}

/** A list, taken apart for the lines of a head: those are in lower case, and `host` is the first. */
interface ReadList {
  /** The list as it came. */
  readonly view: DataView;
  readonly count: number;
  /** Hash of each name in lower case, and its length. */
  readonly hashes: Int32Array;
  readonly lengths: Int32Array;
  /** Where the capitals of each name begin in `capitals`; one more than names. */
  readonly capitalStarts: Int32Array;
  /** For each capital its place in the name and the letter. */
  readonly capitals: Uint16Array;
  /** The place where `host` belongs; 0: the first, or none. */
  readonly hostPlace: number;
}

/** The side that writes names as the application did. */
export class HeaderNamesReader {
  readonly #known: (ReadList | undefined)[] = new Array<ReadList | undefined>(remembered).fill(undefined);

  /**
   * Writes the names of a head that came in as its list says and takes the list out. A list that does not name exactly the
   * fields that are there, in order, changes nothing.
   */
  restore(fields: HeadFields): void {
    const at = fields.count - 1;
    if (at < 0 || !isNamesField(fields, at)) {
      fields.remove(namesField);
      return;
    }
    const start = fields.valueStartAt(at);
    const end = fields.valueEndAt(at);
    if (end - start > maxListBytes) {
      fields.remove(namesField);
      return;
    }
    const slot = (end - start) & (remembered - 1);
    let list = this.#known[slot];
    if (
      list === undefined ||
      list.view.byteLength !== end - start ||
      !equalBytes(fields.view, start, list.view, 0, end - start)
    ) {
      list = readList(Buffer.from(fields.bytes.subarray(start, end)));
      this.#known[slot] = list;
    }
    fields.dropLast();
    fields.remove(namesField);
    if (names(list, fields)) {
      apply(list, fields);
    }
  }
}

/** Takes a list from somebody who is no proxy of ours. */
export function dropHeaderNames(fields: HeadFields): void {
  fields.remove(namesField);
}

function isNamesField(fields: HeadFields, index: number): boolean {
  const start = fields.nameStartAt(index);
  const length = fields.nameEndAt(index) - start;
  return length === namesField.length && equalBytes(fields.view, start, namesFieldView, 0, length);
}

function readList(bytes: Buffer): ReadList {
  const text = bytes.toString('latin1');
  const all = text.endsWith(',') ? text.slice(0, -1).split(',') : [];
  const hostPlace = Math.max(
    0,
    all.findIndex((name) => name.toLowerCase() === 'host'),
  );
  all.unshift(...all.splice(hostPlace, 1));
  const capitalStarts = new Int32Array(all.length + 1);
  const capitals: number[] = [];
  all.forEach((name, index) => {
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      if (code >= 0x41 && code <= 0x5a) {
        capitals.push(at, code);
      }
    }
    capitalStarts[index + 1] = capitals.length;
  });
  return {
    view: viewOf(bytes),
    count: all.length,
    hashes: Int32Array.from(all, (name) => hashName(name.toLowerCase())),
    lengths: Int32Array.from(all, (name) => name.length),
    capitalStarts,
    capitals: Uint16Array.from(capitals),
    hostPlace,
  };
}

/** Whether the list names the lines of `fields`. Different names may have one hash: `apply` changes nothing but case, so it may err. */
function names(list: ReadList, fields: HeadFields): boolean {
  const { count, hashes, lengths } = list;
  let place = 0;
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.isRemoved(index)) {
      continue;
    }
    if (
      place >= count ||
      fields.hashAt(index) !== hashes[place] ||
      fields.nameEndAt(index) - fields.nameStartAt(index) !== lengths[place]
    ) {
      return false;
    }
    place += 1;
  }
  return place === count && fields.addedCount === 0;
}

function apply(list: ReadList, fields: HeadFields): void {
  const { capitals, capitalStarts, hostPlace } = list;
  const { bytes } = fields;
  let place = 0;
  let hostBehind = 0;
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.isRemoved(index)) {
      continue;
    }
    const start = fields.nameStartAt(index);
    const end = capitalStarts[place + 1] as number;
    for (let from = capitalStarts[place] as number; from < end; from += 2) {
      const at = start + (capitals[from] as number);
      const capital = capitals[from + 1] as number;
      if (bytes[at] === capital + 0x20) {
        bytes[at] = capital;
      }
    }
    if (place === hostPlace) {
      hostBehind = index;
    }
    place += 1;
  }
  if (hostBehind > 0) {
    fields.moveFirstBehind(hostBehind);
  }
}

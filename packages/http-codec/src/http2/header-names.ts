import { tokenLower } from '../byte-class.ts';
import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';

/**
 * How names of fields are written, and where `host` stands, gets lost in HTTP/2; applications of HTTP/1.1 may look at both. Between
 * two of our proxies one field carries it: the names in order, separated by commas, where they are not what the other side makes by
 * itself. Lists repeat, so that HPACK sends one byte for them and both sides remember what they said (see docs/http2.md).
 */
export const namesField = 'x-weft-names';

/** Lists remembered by each side of a connection; applications have few forms of heads. */
const remembered = 8;
/** Longer lists are ignored; heads with so many names keep them in lower case. */
export const maxListBytes: number = 8 * 1024;
const comma = 0x2c;

interface KnownList {
  readonly text: string;
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
    if (list === undefined || !isListOf(fields, list.text)) {
      list = makeList(fields);
      this.#known[slot] = list;
    }
    return list.needed ? list.text : undefined;
  }
}

/** Whether `text` is what `makeList` would make; without making it. */
function isListOf(fields: HeadFields, text: string): boolean {
  const { bytes } = fields;
  let at = 0;
  let cookieSeen = false;
  for (let index = 0; index < fields.count; index += 1) {
    if (!travels(fields, index, cookieSeen)) {
      continue;
    }
    cookieSeen ||= fields.idAt(index) === KnownHeader.cookie;
    const end = fields.nameEndAt(index);
    for (let from = fields.nameStartAt(index); from < end; from += 1, at += 1) {
      if (bytes[from] !== text.charCodeAt(at)) {
        return false;
      }
    }
    if (text.charCodeAt(at) !== comma) {
      return false;
    }
    at += 1;
  }
  for (let index = 0; index < fields.addedCount; index += 1) {
    if (!addedTravels(fields, index)) {
      continue;
    }
    const name = fields.addedNameWrittenAt(index);
    if (!text.startsWith(name, at) || text.charCodeAt(at + name.length) !== comma) {
      return false;
    }
    at += name.length + 1;
  }
  return at === text.length;
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
  return { text, needed: needed && text.length <= maxListBytes };
}

/** The names of a list, as bytes one behind the other. */
interface ReadList {
  readonly text: string;
  readonly names: Buffer;
  /** Where each name begins in `names`; one more than names. */
  readonly starts: Int32Array;
  /** Which of them is `host`; -1: none. */
  readonly host: number;
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
    if (list === undefined || !isText(fields.bytes, start, end, list.text)) {
      list = readList(fields.bytes.latin1Slice(start, end));
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
  return isText(fields.bytes, fields.nameStartAt(index), fields.nameEndAt(index), namesField);
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) {
    return false;
  }
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) {
      return false;
    }
  }
  return true;
}

function readList(text: string): ReadList {
  const all = text.endsWith(',') ? text.slice(0, -1).split(',') : [];
  const starts = new Int32Array(all.length + 1);
  all.forEach((name, index) => {
    starts[index + 1] = (starts[index] as number) + name.length;
  });
  const host = all.findIndex((name) => name.toLowerCase() === 'host');
  return { text, names: Buffer.from(all.join(''), 'latin1'), starts, host };
}

/**
 * Whether the list names the lines of `fields` (all in lower case, `host` first) but for case and the place of `host`. Since they
 * have to be the same but for case, no byte gets into a name that may not stand there.
 */
function names(list: ReadList, fields: HeadFields): boolean {
  const { starts, host } = list;
  let place = 0;
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.isRemoved(index)) {
      continue;
    }
    let name = place;
    if (host >= 0) {
      name = place === 0 ? host : place <= host ? place - 1 : place;
    }
    place += 1;
    if (place >= starts.length || !isName(list, name, fields, index)) {
      return false;
    }
  }
  return place === starts.length - 1 && fields.addedCount === 0;
}

function isName(list: ReadList, name: number, fields: HeadFields, index: number): boolean {
  const from = list.starts[name] as number;
  const start = fields.nameStartAt(index);
  const length = fields.nameEndAt(index) - start;
  if ((list.starts[name + 1] as number) - from !== length) {
    return false;
  }
  for (let at = 0; at < length; at += 1) {
    if (tokenLower[list.names[from + at] as number] !== fields.bytes[start + at]) {
      return false;
    }
  }
  return true;
}

function apply(list: ReadList, fields: HeadFields): void {
  const { host } = list;
  const { bytes } = fields;
  let place = 0;
  let hostBehind = -1;
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.isRemoved(index)) {
      continue;
    }
    let name = place;
    if (host >= 0) {
      name = place === 0 ? host : place <= host ? place - 1 : place;
    }
    const to = fields.nameStartAt(index);
    const end = list.starts[name + 1] as number;
    for (let from = list.starts[name] as number, at = to; from < end; from += 1, at += 1) {
      bytes[at] = list.names[from] as number;
    }
    if (place === host) {
      hostBehind = index;
    }
    place += 1;
  }
  if (hostBehind > 0) {
    fields.moveFirstBehind(hostBehind);
  }
}

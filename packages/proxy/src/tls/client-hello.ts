/** Longest ClientHello that is looked at, bytes; a longer one is no TLS for us. */
export const maxClientHelloBytes: number = 16 * 1024;

/** Records over which a ClientHello may be spread; OpenSSL's clients use one. */
export const maxHelloRecords = 32;

/** Longest TLS record, RFC 8446 §5.2. */
const maxRecordBytes: number = 16 * 1024 + 256;

/** Most that is waited for: the longest ClientHello in the most records. */
const maxInspectedBytes: number = maxClientHelloBytes + 4 + 5 * maxHelloRecords;

/** What the first bytes of a connection are. */
export type Inspection =
  | { readonly kind: 'need-more' }
  | { readonly kind: 'raw' }
  | { readonly kind: 'tls'; readonly serverName: string; readonly alpn: readonly string[] }
  /** It begins like TLS but is no valid ClientHello, or an over-long one. */
  | { readonly kind: 'invalid' };

const needMore: Inspection = { kind: 'need-more' };
const raw: Inspection = { kind: 'raw' };
const invalid: Inspection = { kind: 'invalid' };

/** Looks at what a client sent first, without consuming it (RFC 8446 §4.1.2, §5.1; RFC 6066 §3; RFC 7301). */
export function inspectClientHello(bytes: Buffer): Inspection {
  if (bytes.length === 0) {
    return needMore;
  }
  if (bytes[0] !== 0x16 || (bytes.length > 1 && bytes[1] !== 0x03)) {
    return raw;
  }
  const handshake = gatherHandshake(bytes);
  if (handshake === undefined) {
    return bytes.length > maxInspectedBytes ? invalid : needMore;
  }
  return handshake === false ? invalid : parseClientHello(handshake);
}

/**
 * The handshake message, which may be spread over several records. undefined: incomplete; false: not valid. Nothing is copied before
 * all of it is there: a client that sends byte by byte must not make us gather anew each time.
 */
function gatherHandshake(bytes: Buffer): Buffer | undefined | false {
  const pieces: Buffer[] = [];
  let gathered = 0;
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== 0x16 || pieces.length >= maxHelloRecords) {
      return false;
    }
    if (at + 5 > bytes.length) {
      return undefined;
    }
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > maxRecordBytes) {
      return false;
    }
    const piece = bytes.subarray(at + 5, at + 5 + length);
    pieces.push(piece);
    gathered += piece.length;
    const message = handshakeBytes(pieces);
    if (message === false || (message !== undefined && gathered >= message)) {
      return message === false ? false : joined(pieces).subarray(4, message);
    }
    at += 5 + length;
  }
  return undefined;
}

/** Length of the handshake message with its head; undefined when the head is not complete, false when it is no ClientHello. */
function handshakeBytes(pieces: readonly Buffer[]): number | undefined | false {
  const [first] = pieces;
  if (first === undefined || first.length === 0) {
    return undefined;
  }
  if (first[0] !== 1) {
    return false;
  }
  const head = first.length >= 4 ? first : Buffer.concat(pieces);
  if (head.length < 4) {
    return undefined;
  }
  const length = head.readUIntBE(1, 3);
  return length > maxClientHelloBytes ? false : 4 + length;
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** A bounded cursor: reading beyond the end gives -1 and marks it as failed. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2): number {
    if (this.rest < size) {
      this.failed = true;
      return -1;
    }
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  slice(length: number): Buffer {
    if (length < 0 || this.rest < length) {
      this.failed = true;
      return Buffer.alloc(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function parseClientHello(message: Buffer): Inspection {
  const cursor = new Cursor(message);
  cursor.slice(2 + 32);
  cursor.slice(cursor.number(1));
  cursor.slice(cursor.number(2));
  cursor.slice(cursor.number(1));
  if (cursor.failed) {
    return invalid;
  }
  if (cursor.rest === 0) {
    return { kind: 'tls', serverName: '', alpn: [] };
  }
  const extensions = new Cursor(cursor.slice(cursor.number(2)));
  let serverName: string | undefined = '';
  let alpn: string[] = [];
  while (!cursor.failed && !extensions.failed && extensions.rest > 0) {
    const type = extensions.number(2);
    const body = extensions.slice(extensions.number(2));
    if (type === 0) {
      serverName = serverNameOf(body);
    } else if (type === 16) {
      alpn = protocolsOf(body);
    }
  }
  return cursor.failed || extensions.failed || serverName === undefined ? invalid : { kind: 'tls', serverName, alpn };
}

/** Empty when there is none; undefined when it holds what no host name can: it goes into logs and is compared with names of the mesh. */
function serverNameOf(body: Buffer): string | undefined {
  const names = new Cursor(body);
  const list = new Cursor(names.slice(names.number(2)));
  while (!list.failed && list.rest > 0) {
    const type = list.number(1);
    const name = list.slice(list.number(2));
    if (type === 0 && !list.failed) {
      return name.every((byte) => byte > 0x20 && byte < 0x7f) ? name.toString('latin1').toLowerCase() : undefined;
    }
  }
  return '';
}

function protocolsOf(body: Buffer): string[] {
  const outer = new Cursor(body);
  const list = new Cursor(outer.slice(outer.number(2)));
  const protocols: string[] = [];
  while (!list.failed && list.rest > 0) {
    const name = list.slice(list.number(1));
    if (!list.failed) {
      protocols.push(name.toString('latin1'));
    }
  }
  return protocols;
}

import type { HeadFields } from '../../head-fields.ts';
import type { RawBuffer } from '../../output-buffer.ts';

/** A field block that is being made; one serves all connections, as it is copied into frames at once. */
export class FieldBlock {
  bytes: RawBuffer = Buffer.allocUnsafeSlow(4096) as RawBuffer;
  length = 0;
}

/**
 * The writing side of HPACK (RFC 7541) for one connection. A head is: `begin`, pseudo fields, `fields`, and perhaps `field`.
 * Every block that was begun has to be sent, in order, as the peer's table follows from it.
 */
export class HpackEncoder {
  /** SETTINGS_HEADER_TABLE_SIZE of the peer, in bytes; what exceeds 4,096 is not used. Default 4,096 (RFC 9113 §6.5.2). */
  setPeerMaxTableBytes(_bytes: number): void {}

  /** Begins a block: empties `block`, tells a change of the table's size. */
  begin(_block: FieldBlock): void {}

  method(_method: string): void {}
  scheme(_scheme: string): void {}
  authority(_authority: string): void {}
  path(_path: string): void {}
  /** `:protocol` of RFC 8441. */
  protocol(_protocol: string): void {}
  status(_status: number): void {}

  /**
   * All fields of a head or of trailers with their edits, names in lower case. Left out are `host`, `connection`, `keep-alive`,
   * `proxy-connection`, `transfer-encoding`, `upgrade`, `http2-settings`; of `te` only `trailers` remains.
   */
  fields(_fields: HeadFields): void {}

  /** One more field; `name` in lower case. */
  field(_name: string, _value: string): void {}
}

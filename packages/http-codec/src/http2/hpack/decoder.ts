import type { HeadFields } from '../../head-fields.ts';
import type { FieldSection, PseudoFields } from './pseudo-fields.ts';

/** What became of a block. Of several problems the gravest counts, of the same kind the first. */
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
  /** SETTINGS_MAX_HEADER_LIST_SIZE that we announced: name, value and 32 for each field, pseudo fields included. */
  readonly maxHeadBytes: number;
  /** Field lines; pseudo fields do not count, crumbs of a cookie count as one. */
  readonly maxFields: number;
}

/** The reading side of HPACK (RFC 7541) for one connection. */
export class HpackDecoder {
  /** Says what was wrong with the last block that was not ok: for GOAWAY debug data and the log. */
  problem = '';

  constructor(_limits: HpackDecoderLimits) {}

  /**
   * Decodes one complete field block, `block[start, end)`, into `fields` (cleared before by the caller): each regular field becomes a
   * line `name: value\r\n` with its mark, `fieldsStart` and `fieldsEnd` are set. In a request the first line is `host`,
   * made of `:authority`; a `host` field that says the same is dropped, a different one is malformed; crumbs of `cookie` are
   * joined. `pseudo` is cleared and filled. When the result is not `ok`, both hold nothing of use.
   */
  decode(
    _block: Buffer,
    _start: number,
    _end: number,
    _section: FieldSection,
    _fields: HeadFields,
    _pseudo: PseudoFields,
  ): HpackResult {
    throw new Error('not there yet');
  }

  /** The peer acknowledged another SETTINGS_HEADER_TABLE_SIZE of ours. */
  setMaxTableBytes(_bytes: number): void {}
}

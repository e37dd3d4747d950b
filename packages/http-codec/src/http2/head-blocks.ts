import type { HeadFields } from '../head-fields.ts';
import { KnownHeader } from '../known-header.ts';
import { releaseFields, takeFields } from '../trailer-fields.ts';
import type { Http2Counters } from './counters.ts';
import { dropHeaderNames, HeaderNamesReader, HeaderNamesWriter, namesField } from './header-names.ts';
import { HpackDecoder, type HpackResult } from './hpack/decoder.ts';
import { FieldBlock, HpackEncoder } from './hpack/encoder.ts';
import { type FieldSection, PseudoFields } from './hpack/pseudo-fields.ts';
import type { Http2Settings } from './settings.ts';

/** One for all connections: a head is encoded and copied into frames at once, … */
export const sharedBlock: FieldBlock = new FieldBlock();
/** … and what was decoded is looked at at once. */
export const sharedPseudo: PseudoFields = new PseudoFields();

/** Heads and trailers of one connection, from field blocks and into them. */
export class HeadBlocks {
  readonly encoder: HpackEncoder;
  readonly #decoder: HpackDecoder;
  readonly #settings: Http2Settings;
  readonly #counters: Http2Counters;
  readonly #namesWriter: HeaderNamesWriter | undefined;
  readonly #namesReader: HeaderNamesReader | undefined;

  constructor(settings: Http2Settings, counters: Http2Counters) {
    this.#settings = settings;
    this.#counters = counters;
    this.encoder = new HpackEncoder(settings.headerTableSizeBytes);
    this.#decoder = new HpackDecoder({
      maxTableBytes: settings.headerTableSizeBytes,
      maxHeadBytes: settings.maxHeadBytes,
      maxFields: settings.maxFields,
    });
    this.#namesWriter = settings.carryHeaderNames ? new HeaderNamesWriter() : undefined;
    this.#namesReader = settings.carryHeaderNames ? new HeaderNamesReader() : undefined;
  }

  /** What was wrong with the block that was decoded last. */
  get problem(): string {
    return this.#decoder.problem;
  }

  /** The peer knows our settings. */
  settingsAcknowledged(): void {
    this.#decoder.setMaxTableBytes(this.#settings.headerTableSizeBytes);
  }

  /** Decodes a block into `fields` and `sharedPseudo`. */
  decode(bytes: Buffer, start: number, end: number, section: FieldSection, fields: HeadFields): HpackResult {
    const result = this.#decoder.decode(bytes, start, end, section, fields, sharedPseudo);
    if (result === 'too-large') {
      this.#counters.headerOverflow += 1;
    } else if (result === 'malformed') {
      this.#counters.rxMessagingError += 1;
    } else if (this.#namesReader !== undefined && section !== 'trailers') {
      this.#namesReader.restore(fields);
    } else {
      dropHeaderNames(fields);
    }
    return result;
  }

  /** Decodes a block that nobody wants, for the table's sake. */
  skip(bytes: Buffer, start: number, end: number, section: FieldSection): HpackResult {
    const fields = takeFields();
    const result = this.#decoder.decode(bytes, start, end, section, fields, sharedPseudo);
    releaseFields(fields);
    return result;
  }

  /** The fields of a head, behind its pseudo fields. */
  encodeFields(fields: HeadFields): void {
    if (this.#namesWriter === undefined) {
      this.encoder.fields(fields);
      return;
    }
    const names = this.#namesWriter.listFor(fields);
    this.encoder.fields(fields);
    if (names !== undefined) {
      this.encoder.field(namesField, names);
    }
  }
}

/** RFC 9110 §6.5.1: fields that frame or route a message are worthless in a trailer, and dangerous if merged. */
export function framesOrRoutes(trailers: HeadFields): boolean {
  for (let index = 0; index < trailers.count; index += 1) {
    const id = trailers.idAt(index);
    if (id !== KnownHeader.unknown && id <= KnownHeader.lastFraming) {
      return true;
    }
  }
  return false;
}

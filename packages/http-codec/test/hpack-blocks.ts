import { HeadFields } from '../src/head-fields.ts';
import { HpackDecoder, type HpackResult } from '../src/http2/hpack/decoder.ts';
import { FieldBlock, type HpackEncoder } from '../src/http2/hpack/encoder.ts';
import { huffmanCodes } from '../src/http2/hpack/huffman.ts';
import { type FieldSection, PseudoFields } from '../src/http2/hpack/pseudo-fields.ts';
import { hashName, knownHeaderOf } from '../src/known-header.ts';

/** Field blocks made by hand, for tests and fuzzing: also those that no encoder would make. */

export function huffman(text: string): Buffer {
  const bytes: number[] = [];
  let pending = 0;
  let bits = 0;
  for (const byte of Buffer.from(text, 'latin1')) {
    const code = huffmanCodes.codes[byte] as number;
    for (let bit = (huffmanCodes.lengths[byte] as number) - 1; bit >= 0; bit -= 1) {
      pending = (pending << 1) | ((code >>> bit) & 1);
      bits += 1;
      if (bits === 8) {
        bytes.push(pending);
        pending = 0;
        bits = 0;
      }
    }
  }
  if (bits > 0) {
    bytes.push((pending << (8 - bits)) | (0xff >> bits));
  }
  return Buffer.from(bytes);
}

/** RFC 7541 §5.1, with the bits of `first` above the prefix. */
export function integer(first: number, prefixBits: number, value: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    return Buffer.from([first | value]);
  }
  const bytes = [first | mask];
  let rest = value - mask;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function string(text: string, coded = false): Buffer {
  const bytes = coded ? huffman(text) : Buffer.from(text, 'latin1');
  return Buffer.concat([integer(coded ? 0x80 : 0, 7, bytes.length), bytes]);
}

export function indexed(index: number): Buffer {
  return integer(0x80, 7, index);
}

export function sizeUpdate(bytes: number): Buffer {
  return integer(0x20, 5, bytes);
}

export type LiteralForm = 'indexing' | 'plain' | 'never';

/** A literal field; `name` is text or an index. */
export function literal(name: string | number, value: string, form: LiteralForm = 'plain', coded = false): Buffer {
  const first = { indexing: 0x40, plain: 0, never: 0x10 }[form];
  const bits = form === 'indexing' ? 6 : 4;
  return typeof name === 'number'
    ? Buffer.concat([integer(first, bits, name), string(value, coded)])
    : Buffer.concat([integer(first, bits, 0), string(name, coded), string(value, coded)]);
}

/** A whole block of literals. */
export function block(fields: readonly (readonly [string, string])[], form: LiteralForm = 'plain'): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value, form)));
}

export const wideLimits = { maxTableBytes: 4096, maxHeadBytes: 61_440, maxFields: 100 };

/** What a block was decoded to. */
export interface Decoded {
  readonly result: HpackResult;
  readonly problem: string;
  readonly pseudo: PseudoFields;
  readonly fields: HeadFields;
  /** The lines of the head, with the edits that joined cookies. */
  readonly lines: readonly string[];
}

export function decodeBlock(
  decoder: HpackDecoder,
  bytes: Buffer | string,
  section: FieldSection = 'request',
  fields: HeadFields = new HeadFields(),
): Decoded {
  const whole = typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes;
  // Bytes around the block, which must not be touched.
  const framed = Buffer.concat([Buffer.from('~~~'), whole, Buffer.from([0x82, 0x82])]);
  const pseudo = new PseudoFields();
  const result = decoder.decode(framed, 3, framed.length - 2, section, fields, pseudo);
  const lines: string[] = [];
  if (result === 'ok') {
    fields.forEach((name, value) => {
      lines.push(`${name}: ${value}`);
    });
  }
  return { result, problem: result === 'ok' ? '' : decoder.problem, pseudo, fields, lines };
}

/** The decoder of a test, with the limits of the product. */
export function newDecoder(limits: Partial<typeof wideLimits> = {}): HpackDecoder {
  return new HpackDecoder({ ...wideLimits, ...limits });
}

/** The fields that a request has beside its pseudo fields, as `HeadFields` has them after HTTP/1.1 was read or fields were added. */
export interface SampleHead {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly fields: readonly (readonly [string, string])[];
}

/** Fields as a head that was received has them: lines with marks. */
export function fieldsOf(
  pairs: readonly (readonly [string, string])[],
  fields: HeadFields = new HeadFields(),
): HeadFields {
  for (const [name, value] of pairs) {
    const line = Buffer.from(`${name}: ${value}\r\n`, 'latin1');
    const at = fields.size;
    fields.append(line, 0, line.length);
    const hash = hashName(name.toLowerCase());
    const nameEnd = at + name.length;
    const id = knownHeaderOf(fields.bytes, at, nameEnd, hash);
    fields.mark(at, nameEnd, nameEnd + 2, nameEnd + 2 + value.length, hash, id);
  }
  fields.fieldsEnd = fields.size;
  return fields;
}

/** Encodes a request; the result is a copy. */
export function encodeRequest(
  encoder: HpackEncoder,
  head: SampleHead,
  fields: HeadFields = fieldsOf(head.fields),
): Buffer {
  const out = new FieldBlock();
  encoder.begin(out);
  encoder.method(head.method);
  encoder.scheme(head.scheme);
  encoder.authority(head.authority);
  encoder.path(head.path);
  encoder.fields(fields);
  return Buffer.from(out.bytes.subarray(0, out.length));
}

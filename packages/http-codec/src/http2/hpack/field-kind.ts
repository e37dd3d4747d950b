import { fieldValueByte, hostByte, targetByte, tokenLower } from '../../byte-class.ts';
import { hasNoControls } from '../../byte-range.ts';
import { KnownHeader, type KnownHeaderId } from '../../known-header.ts';
import type { FieldSection } from './pseudo-fields.ts';

/**
 * What a field means to the decoder. It is found once, when a name or value comes as a literal, and kept with the table's entry: an
 * indexed field costs no look at its bytes. From `malformed` on the field makes its message malformed.
 */
export const FieldKind = {
  regular: 0,
  cookie: 1,
  host: 2,
  te: 3,
  method: 4,
  scheme: 5,
  authority: 6,
  path: 7,
  protocol: 8,
  status: 9,
  malformed: 10,
  badName: 10,
  connection: 11,
  unknownPseudo: 12,
  badValue: 13,
  edgeBlank: 14,
  badTe: 15,
} as const;

/** A number of `FieldKind`. */
export type FieldKindId = number;

/** Why a field of that kind makes its message malformed. */
export const kindProblems: readonly string[] = [
  'invalid field name',
  'connection-specific field',
  'unknown pseudo field',
  'invalid field value',
  'field value with blank at its edge',
  'te other than trailers',
];

/** `tchar` without capital letters (RFC 9113 §8.2.1): the byte itself, or 0 where it is not allowed. */
export const nameByte: Uint8Array = tokenLower.map((lower, byte) => (lower === byte ? lower : 0));

const pseudoKinds = [
  FieldKind.method,
  FieldKind.scheme,
  FieldKind.authority,
  FieldKind.path,
  FieldKind.protocol,
  FieldKind.status,
] as const;
const pseudoNames = [':method', ':scheme', ':authority', ':path', ':protocol', ':status'].map((name) =>
  Buffer.from(name, 'latin1'),
);

/** The kind that a name alone says, for a name whose bytes were checked (`:` in front is allowed). */
export function kindOfName(bytes: Uint8Array, start: number, end: number, id: KnownHeaderId): FieldKindId {
  if (bytes[start] === 0x3a) {
    for (let index = 0; index < pseudoNames.length; index += 1) {
      if (equals(bytes, start, end, pseudoNames[index] as Buffer)) {
        return pseudoKinds[index] as FieldKindId;
      }
    }
    return FieldKind.unknownPseudo;
  }
  switch (id) {
    case KnownHeader.cookie:
      return FieldKind.cookie;
    case KnownHeader.host:
      return FieldKind.host;
    case KnownHeader.te:
      return FieldKind.te;
    case KnownHeader.connection:
    case KnownHeader.proxyConnection:
    case KnownHeader.keepAlive:
    case KnownHeader.transferEncoding:
    case KnownHeader.upgrade:
      return FieldKind.connection;
    default:
      return FieldKind.regular;
  }
}

const trailers = Buffer.from('trailers', 'latin1');
const schemeByte = tokenLower.map((lower, byte) => (/[0-9A-Za-z+.-]/.test(String.fromCharCode(byte)) ? lower : 0));
const digitByte = tokenLower.map((_, byte) => (byte >= 0x30 && byte <= 0x39 ? 1 : 0));

/** Allowed bytes of a value, by kind. */
const valueBytes: readonly Uint8Array[] = [
  fieldValueByte,
  fieldValueByte,
  fieldValueByte,
  fieldValueByte,
  tokenLower,
  schemeByte,
  hostByte,
  targetByte,
  tokenLower,
  digitByte,
];

/** The kind of a whole field: `nameKind` when its value, `bytes[start, end)`, may stand there, else what is wrong with it. */
export function kindOfField(
  nameKind: FieldKindId,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): FieldKindId {
  if (nameKind >= FieldKind.malformed) {
    return nameKind;
  }
  if (nameKind > FieldKind.te || !hasNoControls(view, start, end)) {
    const allowed = valueBytes[nameKind] as Uint8Array;
    for (let at = start; at < end; at += 1) {
      if (allowed[bytes[at] as number] === 0) {
        return FieldKind.badValue;
      }
    }
  }
  if (nameKind < FieldKind.te) {
    return end > start && (isBlank(bytes[start]) || isBlank(bytes[end - 1])) ? FieldKind.edgeBlank : nameKind;
  }
  switch (nameKind) {
    case FieldKind.te:
      return equals(bytes, start, end, trailers) ? nameKind : FieldKind.badTe;
    case FieldKind.method:
    case FieldKind.scheme:
    case FieldKind.protocol:
      return end > start ? nameKind : FieldKind.badValue;
    case FieldKind.status:
      return end - start === 3 && bytes[start] !== 0x30 ? nameKind : FieldKind.badValue;
    default:
      return nameKind;
  }
}

/** The pseudo fields that may stand in a section: a bit for each kind. */
export const allowedPseudoKinds: Readonly<Record<FieldSection, number>> = {
  request:
    (1 << FieldKind.method) |
    (1 << FieldKind.scheme) |
    (1 << FieldKind.authority) |
    (1 << FieldKind.path) |
    (1 << FieldKind.protocol),
  response: 1 << FieldKind.status,
  trailers: 0,
};

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

function equals(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) {
    return false;
  }
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text[index]) {
      return false;
    }
  }
  return true;
}

import { BinaryReader } from '@weft/xds-types';
import { absentValue } from './absent-value.ts';
import { decodeStruct } from './decode-struct.ts';
import type { Problems } from './problems.ts';
import type { AnyMessage, Decoded, Field } from './schema.ts';

/** Nesting of messages inside one resource. Envoy's own configuration needs about twelve levels. */
export const MAX_MESSAGE_DEPTH = 40;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

type Slots = Record<string, unknown>;

/**
 * Decodes `bytes` as `type`. What is not supported, malformed or out of range becomes a problem with its path; the
 * value is complete (absent fields have their defaults) and is to be used only if no problem was added.
 */
export function decodeMessage<M extends AnyMessage>(type: M, input: Uint8Array, problems: Problems): Decoded<M> {
  return decodeInto(type, new BinaryReader(input), input.length, problems, 0) as Decoded<M>;
}

function decodeInto(type: AnyMessage, reader: BinaryReader, end: number, problems: Problems, depth: number): Slots {
  const slots = emptySlots(type);
  if (depth > MAX_MESSAGE_DEPTH) {
    problems.add(`nested more than ${MAX_MESSAGE_DEPTH} levels deep`);
    reader.pos = end;
    return slots;
  }
  try {
    while (reader.pos < end) {
      const tag = reader.uint32();
      const number = tag >>> 3;
      const wireType = tag & 7;
      const entry = type.byNumber.get(number);
      if (entry === undefined) {
        skipUnsupported(type, reader, number, wireType, problems);
      } else {
        problems.within(entry.key, () =>
          decodeField(slots, entry.key, entry.field, reader, wireType, problems, depth + 1),
        );
      }
    }
    if (reader.pos > end) {
      throw new RangeError('a field ends beyond its message');
    }
  } catch (thrown) {
    problems.add(`malformed ${type.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    reader.pos = end;
  }
  checkOneofs(type, slots, problems);
  return slots;
}

function emptySlots(type: AnyMessage): Slots {
  const slots: Slots = {};
  for (const key in type.fields) {
    slots[key] = defaultValue(type.fields[key] as Field);
  }
  return slots;
}

function defaultValue(field: Field): unknown {
  if (field.shape === 'repeated') {
    return [];
  }
  if (field.shape === 'map') {
    return new Map();
  }
  return absentValue(field);
}

function decodeField(
  slots: Slots,
  key: string,
  field: Field,
  reader: BinaryReader,
  wireType: number,
  problems: Problems,
  depth: number,
): void {
  if (field.shape === 'map') {
    const entries = slots[key] as Map<string, unknown>;
    const [name, value] = decodeMapEntry(field, reader, problems, depth);
    entries.set(name, value);
    return;
  }
  if (field.shape === 'single') {
    const value = decodeValue(field, reader, wireType, problems, depth);
    if (field.only !== undefined && value !== field.only) {
      problems.add(`only ${String(field.only)} is supported, not ${String(value)}`);
    }
    if (field.kind === 'message' && slots[key] !== undefined) {
      // Protobuf would merge the two; no encoder writes this, and dropping one of them would be silent.
      problems.add('set more than once');
    }
    slots[key] = value;
    return;
  }
  const items = slots[key] as unknown[];
  if (wireType === LENGTH_DELIMITED && isPackable(field)) {
    const end = reader.uint32() + reader.pos;
    while (reader.pos < end) {
      items.push(decodeValue(field, reader, field.kind === 'double' ? FIXED64 : VARINT, problems, depth));
    }
    return;
  }
  items.push(problems.within(items.length, () => decodeValue(field, reader, wireType, problems, depth)));
}

function isPackable(field: Field): boolean {
  return (
    field.kind === 'uint32' ||
    field.kind === 'enum' ||
    field.kind === 'int64' ||
    field.kind === 'uint64' ||
    field.kind === 'double'
  );
}

function decodeMapEntry(
  field: Field,
  reader: BinaryReader,
  problems: Problems,
  depth: number,
): [name: string, value: unknown] {
  const end = reader.uint32() + reader.pos;
  let name = '';
  let value = defaultValue({ ...field, shape: 'single' });
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) {
      name = reader.string();
    } else if (tag >>> 3 === 2) {
      value = problems.within(name, () => decodeValue(field, reader, tag & 7, problems, depth));
    } else {
      reader.skip(tag & 7);
    }
  }
  if (value === undefined) {
    problems.within(name, () => problems.add('has no value'));
  }
  return [name, value];
}

function decodeValue(field: Field, reader: BinaryReader, wireType: number, problems: Problems, depth: number): unknown {
  const expected = expectedWireType(field);
  if (wireType !== expected) {
    throw new TypeError(`wire type ${wireType} where ${expected} is due`);
  }
  switch (field.kind) {
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.bytes().slice();
    case 'bool':
      return reader.bool();
    case 'uint32':
      return reader.uint32();
    case 'int64':
      return BigInt(reader.int64());
    case 'uint64':
      return BigInt(reader.uint64());
    case 'double':
      return reader.double();
    case 'enum': {
      const number = reader.int32();
      const name = field.values?.get(number);
      if (name === undefined) {
        problems.add(`the value ${number} is not supported`);
      }
      return name;
    }
    case 'message': {
      if (field.raw === true) {
        return { bytes: reader.bytes(), message: undefined };
      }
      const end = lengthOf(reader);
      return decodeInto(field.message as AnyMessage, reader, end, problems, depth);
    }
    case 'any':
      return decodeAny(field, reader, problems, depth);
    case 'struct':
      return decodeStruct(reader, lengthOf(reader), depth);
    case 'duration':
      return decodeDuration(reader, lengthOf(reader));
    case 'boolValue':
      return decodeWrapper(reader, lengthOf(reader), false, () => reader.bool());
    case 'uint32Value':
      return decodeWrapper(reader, lengthOf(reader), 0, () => reader.uint32());
    case 'uint64Value':
      return decodeWrapper(reader, lengthOf(reader), 0, () => Number(reader.uint64()));
  }
}

function expectedWireType(field: Field): number {
  switch (field.kind) {
    case 'bool':
    case 'uint32':
    case 'int64':
    case 'uint64':
    case 'enum':
      return VARINT;
    case 'double':
      return FIXED64;
    default:
      return LENGTH_DELIMITED;
  }
}

/** Reads a length; the result is the position after the value. */
function lengthOf(reader: BinaryReader): number {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) {
    throw new RangeError('a field ends beyond the resource');
  }
  return end;
}

function decodeAny(field: Field, reader: BinaryReader, problems: Problems, depth: number): unknown {
  const end = lengthOf(reader);
  let typeUrl = '';
  let value = new Uint8Array(0);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) {
      typeUrl = reader.string();
    } else if (tag >>> 3 === 2) {
      value = reader.bytes() as Uint8Array<ArrayBuffer>;
    } else {
      reader.skip(tag & 7);
    }
  }
  const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const type = field.types?.find((candidate) => candidate.name === name);
  if (type === undefined) {
    if (field.open === true) {
      return { type: 'unknown', value: { typeUrl } };
    }
    problems.add(`the type ${JSON.stringify(typeUrl)} is not supported here`);
    return undefined;
  }
  return { type: name, value: decodeInto(type, new BinaryReader(value), value.length, problems, depth) };
}

/** Longest time that `google.protobuf.Duration` allows, seconds. */
const MAX_DURATION_SECONDS = 315_576_000_000;

function decodeDuration(reader: BinaryReader, end: number): number {
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 8) {
      seconds = Number(reader.int64());
    } else if (tag === 16) {
      nanos = reader.int32();
    } else {
      reader.skip(tag & 7);
    }
  }
  if (seconds < 0 || nanos < 0) {
    throw new RangeError('a negative duration');
  }
  if (seconds > MAX_DURATION_SECONDS || nanos > 999_999_999) {
    throw new RangeError('a duration that is too long');
  }
  return seconds * 1000 + nanos / 1e6;
}

function decodeWrapper<T>(reader: BinaryReader, end: number, zero: T, read: () => T): T {
  let value = zero;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) {
      value = read();
    } else {
      reader.skip(tag & 7);
    }
  }
  return value;
}

/** Skips a field that is not acted upon; set to anything but its zero value it is a problem. */
function skipUnsupported(
  type: AnyMessage,
  reader: BinaryReader,
  number: number,
  wireType: number,
  problems: Problems,
): void {
  let isZero = false;
  if (wireType === VARINT) {
    isZero = BigInt(reader.int64()) === 0n;
  } else if (wireType === FIXED32) {
    isZero = reader.fixed32() === 0;
  } else if (wireType === FIXED64) {
    isZero = BigInt(reader.fixed64()) === 0n;
  } else {
    reader.skip(wireType, number);
  }
  if (isZero) {
    return;
  }
  const name = type.unsupported.get(number);
  if (name === undefined) {
    problems.add(`field number ${number} of ${type.name} is not known to this proxy`);
  } else {
    problems.add('not supported by this proxy', name);
  }
}

function checkOneofs(type: AnyMessage, slots: Slots, problems: Problems): void {
  for (const group of type.oneofs) {
    const set = group.filter((key) => slots[key] !== undefined);
    if (set.length > 1) {
      problems.add(`at most one of ${group.join(', ')} may be set`);
    }
  }
}

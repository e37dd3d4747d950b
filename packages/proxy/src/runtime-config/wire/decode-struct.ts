import type { BinaryReader } from '@weft/xds-types';
import type { JsonObject, JsonValue } from './schema.ts';

/** Nesting inside one `google.protobuf.Struct`. */
const MAX_STRUCT_DEPTH = 32;

/** Reads a `google.protobuf.Struct` that ends at `end`. Malformed bytes throw. */
export function decodeStruct(reader: BinaryReader, end: number, depth: number): JsonObject {
  if (depth > MAX_STRUCT_DEPTH) {
    throw new RangeError(`a Struct nested more than ${MAX_STRUCT_DEPTH} levels deep`);
  }
  const entries: [string, JsonValue][] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag !== 10) {
      reader.skip(tag & 7);
      continue;
    }
    const entryEnd = reader.uint32() + reader.pos;
    let key = '';
    let value: JsonValue = null;
    while (reader.pos < entryEnd) {
      const entryTag = reader.uint32();
      if (entryTag === 10) {
        key = reader.string();
      } else if (entryTag === 18) {
        value = decodeValue(reader, reader.uint32() + reader.pos, depth + 1);
      } else {
        reader.skip(entryTag & 7);
      }
    }
    entries.push([key, value]);
  }
  // `fromEntries` defines own properties: a key `__proto__` stays a key.
  return Object.fromEntries(entries);
}

function decodeValue(reader: BinaryReader, end: number, depth: number): JsonValue {
  let value: JsonValue = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        reader.int32();
        value = null;
        break;
      case 2:
        value = reader.double();
        break;
      case 3:
        value = reader.string();
        break;
      case 4:
        value = reader.bool();
        break;
      case 5:
        value = decodeStruct(reader, reader.uint32() + reader.pos, depth);
        break;
      case 6:
        value = decodeList(reader, reader.uint32() + reader.pos, depth);
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return value;
}

function decodeList(reader: BinaryReader, end: number, depth: number): JsonValue[] {
  if (depth > MAX_STRUCT_DEPTH) {
    throw new RangeError(`a list nested more than ${MAX_STRUCT_DEPTH} levels deep`);
  }
  const items: JsonValue[] = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 10) {
      items.push(decodeValue(reader, reader.uint32() + reader.pos, depth + 1));
    } else {
      reader.skip(tag & 7);
    }
  }
  return items;
}

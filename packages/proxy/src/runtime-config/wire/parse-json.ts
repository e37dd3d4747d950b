import { absentValue } from './absent-value.ts';
import type { Problems } from './problems.ts';
import type { AnyMessage, Decoded, Field, JsonObject, JsonValue } from './schema.ts';

/**
 * Reads a message from proto3 JSON (`static` resources); the same rules as for bytes. Fields may have the name of the proto or its JSON name, enums their
 * name or number, so that what `weft config dump` prints can be read.
 */
export function parseJsonMessage<M extends AnyMessage>(type: M, json: JsonObject, problems: Problems): Decoded<M> {
  return parseObject(type, json, problems) as Decoded<M>;
}

function parseObject(type: AnyMessage, given: JsonObject, problems: Problems): Record<string, unknown> {
  const json = withProtoNames(type, given, problems);
  const slots: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(type.fields)) {
    slots[key] = problems.within(key, () =>
      parseField(field, Object.hasOwn(json, key) ? json[key] : undefined, problems),
    );
  }
  const unsupported = new Set(type.unsupported.values());
  for (const key of Object.keys(json)) {
    if (!Object.hasOwn(type.fields, key) && key !== '@type' && !(unsupported.has(key) && isZero(json[key]))) {
      problems.add(unsupported.has(key) ? 'not supported by this proxy' : `not a field of ${type.name}`, key);
    }
  }
  for (const group of type.oneofs) {
    if (group.filter((key) => slots[key] !== undefined).length > 1) {
      problems.add(`at most one of ${group.join(', ')} may be set`);
    }
  }
  return slots;
}

/** The object with `max_requests` in place of `maxRequests`. The same object where nothing is to be renamed. */
function withProtoNames(type: AnyMessage, json: JsonObject, problems: Problems): JsonObject {
  if (!Object.keys(json).some((key) => /[A-Z]/.test(key))) {
    return json;
  }
  const protoNames = new Map(
    [...Object.keys(type.fields), ...type.unsupported.values()].map((name) => [jsonName(name), name]),
  );
  const renamed: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(json)) {
    const name = protoNames.get(key) ?? key;
    if (Object.hasOwn(renamed, name)) {
      problems.add('is set twice', name);
    }
    renamed[name] = value;
  }
  return renamed;
}

/** `proxy_100_continue` is `proxy100Continue`. */
function jsonName(name: string): string {
  return name.replace(/_(.)/g, (_, next: string) => next.toUpperCase());
}

/** A scalar or list that says nothing: on the wire it would not be there. An empty object may be a message that is. */
function isZero(json: JsonValue | undefined): boolean {
  return json === false || json === 0 || json === '' || json === null || (Array.isArray(json) && json.length === 0);
}

function parseField(field: Field, json: JsonValue | undefined, problems: Problems): unknown {
  if (field.shape === 'repeated') {
    if (json === undefined || json === null) {
      return [];
    }
    if (!Array.isArray(json)) {
      problems.add('must be a list');
      return [];
    }
    return json.map((item: JsonValue, index) => problems.within(index, () => parseValue(field, item, problems)));
  }
  if (field.shape === 'map') {
    if (json === undefined || json === null) {
      return new Map();
    }
    if (!isObject(json)) {
      problems.add('must be an object');
      return new Map();
    }
    return new Map(
      Object.entries(json).map(([name, item]) => [
        name,
        problems.within(name, () => parseValue(field, item, problems)),
      ]),
    );
  }
  if (json === undefined || json === null) {
    return absentValue(field);
  }
  const value = parseValue(field, json, problems);
  if (field.only !== undefined && value !== field.only) {
    problems.add(`only ${String(field.only)} is supported, not ${String(value)}`);
  }
  return value;
}

function parseValue(field: Field, json: JsonValue, problems: Problems): unknown {
  switch (field.kind) {
    case 'string':
      return typeof json === 'string' ? json : wrong(problems, 'a text', '');
    case 'bytes':
      return typeof json === 'string' ? Buffer.from(json, 'base64') : wrong(problems, 'base64', new Uint8Array(0));
    case 'bool':
    case 'boolValue':
      return typeof json === 'boolean' ? json : wrong(problems, 'true or false', false);
    case 'uint32':
    case 'uint32Value':
      return isUint32(json) ? json : wrong(problems, 'a whole number from 0 to 4294967295', 0);
    case 'uint64Value':
      return /^\d{1,20}$/.test(String(json)) ? Number(json) : wrong(problems, 'a whole number', 0);
    case 'double':
      return typeof json === 'number' ? json : wrong(problems, 'a number', 0);
    case 'int64':
      return /^-?\d{1,19}$/.test(String(json)) ? BigInt(String(json)) : wrong(problems, 'a whole number', 0n);
    case 'uint64':
      return /^\d{1,20}$/.test(String(json)) ? BigInt(String(json)) : wrong(problems, 'a whole number', 0n);
    case 'enum':
      return parseEnum(field, json, problems);
    case 'duration':
      return parseDuration(json, problems);
    case 'struct':
      return isObject(json) ? json : wrong(problems, 'an object', {});
    case 'message': {
      const object = isObject(json) ? json : wrong(problems, 'an object', {});
      const value = parseObject(field.message as AnyMessage, object, problems);
      return field.raw === true ? { bytes: undefined, message: value } : value;
    }
    case 'any':
      return parseAny(field, json, problems);
  }
}

function parseEnum(field: Field, json: JsonValue, problems: Problems): string | undefined {
  for (const [number, name] of field.values ?? []) {
    if (name === json || number === json) {
      return name;
    }
  }
  const names = [...(field.values?.values() ?? [])];
  return wrong(problems, `one of ${names.join(', ')}`, names[0]);
}

function parseDuration(json: JsonValue, problems: Problems): number {
  const match = typeof json === 'string' ? /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(json) : null;
  return match === null ? wrong(problems, 'a duration like "1.5s"', 0) : Number(match[1]) * 1000;
}

function parseAny(field: Field, json: JsonValue, problems: Problems): unknown {
  const object = isObject(json) ? json : {};
  const url = object['@type'];
  const name = typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : '';
  const type = field.types?.find((candidate) => candidate.name === name);
  if (type === undefined) {
    if (field.open === true) {
      return { type: 'unknown', value: { typeUrl: String(url) } };
    }
    problems.add(`the type ${JSON.stringify(url ?? '')} is not supported here`);
    return undefined;
  }
  return { type: name, value: parseObject(type, object, problems) };
}

function wrong<T>(problems: Problems, expected: string, fallback: T): T {
  problems.add(`must be ${expected}`);
  return fallback;
}

function isUint32(json: JsonValue): json is number {
  return typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= 0xffff_ffff;
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

import { decodeMessage } from './decode.ts';
import { Problems } from './problems.ts';
import type { AnyMessage, Field, JsonObject, JsonValue, RawMessage } from './schema.ts';

/** Names of the fields that hold key material; they are shown as `[redacted]`, as Envoy does. */
const secretFields = new Set(['private_key', 'password']);
const REDACTED = '[redacted]';

/** A `DataSource` that only names where the key material is. */
function isFile(value: unknown): boolean {
  return (value as { readonly filename?: string }).filename !== undefined;
}

/**
 * A resource in proto3 JSON with the names of the proto, as Envoy's `/config_dump` shows it, key material left out. The resource
 * was accepted, so its bytes decode.
 */
export function jsonFromBytes(type: AnyMessage, bytes: Uint8Array): JsonObject {
  return jsonFromMessage(type, decodeMessage(type, bytes, new Problems()));
}

function jsonFromMessage(type: AnyMessage, message: object): JsonObject {
  const entries: [string, JsonValue][] = [];
  for (const [key, field] of Object.entries(type.fields)) {
    const value = (message as Readonly<Record<string, unknown>>)[key];
    const json = jsonFromField(key, field, value);
    if (json !== undefined) {
      entries.push([key, json]);
    }
  }
  return Object.fromEntries(entries);
}

/** undefined: the field has its default and is left out. */
function jsonFromField(key: string, field: Field, value: unknown): JsonValue | undefined {
  if (field.shape === 'repeated') {
    const items = value as readonly unknown[];
    return items.length === 0 ? undefined : items.map((item) => jsonFromValue(key, field, item));
  }
  if (field.shape === 'map') {
    const entries = value as ReadonlyMap<string, unknown>;
    return entries.size === 0
      ? undefined
      : Object.fromEntries([...entries].map(([name, item]) => [name, jsonFromValue(key, field, item)]));
  }
  return value === undefined || isDefault(field, value) ? undefined : jsonFromValue(key, field, value);
}

function isDefault(field: Field, value: unknown): boolean {
  if (field.optional) {
    return false;
  }
  switch (field.kind) {
    case 'string':
      return value === '';
    case 'bytes':
      return (value as Uint8Array).length === 0;
    case 'bool':
      return value === false;
    case 'uint32':
    case 'double':
      return value === 0;
    case 'int64':
      return value === 0n;
    case 'enum':
      return value === field.values?.get(0);
    default:
      return false;
  }
}

function jsonFromValue(key: string, field: Field, value: unknown): JsonValue {
  switch (field.kind) {
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'int64':
    case 'uint64Value':
      return String(value);
    case 'duration':
      return durationText(value as number);
    case 'message':
      return secretFields.has(key) && !isFile(value)
        ? { inline_string: REDACTED }
        : jsonFromMessage(field.message as AnyMessage, field.raw === true ? decoded(field, value) : (value as object));
    case 'any': {
      const { type: name, value: message } = value as { readonly type: string; readonly value: object };
      const type = field.types?.find((candidate) => candidate.name === name);
      if (type === undefined) {
        return { '@type': (message as { readonly typeUrl: string }).typeUrl };
      }
      return { '@type': `type.googleapis.com/${name}`, ...jsonFromMessage(type, message) };
    }
    default:
      return value as JsonValue;
  }
}

/** `1.5s`, as proto3 JSON writes durations. */
function durationText(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(9))}s`;
}

/** The fields of a message that was left as it came. */
function decoded(field: Field, value: unknown): object {
  const { bytes, message } = value as RawMessage<AnyMessage>;
  return bytes === undefined ? (message as object) : decodeMessage(field.message as AnyMessage, bytes, new Problems());
}

import type { Field } from './schema.ts';

/** What a single field holds when the message does not name it; undefined where that differs from every value. */
export function absentValue(field: Field): unknown {
  if (field.optional) {
    return undefined;
  }
  switch (field.kind) {
    case 'string':
      return '';
    case 'bytes':
      return new Uint8Array(0);
    case 'bool':
      return false;
    case 'uint32':
    case 'double':
      return 0;
    case 'int64':
    case 'uint64':
      return 0n;
    case 'enum':
      return field.values?.get(0);
    default:
      return undefined;
  }
}

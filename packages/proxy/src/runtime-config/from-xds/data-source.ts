import type { DataSource } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** Inline data of a `DataSource`; what would be read from the disk or the environment is refused. */
export function dataFromXds(source: Decoded<typeof DataSource>, problems: Problems): Uint8Array {
  if (source.inline_string !== undefined) {
    return Buffer.from(source.inline_string, 'utf8');
  }
  if (source.inline_bytes !== undefined) {
    return source.inline_bytes;
  }
  for (const field of ['filename', 'environment_variable'] as const) {
    if (source[field] !== undefined) {
      problems.add('not supported by this proxy, only inline data', field);
      return new Uint8Array(0);
    }
  }
  problems.add('inline_string or inline_bytes is required');
  return new Uint8Array(0);
}

/** The same as text. */
export function textFromXds(source: Decoded<typeof DataSource>, problems: Problems): string {
  return Buffer.from(dataFromXds(source, problems)).toString('utf8');
}

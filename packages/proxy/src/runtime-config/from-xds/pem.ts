import { readFileSync, statSync } from 'node:fs';
import type { DataSource } from '../wire/core-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { textFromXds } from './data-source.ts';

/** Longest file of certificates or of a key, bytes. */
export const maxPemFileBytes = 1024 * 1024;

/** Empty when refused. A file is read with the configuration that names it, as Envoy does it. */
export function pemFromXds(source: Decoded<typeof DataSource>, problems: Problems): string {
  const { filename } = source;
  if (filename === undefined) {
    return textFromXds(source, problems);
  }
  try {
    if (statSync(filename).size > maxPemFileBytes) {
      problems.add(`the file is longer than ${maxPemFileBytes} bytes`, 'filename');
      return '';
    }
    const text = readFileSync(filename, 'utf8');
    if (text === '') {
      problems.add('the file is empty', 'filename');
    }
    return text;
  } catch (error) {
    problems.add(`the file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`, 'filename');
    return '';
  }
}

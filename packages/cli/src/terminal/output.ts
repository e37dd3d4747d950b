import { stringify } from 'yaml';
import { usageFailure } from '../cli-failure.ts';
import type { Terminal } from './terminal.ts';

/** How results are printed. `table` is for people; its layout may change, that of the others does not. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml' | 'name';

/** Reads the value of `-o`; a mistake when it is none of `allowed`. */
export function parseOutputFormat(text: string | undefined, allowed: readonly OutputFormat[]): OutputFormat {
  if (text === undefined) {
    return 'table';
  }
  const found = allowed.find((format) => format === text);
  if (found === undefined) {
    throw usageFailure(
      `unknown output format ${JSON.stringify(text)}`,
      `use one of: ${allowed.filter((format) => format !== 'table').join(', ')}, or leave -o out for a table`,
    );
  }
  return found;
}

/** Prints `value` as JSON or YAML. */
export function printValue(terminal: Terminal, value: unknown, format: 'json' | 'yaml'): void {
  terminal.out(formatValue(value, format));
}

export function formatValue(value: unknown, format: 'json' | 'yaml'): string {
  return format === 'json'
    ? `${JSON.stringify(value, undefined, 2)}\n`
    : stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

import { usageFailure } from '../cli-failure.ts';
import type { Context } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { checkManifests, warningsOfManifests } from '../manifest/read-manifests.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';
import { printViolation } from '../terminal/print-failure.ts';

export interface ValidateOptions {
  readonly filename?: readonly string[];
  readonly namespace?: string;
  readonly strict?: boolean;
  readonly output?: string;
}

/**
 * `weft validate`: without a control plane; every mistake at once, with line and column, and everything that is hardly meant. Ends with 2
 * when there is a mistake; `--strict` makes warnings mistakes.
 */
export async function validate(context: Context, named: readonly string[], options: ValidateOptions): Promise<void> {
  const { terminal } = context;
  const paths = [...named, ...(options.filename ?? [])];
  if (paths.length === 0) {
    throw usageFailure('no file was named', 'name files, folders, or - for standard input');
  }
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  const input = paths.includes('-') ? await terminal.readInput() : '';
  const manifests = checkManifests(paths, context.cwd, input);
  const { objects, files } = manifests;
  const found = warningsOfManifests(manifests, options.namespace);
  const strict = options.strict === true;
  const violations = strict ? [...manifests.violations, ...found] : manifests.violations;
  const warnings = strict ? [] : found;
  if (violations.length > 0) {
    context.exitCode = exitCode.userMistake;
  }
  if (format === 'json' || format === 'yaml') {
    const valid = violations.length === 0;
    printValue(terminal, { valid, files, objects: objects.length, violations, warnings }, format);
    return;
  }
  for (const violation of violations) {
    printViolation(terminal, violation);
  }
  for (const warning of warnings) {
    printViolation(terminal, warning, 'warning');
  }
  const { good, bad, warn } = terminal.errStyle;
  const counted = count(files, 'file');
  const warned = warnings.length === 0 ? '' : `, ${warn(count(warnings.length, 'warning'))}`;
  const gap = violations.length + warnings.length > 0 ? '\n' : '';
  terminal.err(
    violations.length === 0
      ? `${gap}${good('✓')} ${objects.length} ${objects.length === 1 ? 'object is' : 'objects are'} valid (${counted})${warned}\n`
      : `${gap}${bad('✗')} ${count(violations.length, 'mistake')} in ${counted}${warned}${strict ? '' : `; ${objects.length} other objects are valid`}\n`,
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

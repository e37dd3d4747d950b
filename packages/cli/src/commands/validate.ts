import type { Context } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { checkManifests } from '../manifest/read-manifests.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';
import { printViolation } from '../terminal/print-failure.ts';

export interface ValidateOptions {
  readonly output?: string;
}

/** `weft validate`: without a control plane; every mistake at once, with line and column. Ends with 2 when there is one. */
export async function validate(context: Context, paths: readonly string[], options: ValidateOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  const input = paths.includes('-') ? await terminal.readInput() : '';
  const { objects, violations, files } = checkManifests(paths, context.cwd, input);
  if (violations.length > 0) {
    context.exitCode = exitCode.userMistake;
  }
  if (format === 'json' || format === 'yaml') {
    printValue(terminal, { valid: violations.length === 0, files, objects: objects.length, violations }, format);
    return;
  }
  for (const violation of violations) {
    printViolation(terminal, violation);
  }
  const { good, bad } = terminal.errStyle;
  const counted = `${files} ${files === 1 ? 'file' : 'files'}`;
  terminal.err(
    violations.length === 0
      ? `${good('✓')} ${objects.length} ${objects.length === 1 ? 'object is' : 'objects are'} valid (${counted})\n`
      : `\n${bad('✗')} ${violations.length} ${violations.length === 1 ? 'mistake' : 'mistakes'} in ${counted}; ${objects.length} other objects are valid\n`,
  );
}

import type { Violation } from '@weft/resources';
import type { FailureReport } from '../cli-failure.ts';
import { printable } from './style.ts';
import type { Terminal } from './terminal.ts';

const maxViolations = 100;

/** Prints what happened, where, why, and how to mend it; every mistake of the user's input with its place. */
export function printFailure(terminal: Terminal, report: FailureReport): void {
  const style = terminal.errStyle;
  const line = (label: string, text: string | undefined): void => {
    if (text !== undefined && text !== '') {
      terminal.err(`  ${style.faint(label.padEnd(6))} ${printable(text, true).replaceAll('\n', '\n         ')}\n`);
    }
  };
  const code = report.code === undefined ? '' : `  ${style.faint(report.code)}`;
  terminal.err(`${style.bad('✗')} ${style.strong(printable(report.what))}${code}\n`);
  line('where', report.where);
  line('why', report.why);
  line('fix', report.fix);
  for (const violation of (report.violations ?? []).slice(0, maxViolations)) {
    printViolation(terminal, violation);
  }
  const more = (report.violations?.length ?? 0) - maxViolations;
  if (more > 0) {
    terminal.err(`  … and ${more} more\n`);
  }
}

/** One mistake: `file:line:column  path`, what is wrong, what to write instead. */
export function printViolation(terminal: Terminal, violation: Violation, label = ''): void {
  const style = terminal.errStyle;
  const place = [violation.file, violation.line, violation.column].filter((part) => part !== undefined).join(':');
  const head = [place, violation.path].filter((part) => part !== '').join('  ');
  const kind = label === '' ? '' : `${style.warn(label)}  `;
  terminal.err(
    `\n  ${kind}${style.strong(printable(head === '' ? 'object' : head))}  ${style.faint(violation.code)}\n`,
  );
  terminal.err(`    ${printable(violation.message)}\n`);
  if (violation.fix !== '') {
    terminal.err(`    ${style.faint('fix:')} ${printable(violation.fix)}\n`);
  }
}

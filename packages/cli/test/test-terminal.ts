import { systemClock } from '@weft/base';
import { createStyle } from '../src/terminal/style.ts';
import type { Terminal } from '../src/terminal/terminal.ts';

/** A terminal that remembers what was printed. */
export interface TestTerminal extends Terminal {
  readonly printed: { out: string; err: string };
}

export function testTerminal(options: Partial<Terminal> & { readonly input?: string } = {}): TestTerminal {
  const printed = { out: '', err: '' };
  const style = createStyle(false);
  return {
    printed,
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    isOutTty: false,
    isErrTty: false,
    columns: () => 80,
    rows: () => 24,
    env: {},
    clock: systemClock,
    style,
    errStyle: style,
    readInput: () => Promise.resolve(options.input ?? ''),
    ...options,
  };
}

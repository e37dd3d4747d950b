import type { Clock } from '@weft/base';
import { systemClock } from '@weft/base';
import { createStyle, type Style } from './style.ts';

/** What a command may touch of the world outside: two streams, the environment, time. Tests bring their own. */
export interface Terminal {
  /** Results: tables, JSON. */
  out(text: string): void;
  /** Progress, warnings, errors. */
  err(text: string): void;
  /** Whether results go to a screen. */
  readonly isOutTty: boolean;
  /** Whether progress goes to a screen, so that a line may be rewritten. */
  readonly isErrTty: boolean;
  /** Columns of the screen; 80 when not a screen. */
  columns(): number;
  /** Rows of the screen; 24 when not a screen. */
  rows(): number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Colours for results and for progress; plain when not a screen or when NO_COLOR is set. */
  readonly style: Style;
  readonly errStyle: Style;
  /** All of standard input, as text. */
  readInput(): Promise<string>;
}

const maxInputBytes = 16 * 1024 * 1024;

/** The terminal that the process was started in. */
export function processTerminal(): Terminal {
  const env = process.env;
  const colour = (tty: boolean): boolean => tty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const isOutTty = process.stdout.isTTY === true;
  const isErrTty = process.stderr.isTTY === true;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isOutTty,
    isErrTty,
    columns: () => process.stdout.columns ?? process.stderr.columns ?? 80,
    rows: () => process.stdout.rows ?? process.stderr.rows ?? 24,
    env,
    clock: systemClock,
    style: createStyle(colour(isOutTty)),
    errStyle: createStyle(colour(isErrTty)),
    async readInput() {
      let text = '';
      process.stdin.setEncoding('utf8');
      for await (const chunk of process.stdin) {
        text += chunk;
        if (text.length > maxInputBytes) {
          throw new Error(`standard input holds more than ${maxInputBytes} bytes`);
        }
      }
      return text;
    },
  };
}

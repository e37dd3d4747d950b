import { displayWidth } from './style.ts';
import type { Terminal } from './terminal.ts';

/** Text at the bottom of the screen that is rewritten in place; other lines can be printed above it. */
export class LiveArea {
  readonly #terminal: Terminal;
  #lines: readonly string[] = [];
  #drawn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Replaces the text. Lines that do not fit the screen are cut: a wrapped line could not be taken back. */
  update(text: string): void {
    const columns = this.#terminal.columns();
    this.#lines = text
      .trimEnd()
      .split('\n')
      .slice(0, Math.max(1, this.#terminal.rows() - 1))
      .map((line) => cutTo(line, columns - 1));
    this.#redraw('');
  }

  /** Prints a line that stays, above the area. */
  print(line: string): void {
    this.#redraw(`${line}\n`);
  }

  /** Takes the area away. */
  clear(): void {
    this.#lines = [];
    this.#redraw('');
  }

  #redraw(above: string): void {
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r`;
    const body = this.#lines.map((line) => `${line}\n`).join('');
    // One write, so that the screen never shows half of it.
    this.#terminal.out(`${back}\u001b[J${above}${body}`);
    this.#drawn = this.#lines.length;
  }
}

/** Cuts a line to `width` columns; escape sequences take none and are kept whole. */
export function cutTo(line: string, width: number): string {
  if (displayWidth(line) <= width) {
    return line;
  }
  let used = 0;
  let cut = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are control characters
  for (const piece of line.match(/\u001b\[[0-9;]*m|[\s\S]/gu) ?? []) {
    const columns = displayWidth(piece);
    if (used + columns > width - 1) {
      return `${cut}…\u001b[0m`;
    }
    used += columns;
    cut += piece;
  }
  return cut;
}

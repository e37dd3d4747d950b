import type { Timer } from '@weft/base';
import { displayWidth } from './style.ts';
import type { Terminal } from './terminal.ts';

const showAfterMs = 300;
/** A log gets a line only for what takes long. */
const showInLogAfterMs = 2_000;
const redrawEveryMs = 200;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** A line that says what is being waited for: rewritten in place on a screen, one line per step elsewhere. */
export class Progress {
  readonly #terminal: Terminal;
  #title = '';
  #detail = '';
  #startedMs = 0;
  #timer: Timer | undefined;
  #frame = 0;
  #drawn = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Begins a step. Nothing is drawn for one that is over at once. */
  start(title: string): void {
    this.#clear();
    this.#title = title;
    this.#detail = '';
    this.#startedMs = this.#terminal.clock.monotonicMs();
    this.#tick(this.#terminal.isErrTty ? showAfterMs : showInLogAfterMs);
  }

  /** What the step is at: `3 of 9 ready`. */
  detail(text: string): void {
    this.#detail = text;
  }

  /** Ends the step with a line that stays. */
  done(text = this.#title): void {
    this.#end();
    const took = this.#terminal.clock.monotonicMs() - this.#startedMs;
    const style = this.#terminal.errStyle;
    this.#terminal.err(
      `${style.good('✓')} ${text}${took >= 1000 ? style.faint(` (${(took / 1000).toFixed(1)} s)`) : ''}\n`,
    );
  }

  /** Ends the step without a line; the error that follows says what happened. */
  stop(): void {
    this.#end();
  }

  #tick(delayMs: number): void {
    this.#timer = this.#terminal.clock.setTimeout(
      () => {
        this.#draw();
        this.#tick(redrawEveryMs);
      },
      delayMs,
      { unref: true },
    );
  }

  #draw(): void {
    const seconds = (this.#terminal.clock.monotonicMs() - this.#startedMs) / 1000;
    if (!this.#terminal.isErrTty) {
      if (!this.#drawn) {
        this.#terminal.err(`… ${this.#title}\n`);
        this.#drawn = true;
      }
      return;
    }
    this.#frame = (this.#frame + 1) % frames.length;
    let line = `${frames[this.#frame]} ${this.#title}${this.#detail === '' ? '' : `: ${this.#detail}`}  ${seconds.toFixed(0)} s`;
    const columns = this.#terminal.columns();
    if (displayWidth(line) >= columns) {
      line = line.slice(0, Math.max(0, columns - 2));
    }
    this.#terminal.err(`\r\u001b[K${line}`);
    this.#drawn = true;
  }

  #clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#drawn && this.#terminal.isErrTty) {
      this.#terminal.err('\r\u001b[K');
    }
    this.#drawn = false;
  }

  #end(): void {
    this.#clear();
  }
}

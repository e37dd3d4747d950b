import { type Clock, type Logger, MeshError, type Timer } from '@weft/base';

/** What one key's turn does: nothing more to write, or when to look again (milliseconds). */
export type TurnResult = { readonly againAfterMs: number } | undefined;

export interface WriteQueueOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is written, for the log. */
  readonly what: string;
  readonly run: (key: string) => Promise<TurnResult>;
  /** After a failure, milliseconds. Default 1,000. */
  readonly retryMs?: number;
}

/** Most turns at the same time. */
const maxConcurrency = 8;

/**
 * Runs a piece of work for each key that was marked, never twice at the same time for one key, and again after a while when it
 * fails. Marking a key that waits already brings its turn forward, never back.
 */
export class WriteQueue {
  readonly #due = new Map<string, number>();
  readonly #running = new Set<string>();
  /** Keys whose last turn failed: no turn before this time, however often they are marked. */
  readonly #notBefore = new Map<string, number>();
  readonly #options: WriteQueueOptions;
  #timer: { readonly at: number; readonly timer: Timer } | undefined;
  #closed = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /** @param delayMs how long the turn may wait for more changes of the same key. */
  mark(key: string, delayMs: number): void {
    const at = Math.max(this.#options.clock.monotonicMs() + delayMs, this.#notBefore.get(key) ?? 0);
    const known = this.#due.get(key);
    if (this.#closed || (known !== undefined && known <= at)) {
      return;
    }
    this.#due.set(key, at);
    this.#arm();
  }

  forget(key: string): void {
    this.#due.delete(key);
    this.#notBefore.delete(key);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#due.clear();
  }

  #arm(): void {
    if (this.#closed || this.#running.size >= maxConcurrency) {
      return;
    }
    let next = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#due) {
      if (!this.#running.has(key)) {
        next = Math.min(next, at);
      }
    }
    if (next === Number.POSITIVE_INFINITY || (this.#timer !== undefined && this.#timer.at <= next)) {
      return;
    }
    this.#timer?.timer.cancel();
    const { clock } = this.#options;
    const delay = Math.max(next - clock.monotonicMs(), 0);
    this.#timer = { at: next, timer: clock.setTimeout(() => this.#fire(), delay, { unref: true }) };
  }

  #fire(): void {
    this.#timer = undefined;
    const now = this.#options.clock.monotonicMs();
    for (const [key, at] of [...this.#due]) {
      // A timer may fire a fraction of a millisecond early.
      if (at <= now + 1 && !this.#running.has(key) && this.#running.size < maxConcurrency) {
        this.#due.delete(key);
        void this.#turn(key);
      }
    }
    this.#arm();
  }

  async #turn(key: string): Promise<void> {
    const { logger, what, run, clock, retryMs = 1_000 } = this.#options;
    this.#running.add(key);
    try {
      const again = await run(key);
      this.#notBefore.delete(key);
      if (again !== undefined) {
        this.mark(key, again.againAfterMs);
      }
    } catch (error) {
      const { code, message } = MeshError.from(error);
      if (code === 'CONFLICT') {
        this.mark(key, 10);
      } else if (code !== 'NOT_FOUND') {
        logger.warn(`${what} could not be written`, { key, code, error: message });
        this.#notBefore.set(key, clock.monotonicMs() + retryMs);
        this.#due.delete(key);
        this.mark(key, retryMs);
      }
    } finally {
      this.#running.delete(key);
      this.#arm();
    }
  }
}

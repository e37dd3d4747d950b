import type { Clock } from './clock.ts';

/** Counts what is in flight, so that a stop can wait for it. */
export class Drain {
  #active = 0;
  #draining = false;
  readonly #waiters = new Set<() => void>();

  get draining(): boolean {
    return this.#draining;
  }

  get active(): number {
    return this.#active;
  }

  /** Registers one piece of work; call the result exactly once when it is done (further calls do nothing). */
  enter(): () => void {
    this.#active += 1;
    let left = false;
    return () => {
      if (left) {
        return;
      }
      left = true;
      this.#active -= 1;
      if (this.#active === 0) {
        for (const waiter of [...this.#waiters]) {
          waiter();
        }
      }
    };
  }

  /** Marks the start of the drain; owners look at {@link draining} and take no new work. */
  begin(): void {
    this.#draining = true;
  }

  /** Resolves to true when nothing is in flight, or to false after `timeoutMs`. Begins the drain. */
  wait(clock: Clock, timeoutMs: number): Promise<boolean> {
    this.begin();
    if (this.#active === 0) {
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (idle: boolean): void => {
        timer.cancel();
        this.#waiters.delete(waiter);
        resolve(idle);
      };
      const waiter = (): void => settle(true);
      const timer = clock.setTimeout(() => settle(false), timeoutMs);
      this.#waiters.add(waiter);
    });
  }
}

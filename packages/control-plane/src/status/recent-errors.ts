import type { RecentError } from '@weft/admin-api';
import type { Clock } from '@weft/base';

/** How many are kept. */
export const maxRecentErrors = 200;
/** The same again within this time is not a new entry, milliseconds. */
const repeatMs = 60_000;

/** What went wrong lately, for people who look at the first page. */
export class RecentErrors {
  readonly #clock: Clock;
  readonly #errors: (RecentError & { readonly atMs: number })[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether it is a new one. */
  add(kind: RecentError['kind'], subject: string, fullMessage: string): boolean {
    const message = fullMessage.slice(0, 2_000);
    const now = this.#clock.now();
    const same = this.#errors.find(
      (error) =>
        error.kind === kind && error.subject === subject && error.message === message && now - error.atMs < repeatMs,
    );
    if (same !== undefined) {
      return false;
    }
    this.#errors.unshift({
      at: new Date(now).toISOString(),
      atMs: now,
      kind,
      subject,
      message,
    });
    this.#errors.length = Math.min(this.#errors.length, maxRecentErrors);
    return true;
  }

  /** Newest first. */
  list(limit: number): readonly RecentError[] {
    return this.#errors.slice(0, limit).map(({ atMs: _, ...error }) => error);
  }
}

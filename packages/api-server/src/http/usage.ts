import type { ApiLimits } from '../options.ts';
import { tooManyRequests } from '../registry/status-error.ts';

/** Counts what each user has in flight, so that one client cannot take the server from the others. */
export class Usage {
  readonly #limits: ApiLimits;
  readonly #requests = new Map<string, number>();
  readonly #watches = new Map<string, number>();
  #allWatches = 0;

  constructor(limits: ApiLimits) {
    this.#limits = limits;
  }

  /** @returns to be called once at the end. @throws StatusError 429. */
  enterRequest(user: string): () => void {
    const count = this.#requests.get(user) ?? 0;
    if (count >= this.#limits.maxRequestsPerUser) {
      throw tooManyRequests(`user ${user} has ${count} requests in flight; wait for some of them`, 1);
    }
    return enter(this.#requests, user);
  }

  /** @returns to be called once at the end. @throws StatusError 429. */
  enterWatch(user: string): () => void {
    const count = this.#watches.get(user) ?? 0;
    if (count >= this.#limits.maxWatchesPerUser || this.#allWatches >= this.#limits.maxWatches) {
      throw tooManyRequests(
        `user ${user} holds ${count} watches, ${this.#allWatches} are held in all; end some of them`,
        5,
      );
    }
    this.#allWatches += 1;
    const leave = enter(this.#watches, user);
    return () => {
      this.#allWatches -= 1;
      leave();
    };
  }
}

function enter(counts: Map<string, number>, user: string): () => void {
  counts.set(user, (counts.get(user) ?? 0) + 1);
  return () => {
    const left = (counts.get(user) ?? 1) - 1;
    if (left === 0) {
      counts.delete(user);
    } else {
      counts.set(user, left);
    }
  };
}

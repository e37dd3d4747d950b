/** Something to be computed step by step. */
export type Steps<R> = Generator<void, R, void>;

/**
 * Computes what takes long (hash rings of many entries) beside the traffic: one step of one job in each turn of the
 * event loop, all jobs taking turns. A step should take less than a millisecond.
 */
export class BackgroundWork {
  readonly #schedule: (step: () => void) => void;
  readonly #jobs: { readonly steps: Steps<unknown>; readonly done: (result: never) => void }[] = [];
  #scheduled = false;

  /** @param schedule calls back in a later turn of the event loop. */
  constructor(
    schedule: (step: () => void) => void = (step) => {
      setImmediate(step);
    },
  ) {
    this.#schedule = schedule;
  }

  /** @returns what gives the job up. */
  run<R>(steps: Steps<R>, done: (result: R) => void): () => void {
    const job = { steps, done };
    this.#jobs.push(job);
    this.#arm();
    return () => {
      const index = this.#jobs.indexOf(job);
      if (index >= 0) {
        this.#jobs.splice(index, 1);
      }
    };
  }

  #arm(): void {
    if (!this.#scheduled && this.#jobs.length > 0) {
      this.#scheduled = true;
      this.#schedule(() => this.#step());
    }
  }

  #step(): void {
    this.#scheduled = false;
    const job = this.#jobs.shift();
    if (job === undefined) {
      return;
    }
    try {
      const { done, value } = job.steps.next();
      if (done === true) {
        job.done(value as never);
      } else {
        this.#jobs.push(job);
      }
    } finally {
      // A job that fails is a bug; the others go on.
      this.#arm();
    }
  }
}

/** Computes everything now. */
export function runAtOnce<R>(steps: Steps<R>): R {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) {
      return value;
    }
  }
}

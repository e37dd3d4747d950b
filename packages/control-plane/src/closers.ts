import { type Logger, MeshError } from '@weft/base';

/** Undoes what was started, last first, whatever fails on the way. */
export class Closers {
  readonly #logger: Logger;
  readonly #steps: { readonly what: string; readonly close: () => void | Promise<void> }[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(what: string, close: () => void | Promise<void>): void {
    this.#steps.push({ what, close });
  }

  async close(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        this.#logger.warn('could not be closed', { what: step.what, error: MeshError.from(error).message });
      }
    }
  }
}

import {
  maxEmptyFrames,
  maxPrematureResets,
  maxPriorityFramesPerStream,
  maxWindowUpdatesAtStart,
  maxWindowUpdatesPerDataFrame,
  maxWindowUpdatesPerStream,
  resetsPerAnswer,
} from './flood-limits.ts';

/** Counts what a peer does without getting anything for it. Each method says whether that is too much now. */
export class FloodGuard {
  #opened = 0;
  #answered = 0;
  #resets = 0;
  #empty = 0;
  #priorities = 0;
  #windowUpdates = 0;

  streamOpened(): void {
    this.#opened += 1;
  }

  /** A request was answered to its end. */
  streamAnswered(): void {
    this.#answered += 1;
  }

  /** The peer reset a stream that was not answered, or made us do so. */
  reset(): boolean {
    this.#resets += 1;
    return this.#resets > maxPrematureResets + resetsPerAnswer * this.#answered;
  }

  /** A frame that carries something came, and it may be empty. */
  emptyFrame(empty: boolean): boolean {
    this.#empty = empty ? this.#empty + 1 : 0;
    return this.#empty > maxEmptyFrames;
  }

  priority(): boolean {
    this.#priorities += 1;
    return this.#priorities > maxPriorityFramesPerStream * (1 + this.#opened);
  }

  /** @param dataFrames DATA frames that we sent. */
  windowUpdate(dataFrames: number): boolean {
    this.#windowUpdates += 1;
    return (
      this.#windowUpdates >
      maxWindowUpdatesAtStart + maxWindowUpdatesPerStream * this.#opened + maxWindowUpdatesPerDataFrame * dataFrames
    );
  }
}

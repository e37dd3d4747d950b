import { closeSync, openSync, write, writeSync } from 'node:fs';
import type { Clock, Logger, Timer } from '@weft/base';

/** A write begins when this much is waiting, characters. */
export const FLUSH_SIZE = 64 * 1024;
/** Or after this time. Envoy waits 10 s; people who tail a log are less patient. */
const FLUSH_INTERVAL_MS = 1000;
/** When the disk is slower than the traffic, lines beyond this are dropped and counted. */
export const MAX_WAITING = 4 * 1024 * 1024;

const standardStreams: Readonly<Record<string, number>> = { '/dev/stdout': 1, '/dev/stderr': 2 };

/** One file that lines are appended to. Writing never waits: the request that is logged does not depend on the disk. */
export class AccessLogFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #descriptor: number | undefined;
  #waiting = '';
  #writing = false;
  #timer: Timer | undefined;
  #dropped = 0;
  #failed = false;
  #closed = false;
  #reopenPending = false;

  constructor(path: string, clock: Clock, logger: Logger) {
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
    this.#open();
  }

  /** Lines that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line with its line break. */
  append(line: string): void {
    if (this.#descriptor === undefined || this.#waiting.length > MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#waiting += line;
    if (this.#waiting.length >= FLUSH_SIZE) {
      this.#flush();
    } else if (this.#timer === undefined && !this.#writing) {
      this.#timer = this.#clock.setTimeout(() => this.#flush(), FLUSH_INTERVAL_MS, { unref: true });
    }
  }

  /** Opens the path again: after a rotation the old file has another name. What waits goes to the old one. */
  reopen(): void {
    if (this.#writing) {
      this.#reopenPending = true;
      return;
    }
    this.#writeWaiting();
    this.#release();
    this.#open();
  }

  /** Writes what waits, at once, and closes. */
  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#timer?.cancel();
    this.#writeWaiting();
    if (!this.#writing) {
      this.#release();
    }
  }

  #open(): void {
    const standard = standardStreams[this.#path];
    if (standard !== undefined) {
      this.#descriptor = standard;
      return;
    }
    try {
      this.#descriptor = openSync(this.#path, 'a', 0o640);
      this.#failed = false;
    } catch (error) {
      this.#descriptor = undefined;
      this.#fail('the access log cannot be opened', error);
    }
  }

  #release(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined && standardStreams[this.#path] === undefined) {
      closeSync(descriptor);
    }
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#writing || this.#waiting === '' || this.#descriptor === undefined) {
      return;
    }
    const buffer = Buffer.from(this.#waiting, 'utf8');
    this.#waiting = '';
    this.#writing = true;
    this.#write(this.#descriptor, buffer, 0);
  }

  #write(descriptor: number, buffer: Buffer, offset: number): void {
    write(descriptor, buffer, offset, buffer.length - offset, null, (error, written) => {
      if (error !== null) {
        this.#fail('the access log cannot be written', error);
      } else if (offset + written < buffer.length) {
        this.#write(descriptor, buffer, offset + written);
        return;
      } else {
        this.#failed = false;
      }
      this.#writing = false;
      this.#afterWrite();
    });
  }

  #afterWrite(): void {
    if (this.#closed) {
      this.#release();
    } else if (this.#reopenPending) {
      this.#reopenPending = false;
      this.reopen();
    } else if (this.#waiting !== '') {
      this.#flush();
    }
  }

  #writeWaiting(): void {
    if (this.#waiting === '' || this.#descriptor === undefined) {
      return;
    }
    try {
      writeSync(this.#descriptor, this.#waiting);
    } catch (error) {
      this.#fail('the access log cannot be written', error);
    }
    this.#waiting = '';
  }

  /** Said once until it works again: a full disk must not fill the other log as well. */
  #fail(message: string, error: unknown): void {
    if (!this.#failed) {
      this.#failed = true;
      this.#logger.error(message, { path: this.#path, error });
    }
  }
}

import { closeSync, openSync, write, writeSync } from 'node:fs';
import type { Clock, Logger, Timer } from '@weft/base';

/** A write begins when this much is waiting, bytes. */
export const FLUSH_SIZE = 64 * 1024;
/** Room in a buffer: a line of usual length still fits when it is nearly full. */
const BUFFER_SIZE = FLUSH_SIZE + 4 * 1024;
/** Or after this time. Envoy waits 10 s; people who tail a log are less patient. */
const FLUSH_INTERVAL_MS = 1000;
/** A pipe that was full is tried again after this time. */
const RETRY_INTERVAL_MS = 10;
/** When the disk is slower than the traffic, lines beyond this are dropped and counted. */
export const MAX_WAITING = 4 * 1024 * 1024;

const standardStreams: Readonly<Record<string, number>> = { '/dev/stdout': 1, '/dev/stderr': 2 };

/** One file that lines are appended to. Writing never waits: the request that is logged does not depend on the disk. */
export class AccessLogFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #descriptor: number | undefined;
  /** The buffer that lines are put into at once: as text they would live long enough to be moved about by the collector. */
  #buffer: Buffer | undefined;
  #used = 0;
  /** Buffers that are full, in order, with the bytes in each. */
  readonly #full: { readonly bytes: Buffer; readonly length: number }[] = [];
  #fullBytes = 0;
  #spare: Buffer | undefined;
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
    if (this.#takes()) {
      const bytes = Buffer.from(line, 'utf8');
      this.#put(bytes, bytes.length);
      this.#afterPut();
    }
  }

  /** Appends `line[0, length)`, with its line break; the bytes are copied. */
  appendBytes(line: Uint8Array, length: number): void {
    if (this.#takes()) {
      this.#put(line, length);
      this.#afterPut();
    }
  }

  #takes(): boolean {
    const takes = this.#descriptor !== undefined && this.#fullBytes <= MAX_WAITING;
    this.#dropped += takes ? 0 : 1;
    return takes;
  }

  #afterPut(): void {
    if (this.#used >= FLUSH_SIZE || this.#fullBytes > 0) {
      this.#flush();
    } else if (this.#timer === undefined && !this.#writing) {
      this.#timer = this.#clock.setTimeout(() => this.#flush(), FLUSH_INTERVAL_MS, { unref: true });
    }
  }

  #put(line: Uint8Array, length: number): void {
    let buffer = this.#buffer;
    if (buffer !== undefined && BUFFER_SIZE - this.#used < length) {
      this.#finishBuffer();
      buffer = undefined;
    }
    if (length > BUFFER_SIZE) {
      this.#full.push({ bytes: Buffer.from(line.subarray(0, length)), length });
      this.#fullBytes += length;
      return;
    }
    if (buffer === undefined) {
      buffer = this.#spare ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
      this.#spare = undefined;
      this.#buffer = buffer;
    }
    (line as Buffer).copy(buffer, this.#used, 0, length);
    this.#used += length;
  }

  #finishBuffer(): void {
    const bytes = this.#buffer;
    if (bytes !== undefined && this.#used > 0) {
      this.#full.push({ bytes, length: this.#used });
      this.#fullBytes += this.#used;
      this.#buffer = undefined;
      this.#used = 0;
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
    if (this.#writing || this.#descriptor === undefined) {
      return;
    }
    if (this.#full.length === 0) {
      this.#finishBuffer();
    }
    const next = this.#full.shift();
    if (next !== undefined) {
      this.#fullBytes -= next.length;
      this.#writing = true;
      this.#write(this.#descriptor, next.bytes, 0, next.length);
    }
  }

  #write(descriptor: number, bytes: Buffer, offset: number, end: number): void {
    write(descriptor, bytes, offset, end - offset, null, (error, written) => {
      if (error?.code === 'EAGAIN' && !this.#closed) {
        // A pipe that somebody set not to block (Node does so with that of standard error): its reader is slower than the traffic.
        this.#clock.setTimeout(() => this.#write(descriptor, bytes, offset, end), RETRY_INTERVAL_MS, { unref: true });
        return;
      }
      if (error !== null) {
        this.#dropped += linesIn(bytes, offset, end);
        this.#fail('the access log cannot be written', error);
      } else if (offset + written < end) {
        this.#write(descriptor, bytes, offset + written, end);
        return;
      } else {
        this.#failed = false;
      }
      if (bytes.length === BUFFER_SIZE) {
        this.#spare = bytes;
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
    } else if (this.#fullBytes > 0 || this.#used >= FLUSH_SIZE) {
      this.#flush();
    } else if (this.#used > 0) {
      this.#timer ??= this.#clock.setTimeout(() => this.#flush(), FLUSH_INTERVAL_MS, { unref: true });
    }
  }

  #writeWaiting(): void {
    this.#finishBuffer();
    const descriptor = this.#descriptor;
    for (const { bytes, length } of this.#full.splice(0)) {
      try {
        for (let at = 0; descriptor !== undefined && at < length; ) {
          at += writeSync(descriptor, bytes, at, length - at);
        }
      } catch (error) {
        this.#fail('the access log cannot be written', error);
      }
    }
    this.#fullBytes = 0;
  }

  /** Said once until it works again: a full disk must not fill the other log as well. */
  #fail(message: string, error: unknown): void {
    if (!this.#failed) {
      this.#failed = true;
      this.#logger.error(message, { path: this.#path, error });
    }
  }
}

function linesIn(bytes: Buffer, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; at += 1) {
    lines += bytes[at] === 0x0a ? 1 : 0;
  }
  return lines;
}

import { closeSync, copyFileSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import type { Clock, Timer } from '@weft/base';

const defaultMaxBytes = 5 * 1024 * 1024;
const lookEveryMs = 10_000;
const tailBytes = 16 * 1024;

/**
 * A log file that another program writes by itself. Envoy opens `/dev/stdout` anew for its access log, which works with a
 * file and not with the sockets that Node makes for children. When it has grown too large it is copied to `<file>.1` and
 * emptied: both writers append, so they go on at its beginning.
 */
export class TruncatingLog {
  readonly path: string;
  /** To be handed to the child as its output. */
  readonly descriptor: number;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  #timer: Timer | undefined;

  constructor(path: string, clock: Clock, maxBytes: number = defaultMaxBytes) {
    this.path = path;
    this.descriptor = openSync(path, 'a', 0o600);
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#schedule();
  }

  /** The last lines, oldest first. */
  lastLines(count: number): string[] {
    try {
      const text = readFileSync(this.path);
      const tail = text.subarray(Math.max(0, text.length - tailBytes)).toString('utf8');
      return tail
        .split('\n')
        .filter((line) => line !== '')
        .slice(-count);
    } catch {
      return [];
    }
  }

  close(): void {
    this.#timer?.cancel();
    closeSync(this.descriptor);
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#empty();
        this.#schedule();
      },
      lookEveryMs,
      { unref: true },
    );
  }

  #empty(): void {
    try {
      if (statSync(this.path).size > this.#maxBytes) {
        copyFileSync(this.path, `${this.path}.1`);
        truncateSync(this.path);
      }
    } catch {
      // A full disk must not end the proxy.
    }
  }
}

import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';

const defaultMaxBytes = 5 * 1024 * 1024;
const tailBytes = 64 * 1024;

/** A log file that does not grow without end: at its limit it is renamed to `<file>.1`, which replaces the one before. */
export class CappedLog {
  readonly path: string;
  readonly #maxBytes: number;
  #descriptor: number;
  #size: number;

  /** @param maxBytes default 5 MiB; with the renamed one, twice that is used at most. */
  constructor(path: string, maxBytes: number = defaultMaxBytes) {
    this.path = path;
    this.#maxBytes = maxBytes;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#size = existsSync(path) ? statSync(path).size : 0;
    this.#descriptor = openSync(path, 'a', 0o600);
  }

  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.#size + bytes.length > this.#maxBytes) {
      closeSync(this.#descriptor);
      renameSync(this.path, `${this.path}.1`);
      this.#descriptor = openSync(this.path, 'a', 0o600);
      this.#size = 0;
    }
    try {
      writeSync(this.#descriptor, bytes);
      this.#size += bytes.length;
    } catch {
      // A full disk must not end the program whose output this is.
    }
  }

  /** Copies a stream until it ends. */
  follow(stream: Readable | null): void {
    stream?.on('data', (chunk: Buffer) => this.write(chunk));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The last lines of a log, oldest first; empty when there is none. */
export function lastLines(path: string, count: number): string[] {
  try {
    const text = readFileSync(path);
    return text
      .subarray(Math.max(0, text.length - tailBytes))
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .slice(-count)
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** What a JSON log line says, for people: `message (error)`; other lines as they are. */
export function readableLogLine(line: string): string {
  try {
    const entry = JSON.parse(line) as { msg?: unknown; error?: { message?: unknown } | string };
    if (typeof entry.msg === 'string') {
      const error = typeof entry.error === 'object' ? entry.error.message : entry.error;
      return error === undefined ? entry.msg : `${entry.msg}: ${String(error)}`;
    }
  } catch {
    // Not one of ours.
  }
  return line;
}

import { connect, type Socket } from 'node:net';

const answerTimeoutMs = 500;
const retryAfterMs = 1_000;

/** Speaks the line protocol of `cache.ts` on one connection. A cache that is away is a miss, never an error. */
export class CacheClient {
  readonly #address: string;
  #socket: Socket | undefined;
  #waiting: ((line: string | undefined) => void)[] = [];
  #failedAt = Number.NEGATIVE_INFINITY;

  /** @param address `host:port`; empty: no cache. */
  constructor(address: string) {
    this.#address = address;
  }

  /** Whether the last exchange with the cache worked. */
  get connected(): boolean {
    return this.#socket !== undefined && !this.#socket.connecting;
  }

  async get(key: string): Promise<string | undefined> {
    const line = await this.#ask(`GET ${key}`);
    return line?.startsWith('VALUE ') === true ? line.slice(6) : undefined;
  }

  async set(key: string, seconds: number, value: string): Promise<void> {
    await this.#ask(`SET ${key} ${seconds} ${value}`);
  }

  #ask(line: string): Promise<string | undefined> {
    const socket = this.#open();
    if (socket === undefined) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), answerTimeoutMs);
      this.#waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      socket.write(`${line}\n`);
    });
  }

  #open(): Socket | undefined {
    if (this.#socket !== undefined) {
      return this.#socket;
    }
    if (this.#address === '' || Date.now() - this.#failedAt < retryAfterMs) {
      return undefined;
    }
    const colon = this.#address.lastIndexOf(':');
    const socket = connect(Number(this.#address.slice(colon + 1)), this.#address.slice(0, colon));
    socket.setEncoding('utf8');
    socket.setNoDelay(true);
    let pending = '';
    socket.on('data', (chunk: string) => {
      pending += chunk;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        this.#waiting.shift()?.(line);
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#failedAt = Date.now();
      this.#socket = undefined;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) {
        resolve(undefined);
      }
    });
    this.#socket = socket;
    return socket;
  }
}

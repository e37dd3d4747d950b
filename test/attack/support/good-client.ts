import { Agent, request } from 'node:http';

/** Answers that take longer do not count as success. */
const answerWithinMs = 5000;
const betweenRequestsMs = 10;

/** What became of the requests of a client that behaves. */
export interface GoodClientResult {
  readonly sent: number;
  readonly succeeded: number;
  readonly failures: ReadonlyMap<string, number>;
}

/** A client that behaves: a request every few milliseconds, by turns on a kept connection and on a new one. */
export class GoodClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #failures = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #sent = 0;
  #succeeded = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const work = this.#once(this.#sent % 2 === 0).finally(() => this.#running.delete(work));
      this.#running.add(work);
    }, betweenRequestsMs);
  }

  get sent(): number {
    return this.#sent;
  }

  #once(onKeptConnection: boolean): Promise<void> {
    this.#sent += 1;
    return new Promise((resolve) => {
      const done = (failure: string | undefined): void => {
        if (failure === undefined) {
          this.#succeeded += 1;
        } else {
          this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
        }
        resolve();
      };
      const asked = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          path: '/good',
          agent: onKeptConnection ? this.#agent : false,
          signal: AbortSignal.timeout(answerWithinMs),
        },
        (response) => {
          response.resume();
          response.on('end', () => done(response.statusCode === 200 ? undefined : `status ${response.statusCode}`));
          response.on('error', (error) => done(error.message));
        },
      );
      asked.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
      asked.end();
    });
  }

  /** Stops, waits for what is under way, and says what became of it. */
  async stop(): Promise<GoodClientResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
    this.#agent.destroy();
    return { sent: this.#sent, succeeded: this.#succeeded, failures: this.#failures };
  }
}

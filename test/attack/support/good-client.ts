import { Agent, request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';

/** Answers that take longer do not count as success. */
const answerWithinMs = 5000;
const betweenRequestsMs = 10;

/** What became of the requests of a client that behaves. */
export interface GoodClientResult {
  readonly sent: number;
  readonly succeeded: number;
  readonly failures: ReadonlyMap<string, number>;
}

/** A client that behaves: a request every few milliseconds, by turns on a kept connection, a new one, and a stream of HTTP/2 if told so. */
export class GoodClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #failures = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #sent = 0;
  #succeeded = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #http2: boolean;
  #session: ClientHttp2Session | undefined;

  constructor(port: number, http2: boolean) {
    this.#port = port;
    this.#http2 = http2;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const turn = this.#sent % 3;
      const work = (this.#http2 && turn === 2 ? this.#overHttp2() : this.#once(turn === 0)).finally(() =>
        this.#running.delete(work),
      );
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
        this.#done(failure);
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

  #done(failure: string | undefined): void {
    if (failure === undefined) {
      this.#succeeded += 1;
    } else {
      this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
    }
  }

  #overHttp2(): Promise<void> {
    this.#sent += 1;
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connectHttp2(`http://127.0.0.1:${this.#port}`);
      this.#session.on('error', () => {});
    }
    const session = this.#session;
    return new Promise((resolve) => {
      const stream = session.request({ ':path': '/good' }, { signal: AbortSignal.timeout(answerWithinMs) });
      let status: number | undefined;
      let failure: string | undefined;
      stream.on('response', (fields) => {
        status = fields[':status'];
      });
      stream.on('error', (error: NodeJS.ErrnoException) => {
        failure = `HTTP/2 ${error.code ?? error.message}`;
      });
      stream.on('close', () => {
        this.#done(failure ?? (status === 200 ? undefined : `HTTP/2 status ${status}`));
        resolve();
      });
      stream.resume();
      stream.end();
    });
  }

  /** Stops, waits for what is under way, and says what became of it. */
  async stop(): Promise<GoodClientResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
    this.#agent.destroy();
    this.#session?.destroy();
    return { sent: this.#sent, succeeded: this.#succeeded, failures: this.#failures };
  }
}

import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** A call that a client is to make. */
export interface Call {
  /** What follows `xds:///`. */
  readonly target: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As the mesh says (mutual TLS); else in the clear whatever it says. */
  readonly secure: boolean;
}

/** The answer's text, or gRPC's code and words. */
export interface Answer {
  readonly text?: string;
  readonly code?: number;
  readonly details?: string;
}

/** Has one client program make calls, one after the other. */
export class Caller implements Disposable {
  readonly #socket: ReturnType<typeof connect>;
  readonly #lines: AsyncIterator<string>;

  /** @param port that the client program listens on. */
  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#lines = createInterface({ input: this.#socket })[Symbol.asyncIterator]();
  }

  async call(target: string, options: Partial<Omit<Call, 'target'>> = {}): Promise<Answer> {
    const call: Call = { target, message: 'hello', headers: {}, secure: true, ...options };
    this.#socket.write(`${JSON.stringify(call)}\n`);
    const { value, done } = await this.#lines.next();
    return done === true ? { details: 'the client program has ended' } : (JSON.parse(value) as Answer);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

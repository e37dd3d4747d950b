import { connect, createServer, type Socket } from 'node:net';

/** Sockets that send and record plain bytes: what a well-behaved HTTP library would not send. */

/** A client connection; everything that comes back is kept. */
export class RawClient {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  ended = false;
  closed = false;
  readonly #waiters = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.ended = true;
      this.#wake();
    });
  }

  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }, () =>
        resolve(new RawClient(socket)),
      );
      socket.once('error', reject);
    });
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      waiter();
    }
  }

  /** Waits until `condition` holds after some event of the connection; rejects after `limitMs`. */
  until(condition: (client: RawClient) => boolean, limitMs = 10_000): Promise<void> {
    return waitFor(
      this.#waiters,
      () => condition(this),
      limitMs,
      () => `client has ${JSON.stringify(this.text)}`,
    );
  }

  /** Waits for the peer's end. */
  untilEnd(limitMs?: number): Promise<void> {
    return this.until((client) => client.ended, limitMs);
  }

  untilText(text: string, limitMs?: number): Promise<void> {
    return this.until((client) => client.text.includes(text), limitMs);
  }

  close(): void {
    this.socket.destroy();
  }
}

function waitFor(
  waiters: Set<() => void>,
  condition: () => boolean,
  limitMs: number,
  describe: () => string,
): Promise<void> {
  if (condition()) {
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiters.delete(check);
      reject(new Error(`gave up waiting; ${describe()}`));
    }, limitMs);
    const check = (): void => {
      if (condition()) {
        clearTimeout(timer);
        waiters.delete(check);
        resolve();
      }
    };
    waiters.add(check);
  });
}

/** One connection that an origin accepted. */
export interface OriginConnection {
  readonly socket: Socket;
  received: Buffer;
  ended: boolean;
}

/** A server that records raw bytes and answers what it is told. */
export class RawOrigin {
  readonly connections: OriginConnection[] = [];
  readonly port: number;
  readonly #close: () => Promise<void>;
  readonly #waiters: Set<() => void>;

  private constructor(port: number, waiters: Set<() => void>, close: () => Promise<void>) {
    this.port = port;
    this.#waiters = waiters;
    this.#close = close;
  }

  /** @param onData is called after each piece that came; it may write to the socket. */
  static async start(onData: (connection: OriginConnection) => void): Promise<RawOrigin> {
    const waiters = new Set<() => void>();
    const wake = (): void => {
      for (const waiter of [...waiters]) {
        waiter();
      }
    };
    let origin: RawOrigin | undefined;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const connection: OriginConnection = { socket, received: Buffer.alloc(0), ended: false };
      origin?.connections.push(connection);
      socket.on('data', (bytes) => {
        connection.received = Buffer.concat([connection.received, bytes]);
        onData(connection);
        wake();
      });
      socket.on('end', () => {
        connection.ended = true;
        wake();
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        connection.ended = true;
        wake();
      });
      wake();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    origin = new RawOrigin(port, waiters, async () => {
      for (const { socket } of origin?.connections ?? []) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    });
    return origin;
  }

  /** Everything that any connection received. */
  get received(): string {
    return this.connections.map((connection) => connection.received.toString('latin1')).join('');
  }

  until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    return waitFor(this.#waiters, condition, limitMs, () => `origin has ${JSON.stringify(this.received)}`);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** Whether `bytes` hold a whole head. */
export function hasHead(bytes: Buffer): boolean {
  return bytes.includes('\r\n\r\n');
}

/** An origin that gives `response` to every request head and reads on. Bodies are not looked at. */
export function answering(response: string): (connection: OriginConnection) => void {
  return (connection) => {
    const heads = connection.received.toString('latin1').split('\r\n\r\n').length - 1;
    const counted = connection as OriginConnection & { answered?: number };
    for (let done = counted.answered ?? 0; done < heads; done += 1) {
      connection.socket.write(Buffer.from(response, 'latin1'));
    }
    counted.answered = heads;
  };
}

export const okResponse = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

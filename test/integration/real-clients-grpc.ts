import {
  type Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { bytes, echoService } from '../../packages/proxy/test/support/grpc-peers.ts';

/**
 * grpc-js as server and client of an echo service in all four shapes; messages are plain bytes. `real-clients-grpcio.py` is the same.
 * `Unary` never answers `stay`, and `Expand` does not end a list of sizes that ends with `hold`.
 */

/** A server on a port of loopback. */
export interface EchoServer {
  listen(port: number): Promise<void>;
  /** Calls that their client gave up. */
  cancelled(): number;
  stop(): void;
}

export function createEchoServer(): EchoServer {
  const server = new Server();
  let cancelled = 0;
  server.addService(echoService, {
    Unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
      const trailers = new Metadata();
      trailers.set('x-tail', 'end');
      trailers.set('x-tail-bin', Buffer.from([0, 1, 0xff]));
      const text = call.request.toString('latin1', 0, 5);
      if (text === 'fail') {
        done({ code: status.FAILED_PRECONDITION, details: 'no, ü', metadata: trailers });
      } else if (text === 'stay') {
        call.on('cancelled', () => {
          cancelled += 1;
        });
      } else {
        done(null, call.request, trailers);
      }
    },
    Collect(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
      let size = 0;
      call.on('data', (message: Buffer) => {
        size += message.length;
      });
      call.on('end', () => done(null, Buffer.from(String(size))));
    },
    Expand(call: ServerWritableStream<Buffer, Buffer>): void {
      const sizes = call.request.toString().split(',');
      for (const size of sizes.filter((text) => text !== 'hold')) {
        call.write(Buffer.alloc(Number(size), 'e'));
      }
      if (sizes.at(-1) === 'hold') {
        call.on('cancelled', () => {
          cancelled += 1;
        });
      } else {
        call.end();
      }
    },
    Chat(call: ServerDuplexStream<Buffer, Buffer>): void {
      call.on('data', (message: Buffer) => call.write(Buffer.concat([Buffer.from('re:'), message])));
      call.on('end', () => call.end());
    },
  });
  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
          error === null ? resolve() : reject(error),
        );
      }),
    cancelled: () => cancelled,
    stop: () => server.forceShutdown(),
  };
}

/** What a client of the echo service has got. */
export interface EchoResult {
  /** Sizes of what came back of messages of 0, 5, 271,828 and 3,000,000 bytes, and of a compressed one of 100,000. */
  readonly unary: readonly number[];
  readonly gzip: number;
  /** `x-tail`, and `x-tail-bin` in hexadecimal. */
  readonly trailers: readonly (string | undefined)[];
  /** Of 50 calls at once. */
  readonly many: readonly string[];
  readonly collect: string;
  readonly expand: readonly number[];
  readonly chat: readonly string[];
  /** Code and details. */
  readonly failed: readonly [number, string] | null;
  /** Code of a method that does not exist, and of a call whose time is over. */
  readonly unknown: number;
  readonly late: number;
}

/** What every pair of client and server must come to. */
export const expectedResult: EchoResult = {
  unary: [0, 5, 271_828, 3_000_000],
  gzip: 100_000,
  trailers: ['end', '0001ff'],
  many: Array.from({ length: 50 }, (_, index) => `call ${index}`),
  collect: '74922',
  expand: [31_415, 9, 2653, 58_979, 0, 900_000],
  chat: Array.from({ length: 10 }, (_, turn) => `re:word ${turn}`),
  failed: [status.FAILED_PRECONDITION, 'no, ü'],
  unknown: status.UNIMPLEMENTED,
  late: status.DEADLINE_EXCEEDED,
};

interface Outcome {
  readonly error: ServiceError | null;
  readonly value: Buffer;
  readonly trailers: Metadata;
}

const deadline = (ms: number): Date => new Date(Date.now() + ms);

function unary(client: Client, message: Buffer, ms = 30_000, path = '/test.Echo/Unary'): Promise<Outcome> {
  return new Promise((resolve) => {
    let value: Buffer = Buffer.alloc(0);
    let error: ServiceError | null = null;
    const call = client.makeUnaryRequest(path, bytes, bytes, message, { deadline: deadline(ms) }, (failure, answer) => {
      error = failure;
      value = answer ?? value;
    });
    call.on('status', ({ metadata }) => resolve({ error, value, trailers: metadata }));
  });
}

/** `127.0.0.1:PORT` */
function connect(target: string, options: Record<string, number> = {}): Client {
  const EchoClient = makeGenericClientConstructor(echoService, 'Echo');
  return new EchoClient(target, credentials.createInsecure(), {
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  }) as unknown as Client;
}

/** Whether the echo service answers. */
export async function isEchoReached(target: string): Promise<boolean> {
  const client = connect(target);
  const { error } = await unary(client, Buffer.from('hello'), 2_000);
  client.close();
  return error === null;
}

function collect(client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { deadline: deadline(30_000) };
    const call = client.makeClientStreamRequest('/test.Echo/Collect', bytes, bytes, options, (error, value) =>
      error === null ? resolve(String(value)) : reject(error),
    );
    for (const size of [27_182, 8, 1828, 45_904, 0]) {
      call.write(Buffer.alloc(size));
    }
    call.end();
  });
}

async function expand(client: Client): Promise<number[]> {
  const sizes: number[] = [];
  const request = Buffer.from(expectedResult.expand.join(','));
  for await (const message of client.makeServerStreamRequest('/test.Echo/Expand', bytes, bytes, request)) {
    sizes.push((message as Buffer).length);
  }
  return sizes;
}

async function chat(client: Client): Promise<string[]> {
  const call = client.makeBidiStreamRequest('/test.Echo/Chat', bytes, bytes, { deadline: deadline(30_000) });
  const answers = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const heard: string[] = [];
  for (let turn = 0; turn < expectedResult.chat.length; turn += 1) {
    call.write(Buffer.from(`word ${turn}`));
    heard.push(String((await answers.next()).value));
  }
  call.end();
  for (let next = await answers.next(); next.done !== true; next = await answers.next()) {
    heard.push(String(next.value));
  }
  return heard;
}

/** Everything that {@link EchoResult} holds, on one connection (the compressed call on another). */
export async function callEcho(target: string): Promise<EchoResult> {
  const client = connect(target);
  const zipping = connect(target, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
  try {
    const outcomes: Outcome[] = [];
    for (const size of expectedResult.unary) {
      outcomes.push(await unary(client, Buffer.alloc(size, 'a')));
    }
    const tail = outcomes.at(-1)?.trailers;
    const many = await Promise.all(expectedResult.many.map((text) => unary(client, Buffer.from(text))));
    const failed = (await unary(client, Buffer.from('fail'))).error;
    return {
      unary: outcomes.map(({ value }) => value.length),
      gzip: (await unary(zipping, Buffer.alloc(100_000, 'z'))).value.length,
      trailers: [String(tail?.get('x-tail')[0]), (tail?.get('x-tail-bin')[0] as Buffer | undefined)?.toString('hex')],
      many: many.map(({ value }) => value.toString()),
      collect: await collect(client),
      expand: await expand(client),
      chat: await chat(client),
      failed: failed === null ? null : [failed.code, failed.details],
      unknown: (await unary(client, Buffer.alloc(0), 30_000, '/test.Echo/None')).error?.code ?? 0,
      late: (await unary(client, Buffer.from('stay'), 300)).error?.code ?? 0,
    };
  } finally {
    client.close();
    zipping.close();
  }
}

import type { TestContext } from 'node:test';
import {
  type Client,
  credentials,
  type Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** grpc-js as client and server. */

/** Serializes and deserializes messages that are plain bytes. */
export const bytes = (value: Buffer): Buffer => value;

function method(path: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  return {
    path: `/test.Echo/${path}`,
    requestStream,
    responseStream,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

/** All four shapes of a call; messages are plain bytes. */
export const echoService: ServiceDefinition = {
  Unary: method('Unary', false, false),
  Collect: method('Collect', true, false),
  Expand: method('Expand', false, true),
  Chat: method('Chat', true, true),
};

/** Starts a server of the echo service; its port. */
export async function startGrpcServer(t: TestContext, handlers: UntypedServiceImplementation): Promise<number> {
  const server = new Server();
  server.addService(echoService, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.after(() => server.forceShutdown());
  return port;
}

export function grpcClient(t: TestContext, port: number): Client {
  const EchoClient = makeGenericClientConstructor(echoService, 'Echo');
  const client = new EchoClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
  t.after(() => client.close());
  return client as unknown as Client;
}

export interface UnaryResult {
  readonly error: ServiceError | null;
  readonly value: Buffer | undefined;
  readonly trailers: Metadata | undefined;
}

/** A unary call; resolves with its error too. */
export function unary(
  client: Client,
  message: Buffer,
  options: { readonly deadlineMs?: number; readonly metadata?: Metadata } = {},
): Promise<UnaryResult> {
  return new Promise((resolve) => {
    let trailers: Metadata | undefined;
    let result: UnaryResult | undefined;
    const settle = (): void => {
      if (result !== undefined && trailers !== undefined) {
        resolve({ ...result, trailers });
      }
    };
    const call = client.makeUnaryRequest(
      '/test.Echo/Unary',
      bytes,
      bytes,
      message,
      ...([options.metadata].filter((metadata) => metadata !== undefined) as [Metadata]),
      options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs },
      (error, value) => {
        result = { error, value, trailers };
        settle();
      },
    );
    call.on('status', (status) => {
      trailers = status.metadata;
      settle();
    });
  });
}

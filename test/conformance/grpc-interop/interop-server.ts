/**
 * The server of the interop cases, on `PORT`. Every change of the number of open calls, and every cancellation, is a line of standard
 * output: `open <n>`, `cancelled <method>`.
 */
import process from 'node:process';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import {
  type EchoStatus,
  interopApi,
  type SimpleRequest,
  type SimpleResponse,
  type StreamingInputRequest,
  type StreamingInputResponse,
  type StreamingOutputRequest,
  type StreamingOutputResponse,
} from './interop-api.ts';

const initialName = 'x-grpc-test-echo-initial';
const trailingName = 'x-grpc-test-echo-trailing-bin';

let open = 0;

interface Call {
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
  on(event: 'cancelled', listener: () => void): unknown;
  getPath(): string;
}

/** Notes a call; the function that comes back notes its end, once. */
function began(call: Call): () => void {
  let isOpen = true;
  const count = (by: number): void => {
    open += by;
    process.stdout.write(`open ${open}\n`);
  };
  const ended = (): void => {
    if (isOpen) {
      isOpen = false;
      count(-1);
    }
  };
  count(1);
  call.on('cancelled', () => {
    process.stdout.write(`cancelled ${call.getPath()}\n`);
    ended();
  });
  const echoed = new Metadata();
  for (const value of call.metadata.get(initialName)) {
    echoed.add(initialName, value);
  }
  call.sendMetadata(echoed);
  return ended;
}

function trailersOf(call: Call): Metadata {
  const trailers = new Metadata();
  for (const value of call.metadata.get(trailingName)) {
    trailers.add(trailingName, value);
  }
  return trailers;
}

/** A body of zeros. */
function payload(size: number): { readonly type: number; readonly body: Buffer } {
  return { type: 0, body: Buffer.alloc(size) };
}

function failure({ code, message }: EchoStatus): { readonly code: number; readonly details: string } {
  return { code, details: message };
}

function emptyCall(call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>): void {
  began(call)();
  answer(null, {});
}

function unaryCall(call: ServerUnaryCall<SimpleRequest, SimpleResponse>, answer: sendUnaryData<SimpleResponse>): void {
  const { responseStatus, responseSize = 0 } = call.request;
  if (responseStatus !== undefined && responseStatus !== null && responseStatus.code !== 0) {
    // Before anything else was sent: the answer is one block of fields.
    answer(failure(responseStatus));
    return;
  }
  began(call)();
  answer(null, { payload: payload(responseSize) }, trailersOf(call));
}

function streamingInputCall(
  call: ServerReadableStream<StreamingInputRequest, StreamingInputResponse>,
  answer: sendUnaryData<StreamingInputResponse>,
): void {
  const ended = began(call);
  let aggregatedPayloadSize = 0;
  call.on('data', ({ payload: { body } }: StreamingInputRequest) => {
    aggregatedPayloadSize += body.length;
  });
  call.on('end', () => {
    ended();
    answer(null, { aggregatedPayloadSize });
  });
  call.on('error', ended);
}

function streamingOutputCall(call: ServerWritableStream<StreamingOutputRequest, StreamingOutputResponse>): void {
  const ended = began(call);
  for (const { size } of call.request.responseParameters ?? []) {
    call.write({ payload: payload(size) });
  }
  ended();
  call.end();
}

function fullDuplexCall(call: ServerDuplexStream<StreamingOutputRequest, StreamingOutputResponse>): void {
  const ended = began(call);
  let failed = false;
  call.on('data', ({ responseParameters, responseStatus }: StreamingOutputRequest) => {
    if (responseStatus !== undefined && responseStatus !== null && responseStatus.code !== 0) {
      failed = true;
      ended();
      call.emit('error', failure(responseStatus));
      return;
    }
    for (const { size } of responseParameters ?? []) {
      call.write({ payload: payload(size) });
    }
  });
  call.on('end', () => {
    ended();
    if (!failed) {
      call.end(trailersOf(call));
    }
  });
  call.on('error', ended);
}

const server = new Server();
server.addService(interopApi().TestService.service, {
  emptyCall,
  unaryCall,
  streamingInputCall,
  streamingOutputCall,
  fullDuplexCall,
});
server.bindAsync(`127.0.0.1:${process.env['PORT'] ?? 0}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) {
    throw error;
  }
  process.stdout.write(`listens on port ${port}\n`);
});
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));

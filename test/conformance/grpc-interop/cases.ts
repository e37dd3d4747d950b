import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import type {
  Payload,
  SimpleRequest,
  SimpleResponse,
  StreamingOutputRequest,
  StreamingOutputResponse,
  TestServiceClient,
} from './interop-api.ts';

/** What a case may use. */
export interface InteropPeer {
  readonly test: TestServiceClient;
  /** A client of a service that the server does not have. */
  readonly unimplemented: TestServiceClient;
  /** The message of `special_status_message`. */
  readonly specialMessage: string;
}

/** Runs one case; throws what is not as it must be. */
export type InteropCase = (peer: InteropPeer) => Promise<void>;

const initialName = 'x-grpc-test-echo-initial';
const initialValue = 'test_initial_metadata_value';
const trailingName = 'x-grpc-test-echo-trailing-bin';
const trailingValue = Buffer.from('ababab', 'hex');

function zeros(size: number): Payload {
  return { type: 0, body: Buffer.alloc(size) };
}

/** The answer of a unary call with what came around it. */
interface UnaryOutcome {
  readonly answer: SimpleResponse;
  readonly headers: Metadata;
  readonly trailers: StatusObject;
}

function unary(
  { test }: InteropPeer,
  request: SimpleRequest,
  metadata: Metadata = new Metadata(),
): Promise<UnaryOutcome> {
  return new Promise((resolve, reject) => {
    let headers = new Metadata();
    let answer: SimpleResponse | undefined;
    const call = test.unaryCall(request, metadata, (error, value) => {
      answer = value;
      if (error !== null) {
        reject(error);
      }
    });
    call.on('metadata', (received) => {
      headers = received;
    });
    call.on('status', (trailers) => {
      // The callback and the status come in either order.
      setImmediate(() => answer !== undefined && resolve({ answer, headers, trailers }));
    });
  });
}

/** Everything that a stream brings until its end. */
interface StreamOutcome {
  readonly messages: readonly StreamingOutputResponse[];
  readonly headers: Metadata;
  readonly end: StatusObject;
}

interface OutputStream {
  on(event: 'data', listener: (message: StreamingOutputResponse) => void): unknown;
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

function outcomeOf(stream: OutputStream): Promise<StreamOutcome> {
  return new Promise((resolve) => {
    const messages: StreamingOutputResponse[] = [];
    let headers = new Metadata();
    stream.on('data', (message) => messages.push(message));
    stream.on('metadata', (metadata) => {
      headers = metadata;
    });
    stream.on('error', () => {});
    stream.on('status', (end) => resolve({ messages, headers, end }));
  });
}

async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new assert.AssertionError({ message: 'the call must fail' });
}

function sizes(messages: readonly StreamingOutputResponse[]): readonly (number | undefined)[] {
  return messages.map(({ payload }) => payload?.body.length);
}

function ask(payloadSize: number, answerSize: number): StreamingOutputRequest {
  return { responseParameters: [{ size: answerSize }], payload: zeros(payloadSize) };
}

const turns = [
  [27_182, 31_415],
  [8, 9],
  [1_828, 2_653],
  [45_904, 58_979],
] as const;

/** By the names of `cases.json`. */
export const interopCases: Readonly<Record<string, InteropCase>> = {
  async empty_unary({ test }) {
    const answer = await new Promise((resolve, reject) => {
      test.emptyCall({}, (error, value) => (error === null ? resolve(value) : reject(error)));
    });
    assert.deepEqual({ ...(answer as object) }, {});
  },

  async large_unary(peer) {
    const { answer, trailers } = await unary(peer, { responseSize: 314_159, payload: zeros(271_828) });
    assert.equal(trailers.code, status.OK);
    assert.equal(answer.payload?.body.length, 314_159);
    assert.equal(answer.payload?.type, 0);
  },

  async client_streaming({ test }) {
    const answer = await new Promise<{ readonly aggregatedPayloadSize: number } | undefined>((resolve, reject) => {
      const call = test.streamingInputCall((error, value) => (error === null ? resolve(value) : reject(error)));
      for (const size of [27_182, 8, 1_828, 45_904]) {
        call.write({ payload: zeros(size) });
      }
      call.end();
    });
    assert.equal(answer?.aggregatedPayloadSize, 74_922);
  },

  async server_streaming({ test }) {
    const wanted = [31_415, 9, 2_653, 58_979];
    const call = test.streamingOutputCall({ responseParameters: wanted.map((size) => ({ size })) });
    const { messages, end } = await outcomeOf(call);
    assert.deepEqual(sizes(messages), wanted);
    assert.equal(end.code, status.OK);
  },

  async ping_pong({ test }) {
    const call = test.fullDuplexCall(new Metadata());
    const all = outcomeOf(call);
    for (const [request, answer] of turns) {
      const came = once(call, 'data');
      call.write(ask(request, answer));
      const [message] = (await came) as [StreamingOutputResponse];
      assert.equal(message.payload?.body.length, answer);
    }
    call.end();
    const { messages, end } = await all;
    assert.equal(messages.length, turns.length);
    assert.equal(end.code, status.OK);
  },

  async empty_stream({ test }) {
    const call = test.fullDuplexCall(new Metadata());
    call.end();
    const { messages, end } = await outcomeOf(call);
    assert.equal(messages.length, 0);
    assert.equal(end.code, status.OK);
  },

  async cancel_after_begin({ test }) {
    const failed = failureOf(
      new Promise((resolve, reject) => {
        const call = test.streamingInputCall((error, value) => (error === null ? resolve(value) : reject(error)));
        // Let it begin on the wire: a call that is cancelled at once never leaves the client.
        setImmediate(() => call.cancel());
      }),
    );
    assert.equal((await failed).code, status.CANCELLED);
  },

  async cancel_after_first_response({ test }) {
    const call = test.fullDuplexCall(new Metadata());
    const all = outcomeOf(call);
    call.once('data', () => call.cancel());
    call.write(ask(27_182, 31_415));
    assert.equal((await all).end.code, status.CANCELLED);
  },

  async timeout_on_sleeping_server({ test }) {
    const call = test.fullDuplexCall(new Metadata(), { deadline: Date.now() + 1 });
    const all = outcomeOf(call);
    call.write({ payload: zeros(27_182) });
    assert.equal((await all).end.code, status.DEADLINE_EXCEEDED);
  },

  async custom_metadata(peer) {
    const metadata = new Metadata();
    metadata.set(initialName, initialValue);
    metadata.set(trailingName, trailingValue);
    const one = await unary(peer, { responseSize: 314_159, payload: zeros(271_828) }, metadata);
    const call = peer.test.fullDuplexCall(metadata);
    const all = outcomeOf(call);
    call.write(ask(271_828, 314_159));
    call.end();
    const many = await all;
    for (const [headers, end] of [
      [one.headers, one.trailers],
      [many.headers, many.end],
    ] as const) {
      assert.equal(end.code, status.OK);
      assert.deepEqual(headers.get(initialName), [initialValue]);
      assert.deepEqual(end.metadata.get(trailingName), [trailingValue]);
    }
  },

  async status_code_and_message(peer) {
    const responseStatus = { code: status.UNKNOWN, message: 'test status message' };
    const error = await failureOf(unary(peer, { responseStatus }));
    const call = peer.test.fullDuplexCall(new Metadata());
    const all = outcomeOf(call);
    call.write({ responseStatus });
    call.end();
    const { end } = await all;
    for (const { code, details } of [error, end]) {
      assert.deepEqual([code, details], [status.UNKNOWN, 'test status message']);
    }
  },

  async special_status_message(peer) {
    const { specialMessage: message } = peer;
    const error = await failureOf(unary(peer, { responseStatus: { code: status.UNKNOWN, message } }));
    assert.deepEqual([error.code, error.details], [status.UNKNOWN, message]);
  },

  async unimplemented_method({ test }) {
    const call = new Promise((resolve, reject) => {
      test.unimplementedCall({}, (error, value) => (error === null ? resolve(value) : reject(error)));
    });
    assert.equal((await failureOf(call)).code, status.UNIMPLEMENTED);
  },

  async unimplemented_service({ unimplemented }) {
    const call = new Promise((resolve, reject) => {
      unimplemented.unimplementedCall({}, (error, value) => (error === null ? resolve(value) : reject(error)));
    });
    assert.equal((await failureOf(call)).code, status.UNIMPLEMENTED);
  },
};

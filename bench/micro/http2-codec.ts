/**
 * What one request costs our two HTTP/2 codecs, in ns, and how much garbage it leaves: encoding and decoding of heads, frames, flow
 * control and stream state, without sockets and without the proxy. Requests are sent in batches, as busy connections do.
 *
 * `node --expose-gc bench/micro/http2-codec.ts [--rounds N] [--batch N]`
 */
import { parseArgs } from 'node:util';
import type { HeadFields } from '../../packages/http-codec/src/head-fields.ts';
import {
  type DownstreamEvents,
  defaultHttp2Settings,
  Http2DownstreamCodec,
  Http2UpstreamCodec,
  OutputBuffer,
  type RequestHead,
  type RequestSink,
  type ResponseEncoder,
  type ResponseHead,
  type ResponseSink,
  releaseChunk,
  releaseFields,
  releaseRequestHead,
  releaseResponseHead,
  type UpstreamEvents,
} from '../../packages/http-codec/src/index.ts';
import { RequestHead as Request } from '../../packages/http-codec/src/request-head.ts';
import { ResponseHead as Response } from '../../packages/http-codec/src/response-head.ts';
import { fieldsOf } from '../../packages/http-codec/test/hpack-blocks.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, batch: { type: 'string', default: '20' } },
});
const rounds = Number(values.rounds);
const batch = Number(values.batch);
const perRound = 20_000;

function request(method: string, pairs: readonly (readonly [string, string])[]): RequestHead {
  const head = new Request();
  fieldsOf([['host', 'shop.default.svc.cluster.local'], ...pairs], head);
  head.method = method;
  head.path = '/products/8721';
  head.authority = 'shop.default.svc.cluster.local';
  head.startLineUsable = false;
  return head;
}

function response(pairs: readonly (readonly [string, string])[]): ResponseHead {
  const head = new Response();
  fieldsOf(pairs, head);
  head.status = 200;
  return head;
}

const sidecarRequest: readonly (readonly [string, string])[] = [
  ['user-agent', 'curl/8.5.0'],
  ['accept', '*/*'],
  ['x-request-id', '3b1c5a1e-8c3f-4c1e-9a51-1f5f4f0d7c11'],
  ['x-forwarded-proto', 'http'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['x-envoy-attempt-count', '1'],
];

interface Case {
  readonly name: string;
  readonly head: RequestHead;
  readonly requestBody: Buffer | undefined;
  readonly answer: ResponseHead;
  readonly responseBody: Buffer;
  readonly trailers: HeadFields | undefined;
  readonly carryHeaderNames: boolean;
}

const cases: readonly Case[] = [
  {
    name: 'GET, 1 KB',
    head: request('GET', sidecarRequest),
    requestBody: undefined,
    answer: response([
      ['content-type', 'application/json'],
      ['content-length', '1024'],
      ['date', 'Sat, 21 Nov 2026 07:00:00 GMT'],
      ['server', 'istio-envoy'],
      ['x-envoy-upstream-service-time', '3'],
    ]),
    responseBody: Buffer.alloc(1024, 'x'),
    trailers: undefined,
    carryHeaderNames: false,
  },
  {
    name: 'GET, 1 KB, names of HTTP/1.1',
    head: request(
      'GET',
      sidecarRequest.map(([name, value]) => [name.replace(/(^|-)[a-z]/g, (text) => text.toUpperCase()), value]),
    ),
    requestBody: undefined,
    answer: response([
      ['Content-Type', 'application/json'],
      ['Content-Length', '1024'],
      ['Date', 'Sat, 21 Nov 2026 07:00:00 GMT'],
      ['server', 'istio-envoy'],
      ['x-envoy-upstream-service-time', '3'],
    ]),
    responseBody: Buffer.alloc(1024, 'x'),
    trailers: undefined,
    carryHeaderNames: true,
  },
  {
    name: 'gRPC unary, 100 B',
    head: request('POST', [
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['grpc-accept-encoding', 'identity,deflate,gzip'],
      ...sidecarRequest,
    ]),
    requestBody: Buffer.alloc(100),
    answer: response([
      ['content-type', 'application/grpc'],
      ['date', 'Sat, 21 Nov 2026 07:00:00 GMT'],
      ['server', 'istio-envoy'],
    ]),
    responseBody: Buffer.alloc(100),
    trailers: fieldsOf([
      ['grpc-status', '0'],
      ['grpc-message', ''],
    ]),
    carryHeaderNames: false,
  },
];

/** Answers every request when it is complete. */
class Server implements DownstreamEvents {
  readonly out: OutputBuffer = new OutputBuffer();
  readonly codec: Http2DownstreamCodec;
  readonly #case: Case;

  constructor(what: Case) {
    this.#case = what;
    this.codec = new Http2DownstreamCodec(this, this.out, {
      ...defaultHttp2Settings,
      carryHeaderNames: what.carryHeaderNames,
    });
  }

  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
    releaseRequestHead(head);
    const exchange = new Exchange(this, encoder);
    if (endStream) {
      exchange.onBodyEnd(undefined);
    }
    return exchange;
  }

  answer(encoder: ResponseEncoder): void {
    const { answer, responseBody, trailers } = this.#case;
    encoder.encodeHead(answer, false);
    encoder.encodeData(responseBody, 0, responseBody.length);
    encoder.encodeEnd(trailers);
  }

  onCodecError(detail: string): void {
    throw new Error(detail);
  }

  onReadPressure(): void {}
  onFinished(): void {}
}

class Exchange implements RequestSink {
  readonly #server: Server;
  readonly #encoder: ResponseEncoder;

  constructor(server: Server, encoder: ResponseEncoder) {
    this.#server = server;
    this.#encoder = encoder;
  }

  onBodyData(): void {}

  onBodyEnd(trailers: HeadFields | undefined): void {
    if (trailers !== undefined) {
      releaseFields(trailers);
    }
    this.#server.answer(this.#encoder);
  }

  onResponseWritable(): void {}

  onReset(detail: string): void {
    throw new Error(detail);
  }
}

class Client implements UpstreamEvents, ResponseSink {
  readonly out: OutputBuffer = new OutputBuffer();
  readonly codec: Http2UpstreamCodec;
  readonly #case: Case;
  ended = 0;

  constructor(what: Case) {
    this.#case = what;
    this.codec = new Http2UpstreamCodec(this, this.out, {
      ...defaultHttp2Settings,
      carryHeaderNames: what.carryHeaderNames,
    });
  }

  send(): void {
    const { head, requestBody } = this.#case;
    const encoder = this.codec.open(this);
    encoder.encodeRequest(head, requestBody === undefined);
    if (requestBody !== undefined) {
      encoder.encodeData(requestBody, 0, requestBody.length);
      encoder.encodeEnd(undefined);
    }
  }

  onResponse(head: ResponseHead): void {
    releaseResponseHead(head);
  }

  onBodyData(): void {}

  onBodyEnd(trailers: HeadFields | undefined): void {
    this.ended += 1;
    if (trailers !== undefined) {
      releaseFields(trailers);
    }
  }

  onResponseError(detail: string): void {
    throw new Error(detail);
  }

  onInformational(): void {}
  onRequestWritable(): void {}
  onReadPressure(): void {}
  onStreamsAvailable(): void {}
  onDraining(): void {}
  onFinished(): void {}
}

function hand(out: OutputBuffer, receive: (bytes: Buffer, start: number, end: number) => void): number {
  let bytes = 0;
  out.flush((chunk, length) => {
    bytes += length;
    receive(chunk, 0, length);
    releaseChunk(chunk);
  });
  return bytes;
}

interface Round {
  readonly client: number;
  readonly server: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly garbage: number;
}

function round(client: Client, server: Server): Round {
  let [clientNs, serverNs] = [0n, 0n];
  let [bytesUp, bytesDown] = [0, 0];
  const toServer = (bytes: Buffer, start: number, end: number): void => server.codec.receive(bytes, start, end);
  const toClient = (bytes: Buffer, start: number, end: number): void => client.codec.receive(bytes, start, end);
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  for (let sent = 0; sent < perRound; sent += batch) {
    const a = process.hrtime.bigint();
    for (let index = 0; index < batch; index += 1) {
      client.send();
    }
    const b = process.hrtime.bigint();
    bytesUp += hand(client.out, toServer);
    const c = process.hrtime.bigint();
    bytesDown += hand(server.out, toClient);
    const d = process.hrtime.bigint();
    clientNs += b - a + (d - c);
    serverNs += c - b;
  }
  const garbage = process.memoryUsage().heapUsed - heapBefore;
  return {
    client: Number(clientNs) / perRound,
    server: Number(serverNs) / perRound,
    bytesUp: bytesUp / perRound,
    bytesDown: bytesDown / perRound,
    garbage: garbage / perRound,
  };
}

for (const what of cases) {
  const client = new Client(what);
  const server = new Server(what);
  hand(client.out, (bytes, start, end) => server.codec.receive(bytes, start, end));
  hand(server.out, (bytes, start, end) => client.codec.receive(bytes, start, end));
  const results = Array.from({ length: rounds }, () => round(client, server));
  const least = (field: keyof Round): string => Math.min(...results.map((result) => result[field])).toFixed(0);
  process.stdout.write(
    `${what.name}: server ${least('server')} ns, client ${least('client')} ns; ${least('bytesUp')} B up, ${least('bytesDown')} B down; heap grows by ${least('garbage')} B a request\n`,
  );
  if (client.ended !== rounds * perRound) {
    throw new Error(`${client.ended} answers`);
  }
}

import type {
  DownstreamEvents,
  RequestEncoder,
  RequestFate,
  RequestSink,
  ResponseEncoder,
  ResponseSink,
  UpstreamEvents,
} from '../src/codec.ts';
import type { CodecErrorDetail } from '../src/codec-error.ts';
import type { HeadFields } from '../src/head-fields.ts';
import { Http2DownstreamCodec } from '../src/http2/downstream-codec.ts';
import { defaultHttp2Settings, type Http2Settings } from '../src/http2/settings.ts';
import { Http2UpstreamCodec } from '../src/http2/upstream-codec.ts';
import { OutputBuffer, type OutputOwner, releaseChunk } from '../src/output-buffer.ts';
import { RequestHead } from '../src/request-head.ts';
import { ResponseHead } from '../src/response-head.ts';

/** Owners of both sides that write down what they are told, and ways to carry the bytes between them. */

/** `name: value` of each field in order. */
export function linesOf(fields: { forEach(visit: (name: string, value: string) => void): void }): string[] {
  const lines: string[] = [];
  fields.forEach((name, value) => void lines.push(`${name}: ${value}`));
  return lines;
}

/** Everything that was put into `out` since it was taken last. */
export function taken(out: OutputBuffer): Buffer {
  const parts: Buffer[] = [];
  out.flush((bytes, length) => {
    parts.push(Buffer.from(bytes.subarray(0, length)));
    releaseChunk(bytes);
  });
  return Buffer.concat(parts);
}

/** A request head as filters would hand it on. */
export function requestHead(
  method: string,
  path: string,
  fields: readonly (readonly [string, string])[] = [],
): RequestHead {
  const head = new RequestHead();
  head.method = method;
  head.path = path;
  head.authority = 'a.test';
  head.startLineUsable = false;
  head.addClean('host', 'a.test');
  for (const [name, value] of fields) {
    head.add(name, value);
    if (name.toLowerCase() === 'content-length') {
      head.contentLength = Number(value);
    }
  }
  return head;
}

export function responseHead(status: number, fields: readonly (readonly [string, string])[] = []): ResponseHead {
  const head = new ResponseHead();
  head.status = status;
  for (const [name, value] of fields) {
    head.add(name, value);
    if (name.toLowerCase() === 'content-length') {
      head.contentLength = Number(value);
    }
  }
  return head;
}

/** One request as a server saw it. */
export class ServedRequest implements RequestSink {
  readonly head: RequestHead;
  readonly encoder: ResponseEncoder;
  readonly endedWithHead: boolean;
  readonly chunks: Buffer[] = [];
  trailers: string[] | undefined = undefined;
  ended: boolean;
  resetBy: CodecErrorDetail | undefined = undefined;
  writable = true;
  onEnd: () => void = () => {};

  constructor(head: RequestHead, encoder: ResponseEncoder, endStream: boolean) {
    this.head = head;
    this.encoder = encoder;
    this.endedWithHead = endStream;
    this.ended = endStream;
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    this.trailers = trailers === undefined ? undefined : linesOf(trailers);
    this.ended = true;
    this.onEnd();
  }

  onResponseWritable(writable: boolean): void {
    this.writable = writable;
  }

  onReset(detail: CodecErrorDetail): void {
    this.resetBy = detail;
  }
}

/** A server: the downstream codec and an owner that answers by `answer`. */
export class TestServer implements DownstreamEvents, OutputOwner {
  /** Bytes that were taken from the output and lie in a socket. */
  inSocket = 0;
  readonly out: OutputBuffer = new OutputBuffer(this);
  readonly codec: Http2DownstreamCodec;
  readonly requests: ServedRequest[] = [];
  readonly errors: { detail: CodecErrorDetail; encoder: ResponseEncoder | undefined }[] = [];
  finished = false;
  answer: (request: ServedRequest) => void = () => {};

  constructor(settings: Partial<Http2Settings> = {}) {
    this.codec = new Http2DownstreamCodec(this, this.out, { ...defaultHttp2Settings, ...settings });
  }

  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
    const request = new ServedRequest(head, encoder, endStream);
    this.requests.push(request);
    this.answer(request);
    return request;
  }

  onCodecError(detail: CodecErrorDetail, encoder: ResponseEncoder | undefined): void {
    this.errors.push({ detail, encoder });
  }

  onReadPressure(): void {}

  onFinished(): void {
    this.finished = true;
  }

  outputReady(): void {}

  get queuedBytes(): number {
    return this.out.byteLength + this.inSocket;
  }

  receive(bytes: Buffer): void {
    this.codec.receive(bytes, 0, bytes.length);
  }
}

/** One response as a client saw it. */
export class GivenResponse implements ResponseSink {
  readonly informational: string[][] = [];
  head: ResponseHead | undefined = undefined;
  readonly chunks: Buffer[] = [];
  trailers: string[] | undefined = undefined;
  ended = false;
  error: CodecErrorDetail | undefined = undefined;
  fate: RequestFate | undefined = undefined;
  writable = true;

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  onInformational(head: ResponseHead): void {
    this.informational.push([String(head.status), ...linesOf(head)]);
  }

  onResponse(head: ResponseHead, endStream: boolean): void {
    this.head = head;
    this.ended = endStream;
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(bytes.subarray(start, end)));
  }

  onBodyEnd(trailers: HeadFields | undefined): void {
    this.trailers = trailers === undefined ? undefined : linesOf(trailers);
    this.ended = true;
  }

  onRequestWritable(writable: boolean): void {
    this.writable = writable;
  }

  onResponseError(detail: CodecErrorDetail, fate: RequestFate): void {
    this.error = detail;
    this.fate = fate;
  }
}

/** A client: the upstream codec and its owner. */
export class TestClient implements UpstreamEvents {
  readonly out: OutputBuffer = new OutputBuffer();
  readonly codec: Http2UpstreamCodec;
  draining = false;
  finished = false;
  availableCalls = 0;

  constructor(settings: Partial<Http2Settings> = {}) {
    this.codec = new Http2UpstreamCodec(this, this.out, { ...defaultHttp2Settings, ...settings });
  }

  onReadPressure(): void {}

  onStreamsAvailable(): void {
    this.availableCalls += 1;
  }

  onDraining(): void {
    this.draining = true;
  }

  onFinished(): void {
    this.finished = true;
  }

  receive(bytes: Buffer): void {
    this.codec.receive(bytes, 0, bytes.length);
  }

  /** Sends a request; `body` undefined: it ends with its head. */
  request(
    head: RequestHead,
    body?: Buffer,
    trailers?: HeadFields,
  ): { encoder: RequestEncoder; response: GivenResponse } {
    const response = new GivenResponse();
    const encoder = this.codec.open(response);
    encoder.encodeRequest(head, body === undefined && trailers === undefined);
    if (body !== undefined || trailers !== undefined) {
      if (body !== undefined) {
        encoder.encodeData(body, 0, body.length);
      }
      encoder.encodeEnd(trailers);
    }
    return { encoder, response };
  }
}

/**
 * Carries bytes both ways until none are left.
 * @param cut the length of the next piece, given what is left; the whole by default.
 */
export function exchange(client: TestClient, server: TestServer, cut: (left: number) => number = (left) => left): void {
  for (;;) {
    const up = taken(client.out);
    const down = taken(server.out);
    if (up.length === 0 && down.length === 0) {
      return;
    }
    feed(up, cut, (bytes, start, end) => server.codec.receive(bytes, start, end));
    feed(down, cut, (bytes, start, end) => client.codec.receive(bytes, start, end));
  }
}

function feed(
  bytes: Buffer,
  cut: (left: number) => number,
  receive: (bytes: Buffer, start: number, end: number) => void,
): void {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.max(1, Math.min(bytes.length - at, cut(bytes.length - at)));
    // A copy that nobody may look at afterwards.
    const piece = Buffer.from(bytes.subarray(at, at + length));
    receive(piece, 0, length);
    piece.fill(0xee);
    at += length;
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DownstreamEvents,
  defaultHttp1Limits,
  HeadFields,
  Http1DownstreamCodec,
  OutputBuffer,
  type RequestHead,
  type RequestSink,
  type ResponseEncoder,
  takeResponseHead,
} from '@weft/http-codec';
import { translateGrpcWebRequest } from './grpc-web-request.ts';
import { GrpcWebTextSink } from './request-sink.ts';
import { GrpcWebResponseEncoder } from './response-encoder.ts';

/** A gRPC server behind the translation: answers the body that it got, twice, then OK. */
class EchoStream implements RequestSink, DownstreamEvents {
  head: RequestHead | undefined = undefined;
  #encoder: ResponseEncoder | undefined = undefined;
  #body = Buffer.alloc(0);

  onRequest(head: RequestHead, encoder: ResponseEncoder, endStream: boolean): RequestSink {
    const translation = translateGrpcWebRequest(head, endStream);
    assert.ok(translation !== undefined);
    this.head = head;
    this.#encoder = new GrpcWebResponseEncoder(encoder, translation.responseText);
    return translation.requestText ? new GrpcWebTextSink(this, { onInvalidGrpcWebBody: () => assert.fail() }) : this;
  }

  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.#body = Buffer.concat([this.#body, bytes.subarray(start, end)]);
  }

  onBodyEnd(): void {
    const head = takeResponseHead();
    head.status = 200;
    head.add('content-type', 'application/grpc+proto');
    this.#encoder?.encodeHead(head, false);
    this.#encoder?.encodeData(this.#body, 0, this.#body.length);
    this.#encoder?.encodeData(this.#body, 0, this.#body.length);
    const trailers = new HeadFields();
    trailers.add('grpc-status', '0');
    this.#encoder?.encodeEnd(trailers);
  }

  onResponseWritable(): void {}
  onReset(): void {}
  onCodecError(detail: string): void {
    assert.fail(detail);
  }
  onReadPressure(): void {}
  onFinished(): void {}
}

function exchange(
  type: string,
  body: Buffer,
): { readonly stream: EchoStream; readonly head: string; readonly body: Buffer } {
  const stream = new EchoStream();
  const out = new OutputBuffer();
  const codec = new Http1DownstreamCodec(stream, out, defaultHttp1Limits, {
    acceptHttp10: false,
    allowAbsoluteUrl: true,
  });
  const request = Buffer.concat([
    Buffer.from(`POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
  ]);
  codec.receive(request, 0, request.length);
  const pieces: Buffer[] = [];
  out.flush((bytes, length) => pieces.push(Buffer.from(bytes.subarray(0, length))));
  const answer = Buffer.concat(pieces);
  const end = answer.indexOf('\r\n\r\n');
  const chunks: Buffer[] = [];
  for (let at = end + 4; ; ) {
    const line = answer.indexOf('\r\n', at);
    const size = Number.parseInt(answer.toString('latin1', at, line), 16);
    if (size === 0) {
      assert.equal(answer.toString('latin1', at), '0\r\n\r\n');
      break;
    }
    chunks.push(answer.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return { stream, head: answer.toString('latin1', 0, end), body: Buffer.concat(chunks) };
}

const message = Buffer.from('\0\0\0\0\x02hi', 'latin1');
const trailers = Buffer.from('\x80\0\0\0\x10grpc-status: 0\r\n', 'latin1');

test('a call over HTTP/1.1 in binary form', () => {
  const { stream, head, body } = exchange('application/grpc-web+proto', message);
  assert.equal(stream.head?.get('content-type'), 'application/grpc+proto');
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.match(head, /content-type: application\/grpc-web\+proto\r\n/);
  assert.deepEqual(body, Buffer.concat([message, message, trailers]));
});

test('a call over HTTP/1.1 in text form', () => {
  const { stream, head, body } = exchange('application/grpc-web-text', Buffer.from(message.toString('base64')));
  assert.equal(stream.head?.hasBody, true);
  assert.match(head, /content-type: application\/grpc-web-text\+proto\r\n/);
  const text = [message, message, trailers].map((piece) => piece.toString('base64')).join('');
  assert.equal(body.toString('latin1'), text);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CodecErrorDetail,
  HeadFields,
  RequestHead,
  type RequestSink,
  type ResponseEncoder,
  ResponseHead,
} from '@weft/http-codec';
import { Base64Decoder, encodeBase64 } from './base64-stream.ts';
import { translateGrpcWebRequest } from './grpc-web-request.ts';
import { parseGrpcWebType } from './media-type.ts';
import { GrpcWebTextSink } from './request-sink.ts';
import { GrpcWebResponseEncoder } from './response-encoder.ts';

function requestOf(fields: Readonly<Record<string, string>>, method = 'POST'): RequestHead {
  const head = new RequestHead();
  head.method = method;
  for (const [name, value] of Object.entries(fields)) {
    // Through the bytes of the head, as requests come.
    const line = Buffer.from(`${name}: ${value}\r\n`, 'latin1');
    const at = head.size;
    head.append(line, 0, line.length);
    const nameEnd = at + name.length;
    head.mark(at, nameEnd, nameEnd + 2, nameEnd + 2 + value.length, hashes(name), ids[name.toLowerCase()] ?? 0);
  }
  head.fieldsEnd = head.size;
  return head;
}

const ids: Readonly<Record<string, number>> = { 'content-type': 20, 'content-length': 2, te: 7 };

function hashes(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name.toLowerCase())) {
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  return hash;
}

describe('media types of gRPC-Web', () => {
  test('binary and text, with and without format and parameters', () => {
    assert.deepEqual(parseGrpcWebType('application/grpc-web'), { text: false, format: '' });
    assert.deepEqual(parseGrpcWebType('Application/gRPC-Web+Proto'), { text: false, format: '+proto' });
    assert.deepEqual(parseGrpcWebType('application/grpc-web-text'), { text: true, format: '' });
    assert.deepEqual(parseGrpcWebType('application/grpc-web-text+json; charset=x'), { text: true, format: '+json' });
    assert.deepEqual(parseGrpcWebType('application/grpc-web-text-base64'), { text: true, format: '' });
  });

  test('others are none', () => {
    for (const other of [
      'application/grpc',
      'application/grpc+proto',
      'application/grpc-webx',
      'application/json',
      '',
    ]) {
      assert.equal(parseGrpcWebType(other), undefined, other);
    }
  });
});

describe('a request', () => {
  test('becomes gRPC: media type, te', () => {
    const head = requestOf({ 'Content-Type': 'application/grpc-web+proto', 'x-grpc-web': '1', 'content-length': '7' });
    head.contentLength = 7;
    assert.deepEqual(translateGrpcWebRequest(head, false), { requestText: false, responseText: false });
    assert.equal(head.get('content-type'), 'application/grpc+proto');
    assert.equal(head.get('te'), 'trailers');
    assert.equal(head.contentLength, 7);
    assert.ok(head.teTrailers);
  });

  test('in text form has no length any more, but still a body', () => {
    const head = requestOf({ 'content-type': 'application/grpc-web-text', te: 'gzip', 'content-length': '8' });
    head.contentLength = 8;
    assert.deepEqual(translateGrpcWebRequest(head, false), { requestText: true, responseText: true });
    assert.equal(head.get('content-type'), 'application/grpc');
    assert.equal(head.get('te'), 'trailers');
    assert.equal(head.get('content-length'), undefined);
    assert.equal(head.contentLength, -1);
    assert.ok(head.hasBody);
  });

  test('gets the form of response that it accepts', () => {
    const formOf = (type: string, accept: string): boolean | undefined =>
      translateGrpcWebRequest(requestOf({ 'content-type': type, accept }), false)?.responseText;
    assert.equal(formOf('application/grpc-web', 'application/grpc-web-text'), true);
    assert.equal(formOf('application/grpc-web-text', 'application/grpc-web+proto'), false);
    assert.equal(formOf('application/grpc-web-text', '*/*'), true);
    assert.equal(formOf('application/grpc-web', '*/*'), false);
  });

  test('that is something else is left alone', () => {
    const grpc = requestOf({ 'content-type': 'application/grpc' });
    assert.equal(translateGrpcWebRequest(grpc, false), undefined);
    assert.equal(grpc.get('te'), undefined);
    assert.equal(
      translateGrpcWebRequest(requestOf({ 'content-type': 'application/grpc-web' }, 'OPTIONS'), true),
      undefined,
    );
    assert.equal(translateGrpcWebRequest(requestOf({}), false), undefined);
  });
});

class RecordingSink implements RequestSink {
  body = '';
  events: string[] = [];
  onBodyData(bytes: Buffer, start: number, end: number): void {
    this.body += bytes.toString('latin1', start, end);
  }
  onBodyEnd(trailers: HeadFields | undefined): void {
    this.events.push(trailers === undefined ? 'end' : 'trailers');
  }
  onResponseWritable(writable: boolean): void {
    this.events.push(`writable ${writable}`);
  }
  onReset(detail: CodecErrorDetail): void {
    this.events.push(detail);
  }
}

describe('a body in text form', () => {
  function sinkOf(): { readonly sink: GrpcWebTextSink; readonly behind: RecordingSink } {
    const behind = new RecordingSink();
    const sink = new GrpcWebTextSink(behind, { onInvalidGrpcWebBody: () => behind.events.push('invalid') });
    return { sink, behind };
  }

  test('is decoded wherever it is cut, with padding inside', () => {
    const message = Buffer.from('\0\0\0\0\x03abc', 'latin1');
    const text = `${message.toString('base64')}${message.toString('base64', 0, 7)}${message.toString('base64', 0, 6)}`;
    const expected = `\0\0\0\0\x03abc\0\0\0\0\x03ab\0\0\0\0\x03a`;
    for (let size = 1; size <= text.length; size += 1) {
      const { sink, behind } = sinkOf();
      const framed = Buffer.from(`##${text}##`, 'latin1');
      for (let at = 2; at < 2 + text.length; at += size) {
        sink.onBodyData(framed, at, Math.min(2 + text.length, at + size));
      }
      sink.onBodyEnd(undefined);
      assert.equal(behind.body, expected, `pieces of ${size}`);
      assert.deepEqual(behind.events, ['end']);
    }
  });

  test('all bytes come back', () => {
    const bytes = Buffer.from(Array.from({ length: 768 }, (_, index) => index & 255));
    for (let length = 0; length < 12; length += 1) {
      const text = encodeBase64(bytes, 5, 5 + 700 + length);
      const decoder = new Base64Decoder();
      assert.deepEqual(decoder.decode(text, 0, text.length), bytes.subarray(5, 705 + length));
      assert.ok(decoder.complete);
    }
  });

  test('that is no base64 is refused once, and then nothing comes any more', () => {
    for (const text of ['AAA*', 'A===', '=AAA', 'AA=A', 'AAAA\n', 'A-_A', '====']) {
      const { sink, behind } = sinkOf();
      const bytes = Buffer.from(text);
      sink.onBodyData(bytes, 0, bytes.length);
      sink.onBodyData(bytes, 0, bytes.length);
      sink.onBodyEnd(undefined);
      assert.deepEqual([behind.events, behind.body], [['invalid'], ''], text);
    }
  });

  test('that ends inside of a group is refused', () => {
    for (const text of ['A', 'AA', 'AAA', 'AA=', 'AAAAA']) {
      const { sink, behind } = sinkOf();
      const bytes = Buffer.from(text);
      sink.onBodyData(bytes, 0, bytes.length);
      sink.onBodyEnd(undefined);
      assert.deepEqual(behind.events, ['invalid'], text);
    }
  });

  test('the rest of the stream is passed on', () => {
    const { sink, behind } = sinkOf();
    sink.onResponseWritable(false);
    sink.onReset('http2.remote_reset');
    sink.onBodyEnd(undefined);
    assert.deepEqual(behind.events, ['writable false', 'http2.remote_reset']);
  });
});

class RecordingEncoder implements ResponseEncoder {
  body = Buffer.alloc(0);
  events: string[] = [];
  readonly keptBytes = 0;
  encodeInformational(head: ResponseHead): void {
    this.events.push(`informational ${head.status}`);
  }
  encodeHead(head: ResponseHead, endStream: boolean): void {
    const fields: string[] = [];
    head.forEach((name, value) => {
      fields.push(`${name}: ${value}`);
    });
    this.events.push(`head ${head.status} ${head.contentLength} ${fields.join(', ')}${endStream ? ' end' : ''}`);
  }
  encodeData(bytes: Buffer, start: number, end: number): void {
    this.body = Buffer.concat([this.body, bytes.subarray(start, end)]);
  }
  encodeEnd(trailers: HeadFields | undefined): void {
    this.events.push(trailers === undefined ? 'end' : 'end with trailers');
  }
  abort(): void {
    this.events.push('abort');
  }
  closeAfterResponse(): void {
    this.events.push('close');
  }
  pauseRequest(pause: boolean): void {
    this.events.push(`pause ${pause}`);
  }
}

describe('a response', () => {
  function headOf(fields: Readonly<Record<string, string>>, status = 200): ResponseHead {
    const head = new ResponseHead();
    head.status = status;
    for (const [name, value] of Object.entries(fields)) {
      head.add(name, value);
    }
    return head;
  }

  function trailersOf(fields: Readonly<Record<string, string>>): HeadFields {
    const trailers = new HeadFields();
    for (const [name, value] of Object.entries(fields)) {
      trailers.add(name, value);
    }
    return trailers;
  }

  const message = Buffer.from('\0\0\0\0\x02hi', 'latin1');

  test('of gRPC gets its trailers into the body', () => {
    const inner = new RecordingEncoder();
    const encoder = new GrpcWebResponseEncoder(inner, false);
    encoder.encodeHead(headOf({ 'content-type': 'application/grpc', trailer: 'grpc-status', date: 'd' }), false);
    encoder.encodeData(message, 0, message.length);
    encoder.encodeEnd(trailersOf({ 'Grpc-Status': '0', 'grpc-message': '' }));
    assert.deepEqual(inner.events, ['head 200 -1 date: d, content-type: application/grpc-web+proto', 'end']);
    const lines = 'grpc-status: 0\r\ngrpc-message: \r\n';
    assert.equal(
      inner.body.toString('latin1'),
      `${message.toString('latin1')}\x80\0\0\0${String.fromCharCode(lines.length)}${lines}`,
    );
  });

  test('in text form is padded piece by piece', () => {
    const inner = new RecordingEncoder();
    const encoder = new GrpcWebResponseEncoder(inner, true);
    encoder.encodeHead(headOf({ 'content-type': 'application/grpc+json; x=y' }), false);
    encoder.encodeData(message, 0, 3);
    encoder.encodeData(message, 3, message.length);
    encoder.encodeEnd(trailersOf({ 'grpc-status': '5' }));
    assert.deepEqual(inner.events, ['head 200 -1 content-type: application/grpc-web-text+json', 'end']);
    const decoder = new Base64Decoder();
    assert.equal(
      decoder.decode(inner.body, 0, inner.body.length)?.toString('latin1'),
      `${message.toString('latin1')}\x80\0\0\0\x10grpc-status: 5\r\n`,
    );
    assert.ok(decoder.complete);
  });

  test('that is its trailers only stays a head', () => {
    const inner = new RecordingEncoder();
    new GrpcWebResponseEncoder(inner, true).encodeHead(
      headOf({ 'content-type': 'application/grpc', 'grpc-status': '12' }),
      true,
    );
    assert.deepEqual(inner.events, ['head 200 -1 grpc-status: 12, content-type: application/grpc-web-text+proto end']);
  });

  test('with a length loses it; without trailers it just ends', () => {
    const inner = new RecordingEncoder();
    const encoder = new GrpcWebResponseEncoder(inner, false);
    const head = headOf({ 'content-type': 'application/grpc+proto', 'content-length': '7' });
    head.contentLength = 7;
    encoder.encodeHead(head, false);
    encoder.encodeData(message, 0, message.length);
    encoder.encodeEnd(undefined);
    assert.deepEqual(inner.events, ['head 200 -1 content-type: application/grpc-web+proto', 'end']);
    assert.deepEqual(inner.body, message);
  });

  test('that is not gRPC passes as it is', () => {
    const inner = new RecordingEncoder();
    const encoder = new GrpcWebResponseEncoder(inner, true);
    const head = headOf({ 'content-type': 'text/html', 'content-length': '5' }, 502);
    head.contentLength = 5;
    encoder.encodeHead(head, false);
    encoder.encodeData(Buffer.from('sorry'), 0, 5);
    encoder.encodeEnd(trailersOf({ x: 'y' }));
    assert.deepEqual(inner.events, ['head 502 5 content-type: text/html, content-length: 5', 'end with trailers']);
    assert.equal(inner.body.toString(), 'sorry');
  });

  test('all else is passed on', () => {
    const inner = new RecordingEncoder();
    const encoder = new GrpcWebResponseEncoder(inner, true);
    encoder.encodeInformational(headOf({}, 103));
    encoder.closeAfterResponse();
    encoder.pauseRequest(true);
    encoder.abort();
    assert.deepEqual(inner.events, ['informational 103', 'close', 'pause true', 'abort']);
  });
});

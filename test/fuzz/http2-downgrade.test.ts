import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  defaultHttp1Limits,
  Http1DownstreamCodec,
  Http1UpstreamCodec,
  OutputBuffer,
  type RequestHead,
  releaseRequestHead,
} from '@weft/http-codec';
import { seededRandom } from '@weft/testkit';
import { frame, settings, Type } from '../../packages/http-codec/test/hand-made-frames.ts';
import { block } from '../../packages/http-codec/test/hpack-blocks.ts';
import { GivenResponse, linesOf, requestHead, TestClient, taken } from '../../packages/http-codec/test/http2-peers.ts';
import { data, type Fields, headers, openServer } from '../../packages/http-codec/test/raw-frames.ts';
import { readRequests, readResponse } from '../conformance/http1/codec-feed.ts';

/**
 * What comes by HTTP/2 and goes out by HTTP/1.1 is one message there, the same one, whatever bytes its fields hold: nothing that an
 * attacker writes becomes a line, a second message or another framing.
 */

const seed = Number(process.env['WEFT_FUZZ_SEED'] ?? 20_260_103);
const cases = Number(process.env['WEFT_FUZZ_CASES'] ?? 4000);

const nasty = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ':',
  ' ',
  '\t',
  '\x7f',
  'é',
  'A',
  'a',
  '-',
  '_',
  '/',
  '#',
  '?',
  ',',
  ';',
  '0',
  '"',
  '@',
  '[',
  '\\',
];
const names = [
  'x-a',
  'content-length',
  'transfer-encoding',
  'connection',
  'host',
  'cookie',
  'expect',
  'te',
  'trailer',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
  'content_length',
  'x-weft-names',
];
const values = [
  'chunked',
  '5',
  '0',
  '05',
  '+5',
  '5, 5',
  'close',
  'a.test',
  'trailers',
  '100-continue',
  'a=b',
  'x\r\nhost: evil',
];

type Random = () => number;

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

function spoil(random: Random, text: string): string {
  if (random() < 0.95) {
    return text;
  }
  const at = Math.floor(random() * (text.length + 1));
  return text.slice(0, at) + pick(random, nasty) + text.slice(at);
}

function randomFields(random: Random): [string, string][] {
  return Array.from({ length: Math.floor(random() * 4) }, () => [
    spoil(random, random() < 0.5 ? 'x-b' : pick(random, names)),
    spoil(random, random() < 0.6 ? pick(random, values) : 'v'.repeat(Math.floor(random() * 20))),
  ]);
}

function shuffled(random: Random, pairs: readonly [string, string][]): [string, string][] {
  const all = [...pairs];
  if (random() < 0.05) {
    all.sort(() => random() - 0.5);
  }
  return all;
}

function randomRequest(random: Random): Fields {
  const pseudo: [string, string][] = [
    [':method', spoil(random, pick(random, ['GET', 'POST', 'OPTIONS', 'GET', 'POST', 'CONNECT', 'PRI', 'get']))],
    [':scheme', spoil(random, pick(random, ['http', 'http', 'https']))],
    [':path', spoil(random, pick(random, ['/', '/', '/', '/a?b=c', '/a?b=c', '//x', '*', 'http://b.test/', '']))],
    [':authority', spoil(random, pick(random, ['a.test', 'a.test', 'a.test:80', '[::1]:80', '', 'b.test, c.test']))],
  ];
  return shuffled(random, [...pseudo.filter(() => random() > 0.02), ...randomFields(random)]);
}

/** Sends an accepted request on by HTTP/1.1, as a proxy without filters would. */
function forward(head: RequestHead, body: readonly Buffer[], bodyless: boolean): Buffer {
  const out = new OutputBuffer();
  const codec = new Http1UpstreamCodec(
    { onReadPressure() {}, onStreamsAvailable() {}, onDraining() {}, onFinished() {} },
    out,
    defaultHttp1Limits,
  );
  const encoder = codec.open(new GivenResponse());
  encoder.encodeRequest(head, bodyless);
  if (!bodyless) {
    for (const piece of body) {
      encoder.encodeData(piece, 0, piece.length);
    }
    encoder.encodeEnd(undefined);
  }
  return taken(out);
}

describe('HTTP/2 to HTTP/1.1', () => {
  test(`requests: one is one, and the same (seed ${seed}, ${cases} cases)`, () => {
    const random = seededRandom(seed);
    let accepted = 0;
    for (let index = 0; index < cases; index += 1) {
      const fields = randomRequest(random);
      const body = random() < 0.5 ? [Buffer.from('hello')] : [];
      const server = openServer();
      server.receive(headers(1, fields, body.length === 0 ? 5 : 4));
      for (const piece of body) {
        server.receive(data(1, piece, 1));
      }
      const [request] = server.requests;
      if (request === undefined || request.resetBy !== undefined) {
        continue;
      }
      accepted += 1;
      const { head } = request;
      const before = linesOf(head).filter((line) => !/^(x-weft-names|http2-settings):/i.test(line));
      const { method, path } = head;
      const bytes = forward(head, request.chunks, request.endedWithHead);
      const text = JSON.stringify(bytes.toString('latin1'));
      const { messages, error } = readRequests([bytes]);
      assert.equal(error, undefined, text);
      assert.equal(messages.length, 1, text);
      const [message] = messages;
      assert.equal(message?.complete, true, text);
      assert.equal(message?.start, `${method} ${path}`, text);
      assert.equal(message?.body, method === 'CONNECT' ? '' : request.body, text);
      // Without a body, methods that may have one say so (RFC 9110 §8.6), as HTTP/2 had no need to.
      const said = before.some((line) => /^content-length:/i.test(line)) ? '' : 'content-length: 0';
      assert.deepEqual(
        message?.fields.filter((line) => line !== 'transfer-encoding: chunked' && line !== said),
        before.filter((line) => line !== 'transfer-encoding: chunked'),
        text,
      );
      assert.equal(message?.fields.filter((line) => /^host:/i.test(line)).length, 1, text);
    }
    assert.ok(accepted > cases / 10 && accepted < (cases * 9) / 10, `${accepted} of ${cases}: the grammar is off`);
  });

  test(`responses: one is one, and the same (seed ${seed}, ${cases} cases)`, () => {
    const random = seededRandom(seed + 1);
    let accepted = 0;
    for (let index = 0; index < cases; index += 1) {
      const client = new TestClient();
      client.receive(settings());
      const { response } = client.request(requestHead('GET', '/'));
      const fields = shuffled(random, [
        [':status', spoil(random, pick(random, ['200', '404', '204', '304', '0200', '99']))],
        ...randomFields(random),
      ]);
      const body = random() < 0.5 ? Buffer.from('hello') : undefined;
      client.receive(frame(Type.headers, body === undefined ? 5 : 4, 1, block(fields)));
      if (body !== undefined) {
        client.receive(data(1, body, 1));
      }
      const { head } = response;
      if (head === undefined || response.error !== undefined) {
        continue;
      }
      accepted += 1;
      const out = new OutputBuffer();
      const codec = new Http1DownstreamCodec(
        {
          onRequest(request, encoder) {
            releaseRequestHead(request);
            encoder.encodeHead(head, body === undefined);
            if (body !== undefined) {
              encoder.encodeData(body, 0, body.length);
              encoder.encodeEnd(undefined);
            }
            return { onBodyData() {}, onBodyEnd() {}, onReset() {}, onResponseWritable() {} };
          },
          onCodecError: (detail) => assert.fail(detail),
          onReadPressure() {},
          onFinished() {},
        },
        out,
        defaultHttp1Limits,
        { acceptHttp10: false, allowAbsoluteUrl: true },
      );
      const { status } = head;
      const ask = Buffer.from('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
      codec.receive(ask, 0, ask.length);
      const bytes = taken(out);
      const text = JSON.stringify(bytes.toString('latin1'));
      const { messages, error } = readResponse([bytes]);
      assert.equal(error, undefined, text);
      assert.equal(messages.length, 1, text);
      assert.ok(messages[0]?.start.includes(String(status)), text);
      assert.equal(messages[0]?.complete, true, text);
      assert.equal(messages[0]?.body, status === 204 || status === 304 ? '' : (body?.toString() ?? ''), text);
    }
    assert.ok(accepted > cases / 10 && accepted < (cases * 9) / 10, `${accepted} of ${cases}: the grammar is off`);
  });
});

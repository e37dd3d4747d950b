import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noHeaders } from '@weft/http-codec';
import { StreamInfo } from '../stream-info.ts';
import { compileFormat, DEFAULT_FORMAT, type Format } from './format.ts';
import { type LogLine, MAX_KEPT_LINE } from './log-line.ts';

function format(text: string): Format {
  const compiled = compileFormat(text);
  assert.ok(typeof compiled !== 'string', String(compiled));
  return compiled;
}

function textOf(line: LogLine<StreamInfo>, info: StreamInfo): string {
  line.render(info);
  return line.bytes.toString('utf8', 0, line.length);
}

/** Numbers from 0 up to but not including 1, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('a line over the line before it has the same bytes as one that is put together anew', () => {
  const random = seeded(7);
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const compiled = format(
    `${DEFAULT_FORMAT.trimEnd()} é%UPSTREAM_LOCAL_ADDRESS% %ROUTE_NAME%%RESPONSE_CODE_DETAILS%%REQ(USER-AGENT):5%\n`,
  );
  const line = compiled.httpLine();
  const info = new StreamInfo();
  const words = ['', '-', 'a', 'bc', 'via_upstream', 'a"b\\', 'line\r\nbreak', 'é\u0085', '\u2028😀', 'x'.repeat(300)];
  for (let round = 0; round < 5000; round += 1) {
    if (random() < 0.5) {
      info.path = pick(...words, pick('y', '\u00ff').repeat(pick(1300, MAX_KEPT_LINE - 200, MAX_KEPT_LINE, 9000)));
    }
    if (random() < 0.5) {
      info.responseCode = pick(0, 7, 200, 503, 1e9, 2 ** 31, 1e21);
      info.bytesReceived = pick(0, 9, 10, 99, 100, 12345678901, Number.NaN, -1);
    }
    if (random() < 0.5) {
      info.routeName = pick(...words);
      info.upstreamLocalAddress = pick('127.0.0.1:1', '127.0.0.1:65535', '');
      info.responseCodeDetails = pick('via upstream', '', 'no');
      info.endMs = pick(1000, 1009.6, 123456);
      info.startMs = 1000;
    }
    const userAgent = pick(...words, undefined);
    info.requestHeaders = {
      ...noHeaders,
      get: (name) => (name === 'user-agent' ? userAgent : undefined),
    };
    assert.equal(textOf(line, info), compiled.http(info));
  }
});

test('lines that just fit, and those that do not, are whole', () => {
  const compiled = format('%REQ(:PATH)% %ROUTE_NAME% end\n');
  const line = compiled.httpLine();
  const info = new StreamInfo();
  for (let length = MAX_KEPT_LINE - 20; length < MAX_KEPT_LINE + 20; length += 1) {
    for (const route of ['', 'r', '"']) {
      info.path = 'p'.repeat(length);
      info.routeName = route;
      assert.equal(textOf(line, info), compiled.http(info));
      info.path = 'short';
      assert.equal(textOf(line, info), compiled.http(info));
    }
  }
});

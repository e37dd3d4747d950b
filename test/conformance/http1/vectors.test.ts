import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { okResponse, RawClient } from '../../../packages/proxy/test/support/raw-peer.ts';
import { pieces, type Reading, readRequests, readResponse } from './codec-feed.ts';
import { conformanceFolder, skipWithout } from './conformance-data.ts';
import { type ProxyUnderTest, startProxyUnderTest } from './proxy-under-test.ts';

/** One row of `http1-vectors` (see its README). */
interface Vector {
  readonly index: number;
  readonly file: string;
  readonly name: string;
  readonly raw: string;
  readonly expect: 'accept' | 'error';
  readonly mode: 'strict' | 'lenient';
  readonly messagesComplete: number;
  readonly headersComplete: number;
  readonly incomplete?: boolean;
  readonly eof?: boolean;
  readonly eofResult?: 'complete' | 'complete-at-eof' | 'truncated';
  readonly upgrade?: boolean;
  readonly hostMissing?: boolean;
  readonly strictMayRefuse?: string;
  readonly note?: string;
}

/** Rows with `accept` that we refuse as a strict proxy may, by number, each with our reason. One that passes fails the run. */
const refusedRequests: Readonly<Record<number, string>> = {
  80: 'the asterisk-form is for OPTIONS only (RFC 9112 §3.2.4)',
  88: 'RTSP is not HTTP',
  90: 'the HTTP/2 preface on an HTTP/1.1 connection',
  144: 'a transfer coding before chunked',
  162: 'a fragment in the target',
  164: 'userinfo in the target',
};
/** Errors that show only when the head is complete, as fields are weighed together; these rows end before that. */
const refusedAtEnd = new Set([24]);
/** Rows whose source runs the parser with bodies skipped, which a proxy never does with requests. */
const notForProxies = new Set([36]);
const refusedResponses: Readonly<Record<number, string>> = {};

const folder = conformanceFolder('http1-vectors');

function load(file: string): Vector[] {
  return folder === undefined ? [] : (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector[]);
}

/** A row binds us unless it is an `accept` that needs a leniency. */
function binding(vector: Vector): boolean {
  return vector.mode === 'strict' || vector.expect === 'error';
}

function withHost(vector: Vector): string {
  if (vector.hostMissing !== true) {
    return vector.raw;
  }
  const blank = /^(?:\r\n)*/.exec(vector.raw)?.[0].length ?? 0;
  const end = vector.raw.indexOf('\r\n', blank);
  return end < 0 ? vector.raw : `${vector.raw.slice(0, end + 2)}Host: a\r\n${vector.raw.slice(end + 2)}`;
}

/** Whole, byte by byte, and in two pieces at every position. */
function* ways(bytes: Buffer): Generator<{ readonly label: string; readonly parts: Buffer[] }> {
  yield { label: 'whole', parts: [bytes] };
  yield {
    label: 'byte by byte',
    parts: pieces(
      bytes,
      Array.from({ length: bytes.length - 1 }, (_, index) => index + 1),
    ),
  };
  for (let cut = 1; cut < bytes.length; cut += 1) {
    yield { label: `cut at ${cut}`, parts: pieces(bytes, [cut]) };
  }
}

function inEveryWay(bytes: Buffer, read: (parts: readonly Buffer[]) => Reading): Reading {
  let first: Reading | undefined;
  for (const { label, parts } of ways(bytes)) {
    const reading = read(parts);
    first ??= reading;
    assert.deepEqual(reading, first, label);
  }
  return first as Reading;
}

const complete = (reading: Reading): number => reading.messages.filter((message) => message.complete).length;

describe('http1-vectors, request codec', { skip: skipWithout(folder) }, () => {
  const rows = load('requests.json').filter(binding);
  for (const vector of rows) {
    test(`request ${vector.index} ${vector.expect}: ${vector.file} ${vector.name}`, () => {
      const bytes = Buffer.from(withHost(vector), 'latin1');
      const reading = inEveryWay(bytes, (parts) => readRequests(parts, refusedAtEnd.has(vector.index)));
      const refused = reading.error !== undefined;
      if (vector.expect === 'error') {
        assert.ok(refused || reading.finished, `read as ${JSON.stringify(reading)}`);
        assert.ok(complete(reading) <= vector.messagesComplete);
        return;
      }
      const reason = refusedRequests[vector.index];
      assert.equal(refused, reason !== undefined, `${reading.error ?? 'accepted'}; listed: ${reason ?? 'no'}`);
      if (!refused && vector.upgrade !== true && !notForProxies.has(vector.index)) {
        assert.equal(complete(reading), vector.messagesComplete, JSON.stringify(reading));
      }
    });
  }

  test('every binding row was looked at', () => {
    assert.equal(rows.length, 41 + 25 + 3);
  });
});

describe('http1-vectors, response codec', { skip: skipWithout(folder) }, () => {
  const rows = load('responses.json').filter(binding);
  for (const vector of rows) {
    test(`response ${vector.index} ${vector.expect}: ${vector.file} ${vector.name}`, () => {
      const bytes = Buffer.from(vector.raw, 'latin1');
      const upgrade = vector.upgrade === true ? 'h2c' : '';
      const atEnd = vector.eof === true || vector.incomplete === true;
      const reading = inEveryWay(bytes, (parts) => readResponse(parts, false, 'GET', upgrade));
      if (vector.expect === 'error') {
        assert.ok(reading.error !== undefined, `read as ${JSON.stringify(reading)}`);
        return;
      }
      const reason = refusedResponses[vector.index];
      const mayRefuse = vector.strictMayRefuse !== undefined && reading.error !== undefined;
      if (!mayRefuse) {
        assert.equal(reading.error, reason === undefined ? undefined : reading.error, JSON.stringify(reading));
        const [first] = reading.messages;
        assert.ok(first !== undefined || vector.headersComplete === 0);
      }
      if (atEnd && vector.eofResult !== undefined) {
        const ended = readResponse([bytes], true, 'GET', upgrade);
        assert.equal(ended.error === undefined, vector.eofResult !== 'truncated', JSON.stringify(ended));
      }
    });
  }

  test('every binding row was looked at', () => {
    assert.equal(rows.length, 27 + 11);
  });
});

describe('http1-vectors through the proxy', { skip: skipWithout(folder) }, () => {
  let under: ProxyUnderTest;
  before(async () => {
    // The origin answers each request when its first bytes come; what it received is compared.
    under = await startProxyUnderTest((connection) => {
      if (connection.received.includes('\r\n\r\n') && !('done' in connection)) {
        Object.assign(connection, { done: true });
        connection.socket.write(okResponse);
      }
    });
  });
  after(() => under.close());

  for (const vector of load('requests.json').filter((row) => row.expect === 'error')) {
    test(`request ${vector.index} is refused: ${vector.file} ${vector.name}`, async () => {
      const first = under.origin.connections.length;
      for (const connection of under.origin.connections) {
        connection.socket.destroy();
      }
      const client = await RawClient.connect(under.port);
      client.send(withHost(vector));
      // Rows that end inside a message are complete for the verdict only when the client ends.
      client.socket.end();
      await client.untilEnd();
      const answers = client.text
        .split('HTTP/1.1 ')
        .slice(1)
        .map((answer) => Number(answer.slice(0, 3)));
      const last = answers.at(-1) ?? 0;
      const closedAfterGood = answers.length === vector.messagesComplete && vector.messagesComplete > 0;
      assert.ok(closedAfterGood || (last >= 400 && last < 600), `answers ${answers.join(' ')}`);
      const received = under.origin.connections
        .slice(first)
        .map((connection) => connection.received.toString('latin1'))
        .join('');
      assert.ok(
        (received.match(/HTTP\/1\.1\r\n/g) ?? []).length <= Math.max(vector.headersComplete, vector.messagesComplete),
      );
      client.close();
    });
  }
});

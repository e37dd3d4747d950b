import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { answering, okResponse, RawClient } from '../../../packages/proxy/test/support/raw-peer.ts';
import { conformanceFolder, skipWithout } from './conformance-data.ts';
import { type ProxyUnderTest, startProxyUnderTest } from './proxy-under-test.ts';

/** One description of `http1-desync` (see its README). */
interface DesyncCase {
  readonly name: string;
  readonly uri: string;
  readonly method: string;
  readonly version: string;
  readonly headers?: readonly { readonly name: string; readonly value: string | number }[];
  readonly expected: { readonly tier: 'Compliant' | 'Acceptable' | 'Ambiguous' | 'Severe' };
}

/** Compliant cases that a strict proxy may refuse (README), with our reason. */
const refusedCompliant: Readonly<Record<string, string>> = {
  'Correct TE OK': 'a transfer coding before chunked: we do not decode it',
  'Transfer-Encoding: identity and chunked OK': 'identity is no registered coding any more (RFC 9112 §7)',
  'Multiple transfer encoding headers in a single request OK': 'a transfer coding before chunked',
  'Different Transfer-Encoding headers': 'a transfer coding before chunked',
  'Different Transfer-Encoding headers combined': 'a transfer coding before chunked',
  'TE with custom parameters OK': 'parameters on chunked are not defined',
  'Transfer-Encoding with a param: chunked;custom_param': 'parameters on chunked are not defined',
  'Compliant URL': 'a fragment in the target (RFC 9112 §3.2)',
  'Empty URI': 'a request target is never empty (RFC 9112 §3.2)',
};

const folder = conformanceFolder('http1-desync');

function unescapeUri(uri: string): string {
  return uri.replaceAll('\\t', '\t').replaceAll('\\"', '"');
}

function bytesOf(text: string): Buffer {
  return [...text].every((character) => character.charCodeAt(0) <= 0xff && character.length === 1)
    ? Buffer.from(text, 'latin1')
    : Buffer.from(text, 'utf8');
}

function requestBytes(entry: DesyncCase): Buffer {
  const uri = bytesOf(unescapeUri(entry.uri));
  const lines: Buffer[] = [bytesOf(`${entry.method} `), uri];
  lines.push(bytesOf(entry.version === '' ? '\r\n' : ` ${entry.version}\r\n`));
  const headers = entry.headers ?? [];
  if (!headers.some(({ name }) => name.toLowerCase() === 'host')) {
    lines.push(Buffer.from('Host: a\r\n'));
  }
  for (const { name, value } of headers) {
    lines.push(bytesOf(name), Buffer.from(': '), bytesOf(String(value)), Buffer.from('\r\n'));
  }
  lines.push(Buffer.from('\r\n'));
  return Buffer.concat(lines);
}

/** What an origin may never see, whatever the client sent. */
function assertCanonical(received: string): void {
  const heads = received.split('\r\n\r\n').filter((part) => part !== '');
  assert.ok(heads.length <= 1, `the origin saw ${heads.length} requests: ${JSON.stringify(received)}`);
  for (const head of heads) {
    const [line = '', ...fields] = head.split('\r\n');
    assert.match(line, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.1$/);
    const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
    for (const field of fields) {
      assert.match(field, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/);
    }
    const lengths = names.filter((name) => name === 'content-length').length;
    const codings = names.filter((name) => name === 'transfer-encoding').length;
    assert.ok(lengths + codings <= 1, `two framings reached the origin: ${JSON.stringify(head)}`);
  }
}

describe('http1-desync', { skip: skipWithout(folder) }, () => {
  let under: ProxyUnderTest;
  let counts = { Compliant: 0, Acceptable: 0, Ambiguous: 0, Severe: 0 };

  before(async () => {
    under = await startProxyUnderTest(answering(okResponse));
    counts = { Compliant: 0, Acceptable: 0, Ambiguous: 0, Severe: 0 };
  });
  after(() => under.close());

  const cases = (folder === undefined ? [] : readdirSync(folder))
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) =>
      (parse(readFileSync(join(folder ?? '', file), 'utf8')) as DesyncCase[]).map((entry) => ({ file, entry })),
    );

  for (const { file, entry } of cases) {
    test(`${entry.expected.tier}: ${file}: ${entry.name}`, async () => {
      const seenBefore = under.origin.connections.reduce((sum, connection) => sum + connection.received.length, 0);
      for (const connection of under.origin.connections) {
        connection.socket.destroy();
      }
      const first = under.origin.connections.length;
      const client = await RawClient.connect(under.port);
      client.send(requestBytes(entry));
      await client.until((peer) => peer.ended || peer.received.includes('\r\n\r\n'));
      const status = Number(client.text.slice(9, 12));
      const refused = status === 400 || status === 501 || status === 505;
      if (refused) {
        await client.untilEnd();
        assert.equal(client.text.split('HTTP/1.1 ').length, 2, 'one answer, then the end');
      }
      client.close();
      const received = under.origin.connections
        .slice(first)
        .map((connection) => connection.received.toString('latin1'))
        .join('');
      const seen = under.origin.connections.reduce((sum, connection) => sum + connection.received.length, 0);
      if (refused) {
        assert.equal(seen, seenBefore, 'a refused request must not reach the origin');
      } else {
        assertCanonical(received);
      }
      const { tier } = entry.expected;
      counts[tier] += 1;
      if (tier === 'Severe') {
        assert.ok(refused, `answered ${status}`);
      } else if (tier === 'Compliant') {
        const excuse = refusedCompliant[entry.name];
        assert.equal(
          refused,
          excuse !== undefined,
          `answered ${status}${excuse === undefined ? '' : `, listed: ${excuse}`}`,
        );
        assert.ok(refused || status === 200);
      } else {
        assert.ok(refused || status === 200, `answered ${status}`);
      }
    });
  }

  test('every case of the folder was looked at', () => {
    assert.deepEqual(counts, { Compliant: 28, Acceptable: 15, Ambiguous: 57, Severe: 58 });
  });
});

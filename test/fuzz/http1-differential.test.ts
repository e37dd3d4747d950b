import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { readRequests } from '../conformance/http1/codec-feed.ts';
import { fuzz, mutateBytes } from './fuzz-run.ts';
import { randomRequest } from './http1-grammar.ts';

/**
 * The same bytes to our codec and to Node's own parser (llhttp, behind node:http on loopback): what we accept it reads alike, as many
 * requests, and of each the method, the target, the fields, the body and the trailers. That it refuses something that we let through
 * is harmless for framing, but listed.
 */
const stricterThere: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD: 'it knows a list of methods; we pass any token on',
  HPE_INVALID_CONSTANT: 'the same, seen at another byte',
  HPE_INVALID_URL: 'bytes above 0x7f in a target',
  HPE_CLOSED_CONNECTION: 'bytes behind a request that closes its connection: we ignore them',
  HPE_PAUSED_UPGRADE: 'it reads HTTP/2 in a PRI request',
  HPE_INVALID_CHUNK_SIZE:
    'it wants a token in a chunk extension; we skip extensions, which end at the line end for both',
};

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  readonly trailers: readonly string[];
  readonly body: string;
}

/**
 * What our codec does with fields on purpose: `Expect: 100-continue` is dealt with, an absolute target gives the host (RFC 9112 §3.2.2),
 * fields that `connection` names are not passed on (RFC 9110 §7.6.1), a length is written without zeros before it.
 */
function comparable(fields: readonly string[], isAbsolute: boolean): string[] {
  const lines = fields.map((line) => line.toLowerCase());
  const named = lines
    .filter((line) => line.startsWith('connection: '))
    .flatMap((line) => line.slice('connection: '.length).split(','))
    .map((name) => `${name.trim()}:`);
  return fields
    .filter((_, index) => {
      const line = lines[index] as string;
      const isNamed = named.some((name) => line.startsWith(name));
      return line !== 'expect: 100-continue' && !isNamed && !(isAbsolute && line.startsWith('host:'));
    })
    .map((line) => line.replace(/^(content-length: )0+(?=\d)/i, '$1'));
}

function pairs(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    lines.push(`${raw[index]}: ${raw[index + 1]}`);
  }
  return lines;
}

describe('HTTP/1.1 requests, our codec and llhttp', () => {
  /** In the order of their heads; a message that did not get to its end stays away. */
  const begun: (Seen | undefined)[] = [];
  let refusal: string | undefined;
  const note = (request: IncomingMessage, body: string, place: number): void => {
    begun[place] = {
      method: request.method ?? '',
      target: request.url ?? '',
      fields: pairs(request.rawHeaders),
      trailers: pairs(request.rawTrailers),
      body,
    };
  };
  const server = createServer({ maxHeaderSize: 1 << 20 }, (request: IncomingMessage, response) => {
    let body = '';
    const place = begun.push(undefined) - 1;
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      note(request, body, place);
      response.end();
    });
  });
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (request, socket) => {
    note(request, '', begun.length);
    socket.end();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    refusal ??= error.code;
    socket.destroy();
  });
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function readByNode(bytes: Buffer): Promise<void> {
    begun.length = 0;
    refusal = undefined;
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise<void>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.on('end', () => socket.destroy());
      socket.resume();
    });
  }

  async function compare(bytes: Buffer): Promise<string> {
    const ours = readRequests([bytes]);
    const complete = ours.messages.filter((message) => message.complete);
    if (complete.length === 0) {
      return 'not accepted here';
    }
    await readByNode(bytes);
    const seen = begun.filter((message) => message !== undefined);
    let label = 'read alike';
    if (seen.length < complete.length) {
      const code = refusal ?? 'none';
      assert.ok(code in stricterThere, `llhttp read ${seen.length} of our ${complete.length} messages: ${code}`);
      label = 'refused there';
    }
    // Where we refused or closed, more that llhttp reads is our strictness; messages that both read must be the same.
    for (const [at, theirs] of seen.entries()) {
      const message = complete[at];
      if (message === undefined) {
        assert.ok(ours.error !== undefined || ours.finished, 'llhttp sees another request');
        return 'refused here';
      }
      const [method = '', ...target] = message.start.split(' ');
      assert.equal(theirs.method, method);
      // Of an absolute target we keep the authority and the path.
      if (!theirs.target.includes('://') && method !== 'CONNECT') {
        assert.equal(theirs.target, target.join(' '));
      }
      const isAbsolute = theirs.target.includes('://');
      assert.deepEqual(comparable(theirs.fields, isAbsolute), comparable(message.fields, isAbsolute));
      if (method === 'CONNECT') {
        return 'a tunnel for both';
      }
      assert.equal(theirs.body, message.body);
      assert.deepEqual(theirs.trailers, message.trailers);
    }
    return label;
  }

  test('what we accept is read alike', async (t) => {
    const cases = await fuzz<Buffer>({
      corpus: 'http1-requests.txt',
      read: (line) => Buffer.from(String(JSON.parse(line.split('\t')[0] ?? '""')), 'latin1'),
      write: (bytes) => JSON.stringify(bytes.toString('latin1')),
      make: (random, known) => {
        const bytes = randomRequest(random);
        return random() < 0.7 ? bytes : mutateBytes(random, bytes, known, 2);
      },
      check: compare,
      expected: { 'read alike': 0.3 },
    });
    t.diagnostic(`${cases} cases`);
  });
});

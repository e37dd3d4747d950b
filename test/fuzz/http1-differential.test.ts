import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { readRequests } from '../conformance/http1/codec-feed.ts';
import { randomRequest } from './http1-grammar.ts';

/**
 * The same bytes to our codec and to Node's own parser (llhttp, behind node:http on loopback): what we accept it reads
 * alike, message by message. That it refuses something that we let through is harmless for framing, but listed.
 */
const seed = Number(process.env['WEFT_FUZZ_SEED'] ?? 20_260_102);
const cases = Number(process.env['WEFT_FUZZ_CASES'] ?? 1500);

/** Reasons for which Node refuses what we pass on. */
const stricterThere: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD: 'it knows a list of methods; we pass any token on',
  HPE_INVALID_CONSTANT: 'the same, seen at another byte',
  HPE_INVALID_URL: 'bytes above 0x7f in a target',
  HPE_CLOSED_CONNECTION: 'bytes behind a request that closes its connection: we ignore them',
};

interface Seen {
  readonly start: string;
  readonly fields: readonly string[];
  readonly body: string;
}

describe('HTTP/1.1 requests, our codec and llhttp', () => {
  const seen: Seen[] = [];
  let refusal: string | undefined;
  const server = createServer({ maxHeaderSize: 1 << 20 }, (request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const fields: string[] = [];
      for (let index = 0; index < request.rawHeaders.length; index += 2) {
        fields.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}`);
      }
      seen.push({ start: `${request.method} ${request.url}`, fields, body });
      response.end();
    });
  });
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
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
    seen.length = 0;
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

  test(`what we accept is read alike (seed ${seed}, ${cases} cases)`, async () => {
    const random = seededRandom(seed);
    const refusedThere = new Map<string, number>();
    let compared = 0;
    for (let index = 0; index < cases; index += 1) {
      const bytes = randomRequest(random);
      const ours = readRequests([bytes]);
      const complete = ours.messages.filter((message) => message.complete);
      if (complete.length === 0) {
        continue;
      }
      await readByNode(bytes);
      const label = `case ${index}: ${JSON.stringify(bytes.toString('latin1'))}`;
      if (seen.length < complete.length) {
        const code = refusal ?? 'none';
        assert.ok(
          code in stricterThere,
          `${label}: llhttp read ${seen.length} of our ${complete.length} messages: ${code}`,
        );
        refusedThere.set(code, (refusedThere.get(code) ?? 0) + 1);
      }
      // Where we refused or closed, more that llhttp reads is our strictness; messages that both read must be the same.
      for (const [at, theirs] of seen.entries()) {
        const message = complete[at];
        if (message === undefined) {
          assert.ok(ours.error !== undefined || ours.finished, `${label}: llhttp sees another request`);
          break;
        }
        compared += 1;
        assert.equal(theirs.body, message.body, label);
        const [method] = message.start.split(' ');
        assert.equal(theirs.start.split(' ')[0], method, label);
        if (!theirs.start.includes('://')) {
          assert.equal(theirs.start, message.start, label);
        }
      }
    }
    assert.ok(compared > cases / 3, `${compared} messages compared`);
  });
});

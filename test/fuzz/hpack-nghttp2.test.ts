import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { ciFactor } from './fuzz-run.ts';
import { FieldSource, type Pair, pick, randomValue } from './hpack-grammar.ts';
import { HpackPeer } from './hpack-peer.ts';

/**
 * Our HPACK against nghttp2's, through Node's client and one long connection: what it encodes we decode to the fields that were sent, and
 * what we encode it decodes to the same, while both tables grow, overflow and change their size.
 */
const seed = Number(process.env['WEFT_FUZZ_SEED'] ?? 20_260_103);
const cases = Number(process.env['WEFT_FUZZ_CASES'] ?? 3000 * ciFactor);

interface Answer {
  readonly head: readonly string[];
  readonly trailers: readonly string[];
}

/** Pairs as `name: value`, as Node's raw list of names and values. */
function linesOfRaw(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    lines.push(`${raw[index]}: ${raw[index + 1]}`);
  }
  return lines;
}

function lines(pairs: readonly Pair[]): string[] {
  return pairs.map(([name, value]) => `${name}: ${value}`);
}

/** Several values of one name as Node wants them: one array, in the place of the first. */
function byName(pairs: readonly Pair[]): [Record<string, string[]>, Pair[]] {
  const values: Record<string, string[]> = {};
  for (const [name, value] of pairs) {
    values[name] = [...(values[name] ?? []), value];
  }
  return [values, Object.entries(values).flatMap(([name, list]) => list.map((value) => [name, value] as const))];
}

describe('HPACK, ours and that of nghttp2', () => {
  const peer = new HpackPeer();
  let client: ClientHttp2Session;
  before(async () => {
    const port = await peer.listen();
    client = connect(`http://127.0.0.1:${port}`, { settings: { headerTableSize: 4096 } });
    client.on('error', () => {});
  });
  after(() => {
    client.destroy();
    peer.close();
  });

  function exchange(
    path: string,
    method: string,
    fields: Record<string, string[]>,
    secret: readonly string[],
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stream = client.request(
        { ':method': method, ':path': path, ':authority': 'a.test', ...fields, [sensitiveHeaders]: [...secret] },
        { endStream: true },
      );
      let head: string[] = [];
      let trailers: string[] = [];
      stream.on('response', (_headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        head = linesOfRaw(raw);
      });
      stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
        trailers = linesOfRaw(raw);
      });
      stream.on('error', reject);
      stream.on('close', () => {
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR) {
          resolve({ head, trailers });
        } else {
          reject(new Error(`reset ${stream.rstCode}`));
        }
      });
      stream.resume();
    });
  }

  test(`heads and trailers come through alike (seed ${seed}, ${cases} cases)`, async () => {
    const random = seededRandom(seed);
    const requests = new FieldSource(random);
    const responses = new FieldSource(random);
    for (let index = 0; index < cases; index += 1) {
      if (random() < 0.01) {
        peer.announceTable(pick(random, [0, 64, 500, 4096, 20_000]));
      }
      if (random() < 0.01) {
        const headerTableSize = pick(random, [0, 64, 500, 4096, 20_000]);
        await new Promise<void>((resolve) => client.settings({ headerTableSize }, () => resolve()));
      }
      const [fields, sent] = byName(requests.pairs());
      const secret = sent.filter(() => random() < 0.1).map(([name]) => name);
      const path = pick(random, ['/', '/index.html', '/some/path', `/${index}`]);
      const method = pick(random, ['GET', 'POST', 'REPORT']);
      const answered = responses.pairs().filter(([, value]) => value !== '');
      const trailers =
        random() < 0.3 ? [['grpc-status', '0'] as const, ['x-t', randomValue(random)] as const] : undefined;
      peer.answer = { status: pick(random, [200, 302, 404, 599]), fields: answered, trailers };
      const label = `case ${index}`;
      const answer = await exchange(path, method, fields, secret);

      const request = peer.lastRequest;
      assert.equal(request?.result, 'ok', label);
      const { pseudo, fields: received } = request;
      assert.deepEqual(
        { ...pseudo },
        { method, path, scheme: 'http', authority: 'a.test', protocol: undefined, status: 0 },
        label,
      );
      const read: string[] = [];
      received.forEach((name, value) => {
        read.push(`${name}: ${value}`);
      });
      assert.deepEqual(read, ['host: a.test', ...lines(sent)], label);
      for (let line = 0; line < received.count; line += 1) {
        assert.equal(
          received.isNeverIndexed(line),
          secret.includes(received.nameAt(line)),
          `${label}: ${received.nameAt(line)}`,
        );
      }
      assert.deepEqual(answer.head, [`:status: ${peer.answer.status}`, ...lines(answered)], label);
      assert.deepEqual(answer.trailers, lines(trailers ?? []), label);
    }
  });

  test('both sides make a repeated head short', async () => {
    peer.announceTable(4096);
    peer.answer = { status: 200, fields: [['content-type', 'application/grpc']], trailers: undefined };
    for (let time = 0; time < 3; time += 1) {
      await exchange('/', 'GET', { 'x-same': ['value'] }, []);
    }
    assert.ok(peer.lastBlockBytes < 12, `${peer.lastBlockBytes}`);
  });
});

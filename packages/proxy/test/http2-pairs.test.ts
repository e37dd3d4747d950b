import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { after, before, describe, type TestContext, test } from 'node:test';
import { retryPolicy } from './support/configs.ts';
import { cutOff, HttpClient, Origin, received, type Version } from './support/http-peers.ts';
import { SidecarPair, startProxy } from './support/http-route.ts';
import type { ProxyHarness } from './support/proxy-harness.ts';
import { TestCa } from './support/test-ca.ts';

/** Each protocol to each: through one proxy, and through two sidecars with what ALPN agrees on between them. */

interface Way {
  readonly name: string;
  readonly down: Version;
  readonly up: Version;
  /** ALPN names between two sidecars; undefined: one proxy. */
  readonly alpn?: readonly string[];
}

const ways: Way[] = [];
for (const down of ['http1', 'http2'] as const) {
  for (const up of ['http1', 'http2'] as const) {
    ways.push({ name: `${down} to ${up}`, down, up });
    for (const alpn of ['h2', 'weft-h2', 'http/1.1']) {
      ways.push({ name: `${down} by ${alpn} over TLS to ${up}`, down, up, alpn: [alpn] });
    }
  }
}

const digest = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');
const mebibyte = 1024 * 1024;
const big = randomBytes(2 * mebibyte);

for (const way of ways) {
  describe(way.name, () => {
    let ca: TestCa;
    before(async () => {
      ca = await TestCa.create();
    });
    after(() => ca.close());

    async function open(
      t: TestContext,
      handle: Parameters<typeof Origin.start>[2],
      timeoutMs = 10_000,
    ): Promise<{ client: HttpClient; origin: Origin; first: ProxyHarness }> {
      const origin = await Origin.start(t, way.up, handle);
      const options = { upstream: way.up, originPorts: [origin.port], forward: { timeoutMs } };
      const first =
        way.alpn === undefined
          ? await startProxy(t, options)
          : (await SidecarPair.start(t, ca, way.alpn, options)).client;
      return { client: new HttpClient(t, way.down, first.port()), origin, first };
    }

    test('fields, cookies and a path arrive, HEAD and 204 and 304 have no body', async (t) => {
      const { client, first } = await open(t, async (request, response) => {
        const { method, url, authority, headers } = await received(request);
        if (url === '/204' || url === '/304') {
          response.writeHead(Number(url.slice(1)));
          response.end();
          return;
        }
        response.setHeader('x-two', ['1', '2']);
        response.setHeader('set-cookie', ['a=1', 'b=2']);
        const text = JSON.stringify([method, url, authority, headers['x-one'], headers.cookie, headers.te ?? '']);
        response.setHeader('content-length', String(text.length));
        response.end(method === 'HEAD' ? undefined : text);
      });
      const answer = await client.ask({
        path: '/a/b?c=d',
        headers: { 'x-one': 'first', cookie: way.down === 'http2' ? ['k=v', 'l=w'] : 'k=v; l=w', te: 'trailers' },
      });
      assert.deepEqual(JSON.parse(answer.body.toString()), [
        'GET',
        '/a/b?c=d',
        'a.test',
        'first',
        'k=v; l=w',
        'trailers',
      ]);
      assert.equal(answer.headers['x-two'], '1, 2');
      assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
      const head = await client.ask({ method: 'HEAD', path: '/x' });
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      assert.ok(Number(head.headers['content-length']) > 10);
      for (const status of [204, 304]) {
        const empty = await client.ask({ path: `/${status}` });
        assert.equal(empty.status, status);
        assert.equal(empty.body.length, 0);
      }
      assert.equal((await first.ended(4)).flags, '-');
    });

    test('bodies of known and unknown length and trailers go both ways', async (t) => {
      const { client } = await open(t, async (request, response) => {
        const { body, trailers, headers } = await received(request);
        response.setHeader('trailer', 'x-sum, x-seen');
        response.setHeader('x-length', headers['content-length'] ?? 'unknown');
        response.write(body);
        response.addTrailers({ 'x-sum': digest(body), 'x-seen': String(trailers['x-mark'] ?? '') });
        response.end();
      });
      const answer = await client.ask({ method: 'POST', body: big, trailers: { 'x-mark': 'here' } });
      assert.equal(answer.status, 200);
      assert.equal(digest(answer.body), digest(big));
      assert.equal(answer.trailers['x-sum'], digest(big));
      assert.equal(answer.trailers['x-seen'], 'here');
      const short = await client.ask({ method: 'PUT', body: Buffer.from('abc'), headers: { 'content-length': '3' } });
      assert.equal(short.body.toString(), 'abc');
      assert.equal(short.headers['x-length'], '3');
    });

    test('100 requests at once, in 10 rounds', async (t) => {
      const { client, origin, first } = await open(t, async (request, response) => {
        const { url, body } = await received(request);
        response.end(`${url}:${body.length}`);
      });
      for (let round = 0; round < 10; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            client.ask({ method: 'POST', path: `/${round}/${index}`, body: Buffer.alloc(index * 10) }),
          ),
        );
        for (const [index, answer] of answers.entries()) {
          assert.equal(answer.body.toString(), `/${round}/${index}:${index * 10}`);
        }
      }
      await first.ended(1000);
      if (way.up === 'http2') {
        assert.ok(origin.connections <= 2, `${origin.connections} connections`);
      }
    });

    test('a client that gives up ends the request everywhere', async (t) => {
      let closed = (): void => {};
      const originSawEnd = new Promise<void>((resolve) => {
        closed = resolve;
      });
      const { client, first } = await open(t, (_request, response) => {
        // Over HTTP/1.1 a client that closes looks like one that half-closes, until it is written to.
        const writer = setInterval(() => response.write('more'), 5);
        response.on('close', () => {
          clearInterval(writer);
          closed();
        });
      });
      const exchange = client.begin();
      await exchange.firstBytes;
      exchange.reset();
      await originSawEnd;
      const seen = await first.ended();
      assert.equal(seen.flags, way.down === 'http2' ? 'DR' : 'DC');
      assert.equal(seen.details, way.down === 'http2' ? 'http2.remote_reset' : 'downstream_remote_disconnect');
    });

    test('an origin that breaks off before and within its answer', async (t) => {
      const { client, first } = await open(t, (request, response) => {
        if (request.url === '/before') {
          cutOff(response);
        } else {
          response.write('half of it');
          setTimeout(() => cutOff(response), 20);
        }
      });
      const before = await client.ask({ method: 'POST', path: '/before' });
      assert.equal(before.status, 503);
      await assert.rejects(client.ask({ path: '/within' }));
      const seen = await first.ended(2);
      assert.match(seen.details, /^upstream_reset_after_response_started\{/);
    });

    test('an answer that does not come in time', async (t) => {
      const { client, first } = await open(t, () => {}, 100);
      const answer = await client.ask();
      assert.equal(answer.status, 504);
      const seen = await first.ended();
      assert.equal(seen.flags, way.alpn === undefined ? 'UT' : seen.flags);
    });

    if (way.down === 'http1') {
      return;
    }

    test('a slow reader holds up its own answer and no other', async (t) => {
      const total = 32 * mebibyte;
      let written = 0;
      const piece = Buffer.alloc(256 * 1024, 'y');
      const { client } = await open(t, (request, response) => {
        if (request.url !== '/big') {
          response.end('small');
          return;
        }
        const write = (): void => {
          while (written < total) {
            written += piece.length;
            if (!response.write(piece)) {
              response.once('drain', write);
              return;
            }
          }
          response.end();
        };
        write();
      });
      const slow = client.session.request({ ':path': '/big', ':authority': 'a.test' });
      await new Promise((resolve) => slow.once('response', resolve));
      const after = await client.ask({ path: '/small' });
      assert.equal(after.body.toString(), 'small');
      await settled(() => written);
      assert.ok(written < 16 * mebibyte, `the origin has written ${written} bytes`);
      let taken = 0;
      for await (const bytes of slow) {
        taken += (bytes as Buffer).length;
      }
      assert.equal(taken, total);
    });
  });
}

test('the peer that goes away finishes what it began, the next requests have another connection', async (t) => {
  let release = (): void => {};
  const origin = await Origin.start(t, 'http2', async (request, response) => {
    const { url } = await received(request);
    if (url === '/slow') {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    response.end(url);
  });
  const proxy = await startProxy(t, { upstream: 'http2', originPorts: [origin.port] });
  const client = new HttpClient(t, 'http2', proxy.port());
  const slow = client.begin({ path: '/slow' });
  await client.ask({ path: '/one' });
  for (const session of origin.sessions) {
    session.close();
  }
  await proxy.until(() => proxy.requests.length === 1);
  assert.equal((await client.ask({ method: 'POST', path: '/two' })).body.toString(), '/two');
  assert.equal(origin.connections, 2);
  release();
  assert.equal((await slow.answer).body.toString(), '/slow');
});

test('a refused stream is sent again, by the policy or without one', async (t) => {
  let refusals = 2;
  const origin = await Origin.start(t, 'http2', async (request, response) => {
    if (refusals > 0) {
      refusals -= 1;
      cutOff(response, http2.constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const { body } = await received(request);
    response.end(body);
  });
  const proxy = await startProxy(t, { upstream: 'http2', originPorts: [origin.port] });
  const client = new HttpClient(t, 'http1', proxy.port());
  const answer = await client.ask({ method: 'POST' });
  assert.equal(answer.status, 200);
  refusals = 1000;
  assert.equal((await client.ask({ method: 'POST' })).status, 503);
  const seen = await proxy.ended(2);
  assert.equal(seen.flags, 'UR');
  assert.match(seen.details, /remote_refused_stream_reset/);
});

test('a body that was held up by the upstream that refused it goes on to the next one', async (t) => {
  const refusing = await Origin.start(t, 'http2', (_request, response) => {
    setTimeout(() => cutOff(response, http2.constants.NGHTTP2_REFUSED_STREAM), 100);
  });
  const taking = await Origin.start(
    t,
    'http2',
    async (request, response) => {
      const { body } = await received(request);
      response.end(String(body.length));
    },
    // It never holds anything up, so it never says that it may go on either.
    { settings: { initialWindowSize: 8 * mebibyte } },
  );
  const proxy = await startProxy(t, {
    upstream: 'http2',
    originPorts: [refusing.port, taking.port],
    forward: { retryPolicy: retryPolicy(['refused-stream'], { numRetries: 3 }) },
  });
  for (const down of ['http1', 'http2', 'http1', 'http2'] as const) {
    const client = new HttpClient(t, down, proxy.port());
    const answer = await client.ask({ method: 'POST', body: Buffer.alloc(600_000) });
    assert.equal(answer.body.toString(), '600000');
  }
});

/** Waits until a number stays the same for a while. */
async function settled(read: () => number): Promise<void> {
  let last = -1;
  for (let same = 0; same < 10; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { HttpClient, Origin } from './support/http-peers.ts';
import { SidecarPair, startProxy } from './support/http-route.ts';
import { hasHead, RawClient, RawOrigin } from './support/raw-peer.ts';
import { TestCa } from './support/test-ca.ts';

/** What applications of HTTP/1.1 notice of the HTTP/2 between their sidecars: nothing. */
describe('two sidecars between applications of HTTP/1.1', () => {
  let ca: TestCa;
  before(async () => {
    ca = await TestCa.create();
  });
  after(() => ca.close());

  const request =
    'GET /Path?Q=1 HTTP/1.1\r\nX-CamelCase: One\r\nHost: Catalog.Shop\r\nx-lower: two\r\nACCEPT: */*\r\nX-CamelCase: Three\r\n\r\n';
  const response =
    'HTTP/1.1 200 OK\r\nX-Answer-Name: A\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nETag: "x"\r\n\r\nok';

  async function exchange(
    t: TestContext,
    alpn: string,
  ): Promise<{ asked: string; answered: string; protocol: string }> {
    const origin = await RawOrigin.start((connection) => {
      if (hasHead(connection.received)) {
        connection.socket.write(response);
      }
    });
    t.after(() => origin.close());
    const pair = await SidecarPair.start(t, ca, [alpn], { upstream: 'http1', originPorts: [origin.port] });
    const client = await RawClient.connect(pair.client.port());
    t.after(() => client.close());
    client.send(request);
    await client.until(({ text }) => text.endsWith('ok'));
    return { asked: origin.received, answered: client.text, protocol: (await pair.server.ended()).protocol };
  }

  /** The lines of a head that an application wrote, in order. */
  function own(head: string, names: RegExp): string[] {
    return head.split('\r\n').filter((line) => names.test(line));
  }

  const requestNames = /^(x-camelcase|host|x-lower|accept):/i;
  const responseNames = /^(x-answer-name|set-cookie|etag):/i;

  test('names keep their case and order where both are ours', async (t) => {
    const { asked, answered, protocol } = await exchange(t, 'weft-h2');
    assert.equal(protocol, 'HTTP/2');
    assert.match(asked, /^GET \/Path\?Q=1 HTTP\/1\.1\r\n/);
    assert.deepEqual(own(asked, requestNames), own(request, requestNames));
    assert.deepEqual(own(answered, responseNames), own(response, responseNames));
    assert.doesNotMatch(asked + answered, /x-weft-names/i);
  });

  test('with another peer they are in lower case', async (t) => {
    const { asked, answered, protocol } = await exchange(t, 'h2');
    assert.equal(protocol, 'HTTP/2');
    assert.deepEqual(own(asked, /^(x-camelcase|x-lower|accept):/), [
      'x-camelcase: One',
      'x-lower: two',
      'accept: */*',
      'x-camelcase: Three',
    ]);
    assert.deepEqual(own(answered, responseNames), [
      'x-answer-name: A',
      'set-cookie: a=1',
      'set-cookie: b=2',
      'etag: "x"',
    ]);
    assert.doesNotMatch(asked + answered, /x-weft-names/i);
  });

  test('one connection between them carries the requests of many', async (t) => {
    const origin = await Origin.start(t, 'http1', (_request, answer) => setTimeout(() => answer.end('ok'), 5));
    const pair = await SidecarPair.start(t, ca, ['weft-h2', 'h2', 'http/1.1'], {
      upstream: 'http1',
      originPorts: [origin.port],
    });
    const client = new HttpClient(t, 'http1', pair.client.port());
    const answers = await Promise.all(Array.from({ length: 80 }, () => client.ask()));
    assert.ok(answers.every(({ status }) => status === 200));
    const [cluster] = pair.client.dataPlane.clusters();
    assert.equal(cluster?.connectionsTotal, 1);
    assert.equal(cluster?.http2ConnectionsTotal, 1);
  });

  test('a peer that speaks HTTP/1.1 only is spoken to in it', async (t) => {
    const origin = await Origin.start(t, 'http1', (_request, answer) => setTimeout(() => answer.end('ok'), 5));
    const pair = await SidecarPair.start(t, ca, ['weft-h2', 'h2', 'http/1.1'], {
      upstream: 'http1',
      originPorts: [origin.port],
      manager: { codec: 'http1' },
    });
    const client = new HttpClient(t, 'http1', pair.client.port());
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.ask()));
    assert.ok(answers.every(({ status }) => status === 200));
    const [cluster] = pair.client.dataPlane.clusters();
    assert.equal(cluster?.http2ConnectionsTotal, 0);
    assert.ok((cluster?.connectionsTotal ?? 0) >= 10);
  });
});

const mebibyte = 1024 * 1024;
const total = 32 * mebibyte;
const piece = Buffer.alloc(256 * 1024, 'u');

for (const up of ['http1', 'http2'] as const) {
  test(`a client of HTTP/2 whose body nobody takes is held up, and its other requests are not: to ${up}`, async (t) => {
    let start = (): void => {};
    const mayStart = new Promise<void>((resolve) => {
      start = resolve;
    });
    let taken = 0;
    const origin = await Origin.start(t, up, async (request, response) => {
      if (request.url === '/small') {
        response.end('small');
        return;
      }
      await mayStart;
      for await (const bytes of request) {
        taken += (bytes as Buffer).length;
      }
      response.end('all');
    });
    const proxy = await startProxy(t, { upstream: up, originPorts: [origin.port], forward: { timeoutMs: 0 } });
    const client = new HttpClient(t, 'http2', proxy.port());
    const stream = client.session.request({ ':method': 'POST', ':path': '/big', ':authority': 'a.test' });
    let written = 0;
    const write = (): void => {
      while (written < total) {
        written += piece.length;
        if (!stream.write(piece)) {
          stream.once('drain', write);
          return;
        }
      }
      stream.end();
    };
    write();
    let last = -1;
    for (let same = 0; same < 10; ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      same = written === last ? same + 1 : 0;
      last = written;
    }
    assert.ok(written < 16 * mebibyte, `${written} bytes were taken`);
    assert.equal((await client.ask({ path: '/small' })).body.toString(), 'small');
    start();
    let text = '';
    for await (const bytes of stream) {
      text += String(bytes);
    }
    assert.equal(text, 'all');
    assert.equal(taken, total);
  });
}

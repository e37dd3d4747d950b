import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, programs, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, enginePairs, runCaller, runService } from './engine-pairs.ts';
import { exchange, exchangeOnce } from './raw-exchange.ts';

/** HTTP/1.1 applications between whose sidecars there is HTTP/2: what they can notice must be as without. */

let mesh: TestMesh;
const callers = new Map<string, Awaited<ReturnType<typeof runCaller>>>();

before(async () => {
  mesh = await startMesh();
  for (const engine of availableEngines) {
    await runService(mesh, `features-${engine}`, engine, programs.httpFeatures);
  }
  const upstreams = availableEngines.map((engine) => `features-${engine}:80`);
  for (const engine of availableEngines) {
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  await mesh?.stop();
});

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

for (const { from, to, skip } of enginePairs) {
  describe(`HTTP/1.1 from ${from} to ${to}`, { skip }, () => {
    let port: number;

    before(async () => {
      port = callers.get(from)?.ports.get(`features-${to}:80`) ?? 0;
      await eventually(
        async () =>
          (await exchangeOnce(port, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', () => false)).includes(
            ' 200 ',
          ),
        { what: 'the service is reached' },
      );
    });

    test('the application speaks HTTP/1.1, the sidecars HTTP/2 on few connections', async () => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          exchangeOnce(port, `GET /${index} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`, () => false),
        ),
      );
      for (const [index, answer] of answers.entries()) {
        assert.match(answer, /^HTTP\/1\.1 200 /);
        assert.ok(answer.includes(`HTTP/1.1 GET /${index}\n`), answer);
      }
      const admin = callers.get(from)?.workload.adminPort;
      const text = await (await fetch(`http://127.0.0.1:${admin}/stats/prometheus`)).text();
      const total = (name: string): number =>
        Number(new RegExp(`^${name}\\{[^}]*features-${to}\\.[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
      const connections = total('envoy_cluster_upstream_cx_http2_total');
      assert.equal(total('envoy_cluster_upstream_cx_http1_total'), 0);
      // Envoy has two threads with connections of their own, and counts on HTTP/2 only when the first connection is there.
      assert.ok(connections >= 1 && connections <= (from === 'weft' ? 2 : 12), `${connections} connections`);
    });

    test('WebSocket goes through, both ways and until the server closes', async () => {
      const head = await exchange(
        port,
        'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
        (text) => text.includes('\r\n\r\n'),
      );
      assert.match(head.text, /^HTTP\/1\.1 101 /);
      assert.match(head.text, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
      const { socket } = head;
      const came = new Promise<string>((resolve) => {
        let text = '';
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
        });
        socket.on('close', () => resolve(text));
      });
      const sent = 'x'.repeat(200_000);
      socket.write(sent);
      await eventually(() => socket.bytesRead >= sent.length, { what: 'all bytes came back' });
      socket.write(Buffer.from([0x88, 0x00]));
      assert.equal((await came).length, sent.length + 2);
    });

    test('trailers go both ways', async () => {
      const text = await exchangeOnce(
        port,
        'POST /trailers HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n',
        (answer) => /\r\n0\r\n.*\r\n\r\n$/s.test(answer),
      );
      assert.match(text, /^HTTP\/1\.1 200 /);
      assert.match(text, /\{"x-sum":"42"\}/);
      assert.match(text, /\r\n0\r\nx-checksum: abc123\r\n\r\n$/i);
    });

    test('what is sent bit by bit arrives bit by bit', async () => {
      const { text, socket } = await exchange(port, 'GET /events HTTP/1.1\r\nHost: x\r\n\r\n', (answer) =>
        answer.includes('data: first'),
      );
      socket.destroy();
      assert.doesNotMatch(text, /data: last/);
    });

    test('a connection stays open for the next request, and closes when the client asks for it', async () => {
      const request = (path: string, connection: string): string =>
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\n\r\n`;
      const text = await exchangeOnce(port, request('/a', 'keep-alive') + request('/b', 'close'), () => false);
      assert.match(text, /GET \/a\n.*GET \/b\n/s);
      const old = await exchangeOnce(port, 'HEAD /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', () => false);
      assert.match(old, /^HTTP\/1\.1 200 /);
      assert.equal(bodyOf(old), '');
    });

    test('names of fields keep their case between two proxies of ours, and are the same names in any pair', async () => {
      const names = ['Host', 'X-Request-Token', 'x-lower', 'ETag-ISH'];
      const text = await exchangeOnce(
        port,
        'GET /raw-headers HTTP/1.1\r\nHost: x\r\nX-Request-Token: 1\r\nx-lower: 2\r\nETag-ISH: 3\r\nConnection: close\r\n\r\n',
        () => false,
      );
      const seen = (/\[.*\]/s.exec(bodyOf(text))?.[0] ?? '[]').replaceAll(/\r\n[0-9a-f]+\r\n/g, '');
      const received = (JSON.parse(seen) as string[]).filter((_, index) => index % 2 === 0);
      if (from === 'weft' && to === 'weft') {
        assert.deepEqual(
          received.filter((name) => names.some((each) => each.toLowerCase() === name.toLowerCase())),
          names,
        );
        assert.match(text, /\r\nX-Mixed-Case: kept\r\n/);
      } else {
        const lower = received.map((name) => name.toLowerCase());
        assert.ok(names.every((name) => lower.includes(name.toLowerCase())));
        assert.match(text, /\r\nx-mixed-case: kept\r\n/i);
      }
      assert.doesNotMatch(text, /x-weft-names/i);
      assert.ok(!received.some((name) => name.toLowerCase() === 'x-weft-names'));
    });
  });
}

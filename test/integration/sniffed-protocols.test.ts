import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { eventually, programs, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, enginePairs, runCaller, runService } from './engine-pairs.ts';
import { exchange, exchangeOnce } from './raw-exchange.ts';

/** Ports whose protocol nobody declared: what is spoken is seen on each connection. */

const port = 9999;
/** A protocol in which the server speaks first must not wait for what the client never says. Generous: the machine may be busy. */
const maxGreetingMs = 2_000;

let mesh: TestMesh;
const callers = new Map<string, Awaited<ReturnType<typeof runCaller>>>();

before(async () => {
  mesh = await startMesh();
  for (const engine of availableEngines) {
    await Promise.all(
      ['http', 'h2c', 'echo', 'greeting'].map((speaks) =>
        runService(mesh, `${speaks}-${engine}`, engine, programs.anyProtocol, {
          flags: ['--protocol', 'auto', '--port', `${port}:0`],
          env: { SPEAKS: speaks },
        }),
      ),
    );
  }
  const upstreams = availableEngines.flatMap((engine) =>
    ['http', 'h2c', 'echo', 'greeting'].map((speaks) => `${speaks}-${engine}:${port}`),
  );
  for (const engine of availableEngines) {
    callers.set(engine, await runCaller(mesh, `caller-${engine}`, engine, upstreams));
  }
});

after(async () => {
  await mesh?.stop();
});

function getOverHttp2(target: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${target}`);
    session.on('error', reject);
    const stream = session.request({ ':path': '/' });
    let text = '';
    stream.on('error', reject);
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on('end', () => {
      session.close();
      resolve(text);
    });
    stream.end();
  });
}

for (const { from, to, skip } of enginePairs) {
  describe(`a port without a declared protocol, from ${from} to ${to}`, { skip }, () => {
    const portOf = (speaks: string): number => callers.get(from)?.ports.get(`${speaks}-${to}:${port}`) ?? 0;

    before(async () => {
      const request = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
      await eventually(async () => (await exchangeOnce(portOf('http'), request, () => false)).includes(' 200 '), {
        what: 'the HTTP service is reached',
      });
      await eventually(async () => (await exchangeOnce(portOf('echo'), 'x', (text) => text === 'x')) === 'x', {
        what: 'the TCP service is reached',
      });
    });

    test('HTTP/1.1 is routed as such, and stays so for the application', async () => {
      const text = await exchangeOnce(
        portOf('http'),
        'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
        () => false,
      );
      assert.match(text, /HTTP\/1\.1$|HTTP\/1\.1\r\n/);
      assert.match(text, /x-envoy-upstream-service-time|server: weft/i);
    });

    test('HTTP/2 with prior knowledge is', async () => {
      assert.equal(await eventually(() => getOverHttp2(portOf('h2c')), { what: 'an answer over HTTP/2' }), 'HTTP/2.0');
    });

    test('bytes that are no HTTP are carried as they are', async () => {
      const bytes = '\x00\x01\x02 binary \xff\n';
      assert.equal(await exchangeOnce(portOf('echo'), bytes, (text) => text.length === bytes.length), bytes);
    });

    test('a server that speaks first is heard without a word of the client', async () => {
      const { text, firstByteMs, socket } = await eventually(
        async () => {
          const answer = await exchange(portOf('greeting'), '', (greeting) => greeting.includes('\n'));
          return answer.text === 'hello\n' ? answer : undefined;
        },
        { what: 'the greeting' },
      );
      socket.destroy();
      assert.equal(text, 'hello\n');
      assert.ok(firstByteMs < maxGreetingMs, `${firstByteMs} ms`);
    });

    if (from === 'weft') {
      test('what was found is told', async () => {
        const admin = callers.get(from)?.workload.adminPort;
        const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
        const found = text.split('\n').filter((line) => line.startsWith('weft_listener_detected_protocol_total'));
        for (const [speaks, protocol] of [
          ['http', 'http/1.1'],
          ['h2c', 'h2c'],
          ['echo', 'tcp'],
        ]) {
          assert.ok(
            found.some((line) => line.includes(`${speaks}-${to}.`) && line.includes(`protocol="${protocol}"`)),
            `${speaks}:\n${found.join('\n')}`,
          );
        }
      });
    }
  });
}

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findPeer, peerSkip, run } from '@weft/testkit';
import { type ClientMesh, sidecarCounts, sidecarMemory, startClientMesh, type Way } from './real-clients-mesh.ts';
import { createWebApp, patternDigest, type WebApp } from './real-clients-web-app.ts';

/** curl, h2load and wrk through one sidecar and through two, each version of HTTP to each. */

const names = ['one', 'two'] as const;
const apps = new Map<string, WebApp>();
let clients: ClientMesh;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-clients-'));
  apps.set('one', createWebApp('HTTP/1.1'));
  apps.set('two', createWebApp('HTTP/2.0'));
  clients = await startClientMesh(
    names.map((name) => ({ name, protocol: name === 'one' ? 'http' : 'http2', listen: appOf(name).listen })),
    async ({ port }) => (await fetch(`http://127.0.0.1:${port}/hello`)).ok,
  );
});

after(async () => {
  await clients?.stop();
  for (const app of apps.values()) {
    app.stop();
  }
  rmSync(folder, { recursive: true, force: true });
});

function appOf(name: string): WebApp {
  const app = apps.get(name);
  assert.ok(app !== undefined);
  return app;
}

const urlOf = ({ port }: Way, path: string): string => `http://127.0.0.1:${port}${path}`;

async function command(name: 'curl' | 'h2load' | 'wrk', args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(findPeer(name) ?? name, args);
  assert.equal(code, 0, `${name} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

interface Curled {
  readonly version: string;
  readonly status: number;
  readonly body: Buffer;
  readonly bodyBytes: number;
  readonly head: string;
}

/** One transfer, of which body and head are kept. @param args may hold transfers before it, with `-o`. */
async function curl(version: string, url: string, ...args: readonly string[]): Promise<Curled> {
  const body = join(folder, 'body');
  const head = join(folder, 'head');
  writeFileSync(body, '');
  const printed = '%{http_version} %{http_code} %{size_download}\n';
  const written = await command('curl', [
    ...['-sS', '--noproxy', '*', '-D', head, '-w', printed, version, ...args, '-o', body, url],
  ]);
  const [spoken = '', status, size] = written.trimEnd().split('\n').at(-1)?.split(' ') ?? [];
  return {
    version: spoken,
    status: Number(status),
    bodyBytes: Number(size),
    body: readFileSync(body),
    head: readFileSync(head, 'latin1'),
  };
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

for (const name of names) {
  for (const count of sidecarCounts) {
    const server = name === 'one' ? 'HTTP/1.1' : 'HTTP/2.0';

    describe(`curl by ${count} to ${server}`, { skip: peerSkip('curl') }, () => {
      for (const { flag, version, bodyVersion } of [
        { flag: '--http1.1', version: '1.1', bodyVersion: '1.1' },
        // Only a request without a body can change the connection under it, and curl 7.88 takes little at once with the answer to it.
        { flag: '--http2', version: '2', bodyVersion: '1.1' },
        { flag: '--http2-prior-knowledge', version: '2', bodyVersion: '2' },
      ]) {
        test(flag, async () => {
          const way = clients.way(name, count);
          const hello = await curl(flag, urlOf(way, '/hello'));
          assert.deepEqual([hello.version, hello.status], [version, 200]);
          assert.equal(String(hello.body), `${server} GET /hello\n`);
          const head = await curl(flag, urlOf(way, '/hello'), '--head');
          assert.deepEqual([head.version, head.status, head.bodyBytes], [version, 200, 0]);
          assert.match(head.head, /content-length: \d+\r\n/i);

          const sent = randomBytes(1_500_000);
          const file = join(folder, 'upload');
          writeFileSync(file, sent);
          for (const args of [
            ['--data-binary', `@${file}`],
            ['--upload-file', file, '-H', 'transfer-encoding: chunked'],
          ]) {
            const echoed = await curl(flag, urlOf(way, '/echo'), ...args);
            assert.deepEqual([echoed.version, echoed.status], [bodyVersion, 200]);
            assert.equal(sha256(echoed.body), sha256(sent));
          }
          const first = flag === '--http2' ? ['-o', '/dev/null', urlOf(way, '/hello')] : [];
          const large = await curl(flag, urlOf(way, '/bytes/5000000'), ...first);
          assert.deepEqual([large.version, sha256(large.body)], [version, patternDigest(5_000_000)]);
        });
      }

      // With prior knowledge curl 7.88 cannot use a connection again (error 16, with any server).
      for (const flag of ['--http1.1', '--http2']) {
        test(`several transfers on one connection, ${flag}`, async () => {
          const url = urlOf(clients.way(name, count), '/hello');
          const printed = await command('curl', [
            ...['-sS', '--noproxy', '*', flag, '-w', '%{num_connects}\n', `${url}?[1-4]`],
          ]);
          const answers = [1, 2, 3, 4].map((item) => `${server} GET /hello?${item}\n${item === 1 ? 1 : 0}\n`);
          assert.equal(printed, answers.join(''));
        });
      }

      test('by the HTTP proxy address', async () => {
        const host = count === 'one sidecar' ? `${name}.example` : name;
        const proxy = `http://127.0.0.1:${clients.caller.httpProxyPort}`;
        const { body } = await curl('--http1.1', `http://${host}/hello`, '--noproxy', '', '--proxy', proxy);
        assert.equal(String(body), `${server} GET /hello\n`);
      });
    });

    describe(`load by ${count} to ${server}`, () => {
      for (const [title, args] of [
        ['HTTP/2', ['-c', '4', '-m', '16']],
        ['HTTP/1.1', ['--h1', '-c', '16']],
      ] as const) {
        test(`h2load with ${title}: no request fails`, { skip: peerSkip('h2load') }, async () => {
          const way = clients.way(name, count);
          const before = seenBy(name, 'GET');
          const printed = await command('h2load', ['-n', '1000', ...args, urlOf(way, '/hello')]);
          assert.match(printed, /1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout/);
          assert.match(printed, /status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx/);
          assert.equal(seenBy(name, 'GET') - before, 1000);
        });

        test(`h2load with ${title} and bodies: no request fails`, { skip: peerSkip('h2load') }, async () => {
          const file = join(folder, 'body-of-load');
          writeFileSync(file, randomBytes(100_000));
          const printed = await command('h2load', [
            ...['-n', '100', ...args, '-d', file, urlOf(clients.way(name, count), '/echo')],
          ]);
          assert.match(printed, /100 total, 100 started, 100 done, 100 succeeded, 0 failed, 0 errored, 0 timeout/);
          assert.match(printed, /status codes: 100 2xx/);
          assert.equal(Number(/\((\d+)\) data/.exec(printed)?.[1]), 100 * 100_000);
        });
      }

      test('h2load with tiny windows: answers taken slowly are whole', { skip: peerSkip('h2load') }, async () => {
        const printed = await command('h2load', [
          ...[
            '-n',
            '40',
            '-c',
            '2',
            '-m',
            '10',
            '-w',
            '10',
            '-W',
            '30',
            urlOf(clients.way(name, count), '/bytes/300000'),
          ],
        ]);
        assert.match(printed, /40 total, 40 started, 40 done, 40 succeeded, 0 failed, 0 errored, 0 timeout/);
        assert.equal(Number(/\((\d+)\) data/.exec(printed)?.[1]), 40 * 300_000);
      });

      test('wrk: no request fails, and each answer is what was asked for', { skip: peerSkip('wrk') }, async () => {
        const script = join(folder, 'check.lua');
        writeFileSync(
          script,
          `function response(status, headers, body)
             if status ~= 200 or body ~= "${server} GET /hello\\n" then print("WRONG", status, body) end
           end`,
        );
        const before = seenBy(name, 'GET');
        const printed = await command('wrk', [
          ...['-t', '1', '-c', '16', '-d', '1', '-s', script, urlOf(clients.way(name, count), '/hello')],
        ]);
        assert.doesNotMatch(printed, /WRONG|Non-2xx|Socket errors/);
        const answered = Number(/(\d+) requests in/.exec(printed)?.[1]);
        const seen = seenBy(name, 'GET') - before;
        assert.ok(answered > 16 && seen >= answered && seen <= answered + 16, `${answered} of ${seen}: ${printed}`);
      });
    });
  }
}

function seenBy(name: string, method: string): number {
  const app = appOf(name);
  return app.seen.get(`${app.version} ${method}`) ?? 0;
}

test('the applications were spoken to in their own version only', () => {
  for (const app of apps.values()) {
    assert.ok(app.seen.size > 0);
    assert.ok(
      [...app.seen.keys()].every((key) => key.startsWith(app.version)),
      [...app.seen.keys()].join(),
    );
  }
});

test('a long download, taken slowly, is not gathered in the sidecars', { skip: peerSkip('curl') }, async () => {
  const size = 200_000_000;
  for (const name of names) {
    const way = clients.way(name, 'two sidecars');
    const before = way.sidecars.map(sidecarMemory);
    // A client that stops reading for a while: what was granted to the server must stay small.
    const slow = run(findPeer('curl') ?? '', [
      ...[
        '-sS',
        '--noproxy',
        '*',
        '-o',
        '/dev/null',
        '--limit-rate',
        '1M',
        '--max-time',
        '2',
        urlOf(way, `/bytes/${size}`),
      ],
    ]);
    const written = await command('curl', [
      ...['-sS', '--noproxy', '*', '-o', '/dev/null', '-w', '%{size_download}', urlOf(way, `/bytes/${size}`)],
    ]);
    assert.equal(Number(written), size);
    await slow;
    for (const [index, sidecar] of way.sidecars.entries()) {
      const grown = sidecarMemory(sidecar).peak - (before[index]?.peak ?? 0);
      assert.ok(grown < 40, `${grown} MB more`);
    }
  }
});

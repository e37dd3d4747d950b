import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findPeer, peerSkip } from '@weft/testkit';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { type ClientMesh, sidecarCounts, startClientMesh } from './real-clients-mesh.ts';
import { createWebApp, patternDigest, type WebApp } from './real-clients-web-app.ts';

/** A real browser: pages, server-sent events, WebSocket, long polling, large downloads and uploads, while pools close what is idle. */

const skip = peerSkip('chromium');
const versions = ['HTTP/1.1', 'HTTP/2.0'] as const;
/** Idle connections of pools are closed after it; what is open but silent is not idle. */
const idleTimeoutMs = 1_000;
const silenceMs = 2_200;

let apps: readonly WebApp[] = [];
let clients: ClientMesh;
let profile: string;
let browser: BrowserContext;

/** A short idle timeout for the pools to `host`. */
function idleRule(name: string, host: string): object {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace: 'default' },
    spec: { host, trafficPolicy: { connectionPool: { http: { idleTimeout: `${idleTimeoutMs / 1000}s` } } } },
  };
}

before(async () => {
  if (skip !== false) {
    return;
  }
  profile = mkdtempSync(join(tmpdir(), 'weft-chromium-'));
  apps = versions.map(createWebApp);
  const servers = apps.map(({ version, listen }) => ({
    name: version === 'HTTP/1.1' ? 'one' : 'two',
    protocol: version === 'HTTP/1.1' ? ('http' as const) : ('http2' as const),
    listen,
  }));
  clients = await startClientMesh(servers, async ({ port }) => (await fetch(`http://127.0.0.1:${port}/hello`)).ok);
  for (const name of ['one', 'two']) {
    for (const host of [name, `${name}.example`]) {
      const rule = idleRule(host.replace('.', '-'), host);
      const path = '/apis/networking.istio.io/v1/namespaces/default/destinationrules';
      const { status, body } = await clients.mesh.api().request('POST', path, rule);
      assert.equal(status, 201, JSON.stringify(body));
    }
  }
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: findPeer('chromium') ?? '',
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--no-proxy-server'],
    ],
  });
});

after(async () => {
  await browser?.close();
  await clients?.stop();
  for (const app of apps) {
    app.stop();
  }
  if (profile !== undefined) {
    rmSync(profile, { recursive: true, force: true });
  }
});

/** Runs a script in the page; what it returns has to be JSON. */
async function inPage<T>(page: Page, script: string): Promise<T> {
  return (await page.evaluate(`(async () => { ${script} })()`)) as T;
}

for (const version of versions) {
  for (const count of sidecarCounts) {
    describe(`a browser by ${count} to ${version}`, { skip, concurrency: true }, () => {
      let page: Page;
      const errors: string[] = [];

      before(async () => {
        page = await browser.newPage();
        page.on('pageerror', (error) => errors.push(error.message));
        const { port } = clients.way(version === 'HTTP/1.1' ? 'one' : 'two', count);
        const response = await page.goto(`http://127.0.0.1:${port}/page`);
        assert.equal(response?.status(), 200);
        assert.equal(await page.title(), 'Real page');
      });

      after(async () => {
        await page.close();
        assert.deepEqual(errors, []);
      });

      test('many requests at once', async () => {
        const texts = await inPage<string[]>(
          page,
          `return Promise.all(Array.from({ length: 30 }, (_, i) => fetch('/hello?' + i).then((r) => r.text())));`,
        );
        assert.deepEqual(
          texts,
          texts.map((_, index) => `${version} GET /hello?${index}\n`),
        );
      });

      test('a large download, and a large upload that comes back', async () => {
        const digest =
          'async (b) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", b))].map((x) => x.toString(16).padStart(2, "0")).join("")';
        const size = 30_000_000;
        const [got, sent, echoed] = await inPage<string[]>(
          page,
          `const digest = ${digest};
           const bytes = await (await fetch('/bytes/${size}')).arrayBuffer();
           const body = bytes.slice(0, 5_000_001);
           const back = await (await fetch('/echo', { method: 'POST', body })).arrayBuffer();
           return Promise.all([digest(bytes), digest(body), digest(back)]);`,
        );
        assert.equal(got, patternDigest(size));
        assert.equal(echoed, sent);
      });

      test('a download that the reader gives up frees what it took', async () => {
        const status = await inPage<number>(
          page,
          `const response = await fetch('/bytes/2000000000');
           const reader = response.body.getReader();
           await reader.read();
           await reader.cancel();
           return (await fetch('/hello')).status;`,
        );
        assert.equal(status, 200);
      });

      test('server-sent events, silent for longer than the idle timeout, go on after the end where they were', async () => {
        const ids = await inPage<string[]>(
          page,
          `return new Promise((resolve) => {
             const ids = [];
             const source = new EventSource('/events?count=3&first=2&gapMs=${silenceMs}');
             source.onmessage = (event) => {
               ids.push(event.lastEventId + ' ' + event.data);
               if (ids.length === 5) { source.close(); resolve(ids); }
             };
           });`,
        );
        assert.deepEqual(ids, ['1 event 1', '2 event 2', '3 event 3', '4 event 4', '5 event 5']);
      });

      test('a WebSocket with messages small and large, silent for longer than the idle timeout', async () => {
        const result = await inPage<{ sizes: number[]; same: boolean; code: number; clean: boolean }>(
          page,
          `return new Promise((resolve, reject) => {
             const socket = new WebSocket('ws://' + location.host + '/chat');
             socket.binaryType = 'arraybuffer';
             const sizes = [];
             let same = true;
             const messages = [1, 125, 126, 65535, 65536, 1000000].map((size) => 'x'.repeat(size));
             socket.onopen = () => messages.forEach((message) => socket.send(message));
             socket.onerror = () => reject(new Error('the WebSocket failed'));
             socket.onclose = (event) => resolve({ sizes, same, code: event.code, clean: event.wasClean });
             socket.onmessage = ({ data }) => {
               if (typeof data !== 'string') { socket.close(4001, 'bye'); return; }
               same = same && data === messages[sizes.length];
               sizes.push(data.length);
               if (sizes.length === messages.length) {
                 setTimeout(() => socket.send(new Uint8Array([1, 2, 3])), ${silenceMs});
               }
             };
           });`,
        );
        assert.deepEqual(result, {
          sizes: [1, 125, 126, 65_535, 65_536, 1_000_000],
          same: true,
          code: 4001,
          clean: true,
        });
      });

      test('long polling: an answer that comes late, longer than the idle timeout', async () => {
        const texts = await inPage<string[]>(
          page,
          `const waiting = fetch('/wait/poll').then((response) => response.text());
           await new Promise((resolve) => setTimeout(resolve, ${silenceMs}));
           const release = await (await fetch('/release/poll')).text();
           return [await waiting, release];`,
        );
        assert.deepEqual(texts, ['released', 'done']);
      });
    });
  }
}

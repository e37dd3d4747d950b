import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';

/** The services run as they would on any machine: names are resolved by whatever `http_proxy` points to. */
const services = new Map<string, number>();
const children: ChildProcess[] = [];
let proxy: Server;
let proxyUrl = '';

function start(name: string, file: string, env: Record<string, string> = {}): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../services', file)], {
    env: { ...process.env, PORT: '0', NODE_USE_ENV_PROXY: '1', http_proxy: proxyUrl, no_proxy: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      const port = /port (\d+)/.exec(chunk.toString())?.[1];
      if (port !== undefined) {
        services.set(name, Number(port));
        resolve();
      }
    });
  });
}

function get(path: string, options: { method?: string; body?: string; cookie?: string } = {}) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: services.get('storefront'),
        path,
        method: options.method ?? 'GET',
        headers: options.cookie === undefined ? {} : { cookie: options.cookie },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

let readerSeen: string | undefined;

before(async () => {
  proxy = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://unknown');
    if (url.hostname === 'reviews') {
      readerSeen = incoming.headers['x-reader'] as string | undefined;
    }
    const port = services.get(url.hostname);
    if (port === undefined) {
      response.writeHead(503).end();
      return;
    }
    const outgoing = request(
      { host: '127.0.0.1', port, method: incoming.method, path: url.pathname, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => response.writeHead(503).end());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address !== null);
  proxyUrl = `http://127.0.0.1:${address.port}`;
  await start('cache', 'cache.ts');
  await Promise.all([
    start('catalog', 'catalog.ts'),
    start('reviews', 'reviews.ts', { SERVICE_VERSION: 'v3' }),
    start('ratings', 'ratings.ts'),
    start('orders', 'orders.ts'),
    start('stock', 'stock.ts'),
    start('recommendations', 'recommendations.ts'),
  ]);
  await start('storefront', 'storefront.ts', {
    CACHE_ADDR: `127.0.0.1:${services.get('cache')}`,
    RECOMMENDATIONS_ADDR: `127.0.0.1:${services.get('recommendations')}`,
  });
});

after(async () => {
  await Promise.all(
    children.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        return undefined;
      }
      child.removeAllListeners('exit');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      return gone;
    }),
  );
  proxy.close();
  proxy.closeAllConnections();
});

test('the shelf lists every book, the second time out of the cache', async () => {
  const first = await get('/');
  assert.equal(first.status, 200);
  assert.match(first.text, /Warp and Weft/);
  assert.match(first.text, /came from the catalogue/);
  const second = await get('/');
  assert.match(second.text, /came from the cache/);
});

test('a book shows its reviews with the stars of the version that answered', async () => {
  const page = await get('/books/nine-locks', { cookie: 'reader=ida' });
  assert.equal(page.status, 200);
  assert.match(page.text, /#dc2626/);
  assert.match(page.text, /reviews v3/);
  assert.equal(readerSeen, 'ida');
  const json = JSON.parse((await get('/api/books/nine-locks')).text);
  assert.equal(json.reviews.version, 'v3');
  assert.ok(json.reviews.reviews[0].stars >= 3);
});

test('an order takes a copy out of the stock until it is sold out', async () => {
  const answer = await get('/orders', { method: 'POST', body: 'book=small-engines' });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /Your order [0-9a-f]{8}/);
  for (let copy = 1; copy < 25; copy += 1) {
    await get('/orders', { method: 'POST', body: 'book=small-engines' });
  }
  assert.equal((await get('/orders', { method: 'POST', body: 'book=small-engines' })).status, 409);
  assert.equal((await get('/orders', { method: 'POST', body: 'book=../x' })).status, 400);
});

test('a book that does not exist is a 404 page, not an error', async () => {
  assert.equal((await get('/books/none')).status, 404);
  assert.equal((await get('/none')).status, 404);
});

test('recommendations come over gRPC, and the shop goes on without them', async () => {
  assert.match((await get('/')).text, /Recommended today.*Small Engines/s);
  const page = await get('/books/nine-locks');
  assert.match(page.text, /took home.*The Quiet Harbour.*should have stayed shut/s);
  const { recommendations } = JSON.parse((await get('/api/books/nine-locks')).text);
  assert.deepEqual(recommendations, [{ book: 'the-quiet-harbour', why: 'another door that should have stayed shut' }]);
  const [server] = children.filter((child) => child.spawnargs.some((text) => text.endsWith('recommendations.ts')));
  server?.removeAllListeners('exit');
  const gone = new Promise((resolve) => server?.once('exit', resolve));
  server?.kill('SIGTERM');
  await gone;
  const without = await get('/books/nine-locks');
  assert.equal(without.status, 200);
  assert.doesNotMatch(without.text, /took home/);
});

test('without the ratings the reviews come without stars and say why', async () => {
  const port = services.get('ratings') ?? 0;
  services.delete('ratings');
  const page = await get('/books/nine-locks');
  services.set('ratings', port);
  assert.equal(page.status, 200);
  assert.match(page.text, /Without stars: the ratings are not available/);
});

test('the cache refuses a line beyond its limit', async () => {
  const socket = connect(services.get('cache') ?? 0, '127.0.0.1');
  socket.write('x'.repeat(70 * 1024));
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
  }
  assert.match(text, /line too long/);
});

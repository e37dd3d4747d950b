import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger, systemClock } from '@weft/base';
import type { AdminQueries } from '../admin/queries.ts';
import { ReadRoutes } from '../admin/read-routes.ts';
import { type PageServer, startPageServer } from './page-server.ts';

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

async function startPage(t: TestContext): Promise<PageServer> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-page-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'assets', 'main.js'), 'export {};');
  writeFileSync(join(folder, '..', 'weft-outside.txt'), 'outside');
  const queries: Partial<AdminQueries> = {
    overview: (windowSeconds) => ({
      at: '',
      windowSeconds,
      trustDomain: 'x',
      defaults: 'istio',
      pathNormalization: 'base',
      services: [],
      proxies: { total: 0, connected: 0, synced: 0 },
      errors: [],
    }),
  };
  const routes = new ReadRoutes(queries as AdminQueries, systemClock);
  const page = await startPageServer({
    host: '127.0.0.1',
    port: 0,
    routes,
    folder,
    clock: systemClock,
    logger: silentLogger,
  });
  t.after(async () => {
    routes.close();
    await page.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return page;
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function logIn(page: PageServer): Promise<string> {
  const { headers } = await get(page.loginLink());
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return cookie.split(';')[0] ?? '';
}

test('without a login nothing is shown but how to log in', async (t) => {
  const page = await startPage(t);
  for (const path of ['/', '/assets/main.js', '/weft/v1/overview', '/index.html']) {
    const { status, body } = await get(page.url + path);
    assert.equal(status, 401, path);
    assert.match(body, /link that Weft printed/);
  }
});

test('a link is good for one login; the cookie is strict and out of reach of scripts', async (t) => {
  const page = await startPage(t);
  const link = page.loginLink();
  const first = await get(link);
  assert.equal(first.status, 200);
  assert.match(
    first.headers['set-cookie']?.[0] ?? '',
    /^weft-session-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
  );
  assert.equal((await get(link)).status, 401);
  assert.equal((await get(`${page.url}/login?token=guess`)).status, 401);
});

test('programs that look at a link do not use it up, and a malformed address is no fault of ours', async (t) => {
  const page = await startPage(t);
  const link = page.loginLink();
  assert.equal((await get(link, {}, 'HEAD')).status, 401);
  assert.equal((await get(link)).status, 200);
  const { port } = new URL(page.url);
  const malformed = await new Promise<number | undefined>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '//', agent: false }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
  });
  assert.equal(malformed, 400);
});

test('with the cookie there are the page, its files and the data', async (t) => {
  const page = await startPage(t);
  const cookie = await logIn(page);
  const index = await get(`${page.url}/`, { cookie });
  assert.match(index.body, /<title>page/);
  assert.match(String(index.headers['content-security-policy']), /default-src 'none'/);
  assert.equal(
    (await get(`${page.url}/assets/main.js`, { cookie })).headers['content-type'],
    'text/javascript; charset=utf-8',
  );
  const overview = await get(`${page.url}/weft/v1/overview?window=7`, { cookie });
  assert.equal(JSON.parse(overview.body).windowSeconds, 7);
  assert.equal((await get(`${page.url}/weft/v1/overview?window=0`, { cookie })).status, 422);
  assert.equal((await get(`${page.url}/weft/v1/namespaces/x/join-tokens`, { cookie })).status, 404);
});

test('paths cannot leave the folder', async (t) => {
  const page = await startPage(t);
  const cookie = await logIn(page);
  for (const path of [
    '/../weft-outside.txt',
    '/..%2fweft-outside.txt',
    '/assets/../../weft-outside.txt',
    '//etc/passwd',
  ]) {
    assert.equal((await get(page.url + path, { cookie })).status, 404, path);
  }
});

test('other names for this address and requests of other sites are refused', async (t) => {
  const page = await startPage(t);
  const cookie = await logIn(page);
  const api = `${page.url}/weft/v1/overview`;
  assert.equal((await get(api, { cookie, host: 'evil.example' })).status, 421);
  assert.equal((await get(api, { cookie, origin: 'http://evil.example' })).status, 403);
  assert.equal((await get(api, { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' })).status, 403);
  assert.equal((await get(api, { cookie, origin: page.url })).status, 200);
  assert.equal((await get(api, { cookie }, 'POST')).status, 405);
});

test('after a logout the cookie is worth nothing', async (t) => {
  const page = await startPage(t);
  const cookie = await logIn(page);
  assert.equal((await get(`${page.url}/logout`, { cookie }, 'POST')).status, 200);
  assert.equal((await get(`${page.url}/`, { cookie })).status, 401);
});

test('a busy port is named, with the flag that changes it', async (t) => {
  const page = await startPage(t);
  const port = Number(new URL(page.url).port);
  const routes = new ReadRoutes({} as AdminQueries, systemClock);
  await assert.rejects(startPageServer({ host: '127.0.0.1', port, routes, clock: systemClock, logger: silentLogger }), {
    code: 'PORT_IN_USE',
    message: new RegExp(`port ${port} .*first page`),
    hint: /--page-port/,
  });
});

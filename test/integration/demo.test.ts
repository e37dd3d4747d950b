import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Background,
  childPids,
  eventually,
  findPeer,
  freePort,
  isRunning,
  peerSkip,
  programs,
  startBackground,
} from '@weft/testkit';
import { chromium, type Page } from 'playwright-core';

const skip = peerSkip('envoy', 'chromium');

let home: string;
let demo: Background;
let shop = '';
let page = '';

before(async () => {
  if (skip !== false) {
    return;
  }
  home = mkdtempSync(join(tmpdir(), 'weft-demo-'));
  demo = startBackground(
    process.execPath,
    [
      programs.weft,
      'demo',
      '--engine-mix',
      'half',
      '--api-port',
      '0',
      '--xds-port',
      '0',
      '--join-port',
      '0',
      '--page-port',
      '0',
      '--shop-port',
      String(await freePort()),
    ],
    { env: { WEFT_HOME: home, WEFT_ENVOY: findPeer('envoy'), NO_COLOR: '1' } },
  );
  const places = await eventually(
    () =>
      /shop\s+(http:\S+)[\s\S]*first page\s+(http:\S+)/.exec(demo.output()) ??
      (demo.child.exitCode !== null && 'ended'),
    {
      what: 'the demo prints where things are',
      timeoutMs: 60_000,
    },
  );
  assert.ok(places !== 'ended', demo.output());
  shop = places[1] ?? '';
  page = places[2] ?? '';
});

after(async () => {
  await demo?.stop('SIGINT', 30_000);
  if (home !== undefined) {
    rmSync(home, { recursive: true, force: true });
  }
});

async function withPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), 'weft-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findPeer('chromium') ?? '',
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
    ],
  });
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

test('the shop opens in a browser, through the mesh, with half of the sidecars stock Envoy', {
  skip,
  timeout: 120_000,
}, async () => {
  await withPage(async (tab) => {
    const errors: string[] = [];
    tab.on('pageerror', (error) => errors.push(error.message));
    const response = await tab.goto(shop);
    assert.equal(response?.status(), 200);
    assert.match(await tab.title(), /Bookshop/);
    // By gRPC, with a stream; the first pages of a shop that has just opened are without.
    await eventually(
      async () => {
        await tab.goto(shop);
        return (await tab.getByText('Recommended today').count()) === 1;
      },
      { what: 'recommendations on the shelf', timeoutMs: 20_000 },
    );
    await tab.getByText('Warp and Weft').first().click();
    await tab.getByText('What readers say').waitFor({ timeout: 10_000 });
    assert.match((await tab.locator('body').textContent()) ?? '', /reviews v[123].*took home/s);
    assert.deepEqual(errors, []);
  });
  const commands = childPids(demo.pid).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  const envoys = commands.filter((command) => /(^|\/)envoy\0/.test(command)).length;
  const own = commands.filter((command) => command.includes('/dist/proxy.js')).length;
  assert.ok(envoys >= 4 && own >= 4, `${envoys} Envoys and ${own} of our own`);
});

test('the first page shows each service with its rate and success, from traffic of both engines', {
  skip,
  timeout: 120_000,
}, async () => {
  await withPage(async (tab) => {
    const errors: string[] = [];
    tab.on('pageerror', (error) => errors.push(error.message));
    const response = await tab.goto(page);
    assert.equal(response?.status(), 200);
    for (const service of [
      'storefront',
      'catalog',
      'reviews',
      'ratings',
      'orders',
      'stock',
      'cache',
      'recommendations',
    ]) {
      await tab.getByText(service, { exact: false }).first().waitFor({ timeout: 20_000 });
    }
    await tab
      .getByText(/100(\.0)?\s?%/)
      .first()
      .waitFor({ timeout: 30_000 });
    assert.deepEqual(errors, []);
  });
});

test('the page is closed to a browser without the link', { skip }, async () => {
  const { origin } = new URL(page);
  const response = await fetch(`${origin}/weft/v1/overview`);
  assert.equal(response.status, 401);
});

test('Ctrl-C stops everything and leaves nothing running', { skip, timeout: 60_000 }, async () => {
  const pids = childPids(demo.pid);
  assert.ok(pids.length > 15, `${pids.length} processes`);
  demo.child.kill('SIGINT');
  const { code } = await demo.ended;
  assert.equal(code, 0, demo.output().slice(-2000));
  // A process that has ended and was handed to init counts as gone.
  const left = pids.filter((pid) => isRunning(pid));
  assert.deepEqual(left, []);
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Overview, ProxySummary, ServiceSummary, Traffic } from '@weft/admin-api';
import { readDemo, shopPortOf } from '../demo/definition.ts';
import { runInTurn } from '../demo/run-in-turn.ts';
import { programPaths } from '../platform/program-paths.ts';
import { createStyle } from '../terminal/style.ts';
import { proxyChecks, rightsChecks } from './check.ts';
import { parseTargets, tableText } from './get.ts';
import { statusText } from './status.ts';

const style = createStyle(false);

function traffic(requestsPerSecond: number, successRate: number | null): Traffic {
  return { requestsPerSecond, errorsPerSecond: 0, successRate, requests: 0, errors: 0 };
}

function proxy(name: string, change: Partial<ProxySummary> = {}): ProxySummary {
  return {
    namespace: 'default',
    name,
    identity: `spiffe://cluster.local/ns/default/sa/${name}`,
    engine: 'weft',
    version: '0.1.0',
    connected: true,
    sync: [{ type: 'LDS', state: 'SYNCED', resources: 2, refused: [], ackedVersion: 'a' }],
    state: 'SYNCED',
    ...change,
  };
}

const reviews: ServiceSummary = {
  namespace: 'default',
  name: 'reviews',
  host: 'reviews.default.svc.cluster.local',
  ports: [{ name: 'http', port: 80, protocol: 'http', declared: true, seen: [] }],
  instances: ['v1', 'v2'].map((version) => ({
    name: `reviews-${version}`,
    version,
    address: '127.0.0.1:1',
    ready: version === 'v1',
    engine: version === 'v1' ? 'weft' : 'envoy',
    traffic: traffic(1.5, 1),
  })),
  readyInstances: 1,
  mtls: { mode: 'strict', secured: 2, instances: 2 },
  traffic: traffic(3, 0.9994),
};

const overview: Overview = {
  at: '2026-01-01T00:00:00Z',
  windowSeconds: 30,
  trustDomain: 'cluster.local',
  defaults: 'istio',
  services: [reviews],
  proxies: { total: 2, connected: 2, synced: 1 },
  errors: [],
};

test('status shows services by version, each proxy, and the last refusal with its reason', () => {
  const nacked = proxy('reviews-v2', {
    engine: 'envoy',
    state: 'NACKED',
    sync: [{ type: 'LDS', state: 'NACKED', resources: 2, refused: ['inbound|80'], ackedVersion: '' }],
    lastNack: { type: 'LDS', resources: ['inbound|80'], message: 'cannot bind', at: '2026-01-01T00:00:00Z' },
  });
  const text = statusText(overview, [proxy('reviews-v1'), nacked], style, 0, false);
  assert.match(text, /^mesh defaults: istio$/m);
  assert.match(text, /^reviews +1\/2 +envoy\+weft +strict +3\.0\/s +99\.9 %$/m);
  assert.match(text, /^ {2}v2 +not ready +envoy +1\.5\/s +100\.0 %$/m);
  assert.match(
    text,
    /^default\/reviews-v1 +spiffe:\/\/cluster\.local\/ns\/default\/sa\/reviews-v1 +weft +0\.1\.0 +synced +now +2/m,
  );
  assert.match(text, /refused by default\/reviews-v2: LDS inbound\|80\n {2}cannot bind/);
});

test('status shows TCP by its bytes, and what ports should declare', () => {
  const tcp = { connectionsPerSecond: 0, bytesPerSecond: 1_240, connections: 0, failed: 0, open: 1 };
  const cache: ServiceSummary = {
    ...reviews,
    name: 'cache',
    ports: [
      {
        name: 'data',
        port: 7000,
        protocol: 'auto',
        declared: false,
        seen: [{ protocol: 'tcp', count: 1, lastSeen: '2026-01-01T00:00:00Z' }],
        advice: {
          kind: 'undeclared',
          message: 'port 7000 declares no protocol; tcp was seen',
          fix: 'declare `appProtocol: tcp`',
        },
      },
    ],
    instances: [],
    readyInstances: 0,
    traffic: { ...traffic(0, null), tcp },
  };
  const text = statusText({ ...overview, services: [cache] }, [], style, 0, false);
  assert.match(text, /^cache +0\/0 +- +strict +1\.2 kB\/s +1 open$/m);
  assert.match(
    text,
    /^hint: service default\/cache port 7000 declares no protocol; tcp was seen\n {2}declare `appProtocol: tcp`$/m,
  );
});

test('check: proxies that are away, refuse, or are behind are named with the fix', () => {
  const results = proxyChecks(
    [
      proxy('a'),
      proxy('b', { connected: false, lastSeen: '2026-01-01T00:00:00Z' }),
      proxy('c', { state: 'NACKED' }),
      proxy('d', { state: 'STALE' }),
    ],
    Date.parse('2026-01-01T00:01:00Z'),
  );
  assert.deepEqual(
    results.map((result) => `${result.outcome} ${result.title}: ${result.message}`),
    [
      'failed proxy default/b: was last seen 60 s ago',
      'failed proxy default/c: refuses a part of its configuration',
      'warning proxy default/d: has not acknowledged its newest configuration yet',
    ],
  );
  assert.ok(results.every((result) => (result.fix ?? '') !== ''));
  assert.equal(proxyChecks([proxy('a')], 0)[0]?.outcome, 'ok');
});

test('check: files that others may read are found, however deep', () => {
  const home = mkdtempSync(join(tmpdir(), 'weft-rights-'));
  try {
    mkdirSync(join(home, 'ca/root'), { recursive: true, mode: 0o700 });
    writeFileSync(join(home, 'ca/root/key.pem'), '', { mode: 0o600 });
    assert.equal(rightsChecks(home)[0]?.outcome, 'ok');
    chmodSync(join(home, 'ca/root/key.pem'), 0o644);
    const [result] = rightsChecks(home);
    assert.equal(result?.outcome, 'failed');
    assert.match(result?.message ?? '', /ca\/root\/key\.pem/);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test('get reads targets as kubectl does', () => {
  assert.deepEqual(
    parseTargets(['svc,vs']).map(({ kind, name }) => [kind.kind, name]),
    [
      ['Service', undefined],
      ['VirtualService', undefined],
    ],
  );
  assert.deepEqual(
    parseTargets(['vs/a', 'svc/b']).map(({ kind, name }) => [kind.kind, name]),
    [
      ['VirtualService', 'a'],
      ['Service', 'b'],
    ],
  );
  assert.throws(() => parseTargets(['vs/', 'a']), /not of the form KIND\/NAME/);
});

test('server-side tables are printed with their columns, the wide ones on demand', () => {
  const table = {
    columnDefinitions: [
      { name: 'Name', type: 'string', priority: 0 },
      { name: 'Extra', type: 'string', priority: 1 },
    ],
    rows: [{ cells: ['a', 'x'], object: { metadata: { namespace: 'n' } } }],
  };
  assert.equal(tableText(table, 'table', true), 'NAMESPACE  NAME\nn          a\n');
  assert.equal(tableText(table, 'wide', false), 'NAME  EXTRA\na     x\n');
});

test('the demo is read with the engines that were chosen', () => {
  const folder = programPaths().demo;
  const plain = readDemo(folder, { envoy: [] }, 9999);
  assert.equal(shopPortOf(plain), 9999);
  assert.equal(shopPortOf(readDemo(folder, { envoy: [] }, undefined)), 8080);
  assert.ok(plain.workloads.every((workload) => workload.engine === 'weft'));
  const mixed = readDemo(folder, { envoy: ['reviews', 'ratings'] }, undefined);
  assert.deepEqual(
    mixed.workloads.filter((workload) => workload.engine === 'envoy').map((workload) => workload.name),
    ['reviews-v1', 'ratings', 'reviews-v2', 'reviews-v3'],
  );
  const half = readDemo(folder, { envoy: [], mix: 'half' }, undefined).workloads;
  assert.equal(half.filter((workload) => workload.engine === 'envoy').length, Math.floor(half.length / 2));
});

test('work is done a few at once, in order, and stops at the first error', async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const work = async (item: number): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (item === 4) {
      throw new Error('four');
    }
    done.push(item);
  };
  await assert.rejects(runInTurn([1, 2, 3, 4, 5, 6, 7, 8], 2, work), /four/);
  assert.equal(most, 2);
  assert.ok(!done.includes(8));
});

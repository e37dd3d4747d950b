import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { TrafficHistory, type TrafficReport } from './traffic-history.ts';

function report(over: Partial<TrafficReport> = {}): TrafficReport {
  return {
    proxyKey: 'shop/storefront',
    caller: { namespace: 'shop', name: 'storefront' },
    destination: { host: 'reviews', port: 80, subset: '' },
    issued: 20,
    succeeded: 18,
    failed: 2,
    endpoints: [],
    ...over,
  };
}

function setUp(options: { readonly maxSeries?: number } = {}): { clock: ManualClock; history: TrafficHistory } {
  const clock = new ManualClock();
  return { clock, history: new TrafficHistory({ clock, ...options }) };
}

test('rates are of the whole spans before the current one', () => {
  const { clock, history } = setUp();
  for (let i = 0; i < 10; i += 1) {
    history.record(report());
    clock.advance(2_000);
  }
  assert.deepEqual(history.service('reviews', 10_000), {
    issued: 100,
    succeeded: 90,
    failed: 10,
    requestsPerSecond: 10,
    errorsPerSecond: 1,
    successRate: 0.9,
  });
  history.record(report({ issued: 1_000_000 }));
  assert.equal(history.service('reviews', 10_000).requestsPerSecond, 10);
});

test('a series younger than the window is measured over its own age', () => {
  const { clock, history } = setUp();
  history.record(report());
  clock.advance(2_000);
  assert.equal(history.service('reviews', 60_000).requestsPerSecond, 10);
});

test('what is older than the window does not count, and silence leaves no success rate', () => {
  const { clock, history } = setUp();
  history.record(report());
  clock.advance(30_000);
  const rates = history.service('reviews', 10_000);
  assert.equal(rates.requestsPerSecond, 0);
  assert.equal(rates.successRate, null);
  assert.equal(history.service('reviews', 60_000).issued, 20);
});

test('the ring forgets, however long nobody reported', () => {
  const { clock, history } = setUp();
  history.record(report());
  clock.advance(history.maxWindowMs * 3);
  history.record(report({ issued: 1, succeeded: 1, failed: 0 }));
  clock.advance(2_000);
  assert.equal(history.service('reviews', history.maxWindowMs).issued, 1);
});

test('callers, subsets and ports are told apart as edges and add up for the service', () => {
  const { clock, history } = setUp();
  history.record(report());
  history.record(report({ proxyKey: 'shop/storefront-2' }));
  history.record(report({ proxyKey: 'shop/orders', caller: { namespace: 'shop', name: 'orders' } }));
  history.record(report({ destination: { host: 'reviews', port: 80, subset: 'v2' } }));
  history.record(report({ destination: { host: 'quiet', port: 80, subset: '' }, issued: 0, succeeded: 0, failed: 0 }));
  clock.advance(2_000);
  assert.equal(history.services(10_000).get('reviews')?.issued, 80);
  assert.deepEqual(
    history.edges(10_000).map(({ caller, destination, rates }) => [caller.name, destination.subset, rates.issued]),
    [
      ['orders', '', 20],
      ['storefront', '', 40],
      ['storefront', 'v2', 20],
    ],
  );
  assert.equal(history.proxy('shop/storefront', 10_000).issued, 40);
});

test('endpoints have rates of their own', () => {
  const { clock, history } = setUp();
  history.record(report({ endpoints: [{ address: '127.0.0.1:1', issued: 4, succeeded: 4, failed: 0 }] }));
  clock.advance(2_000);
  assert.equal(history.endpoints(['127.0.0.1:1', '127.0.0.1:3'], 10_000).requestsPerSecond, 2);
  assert.equal(history.endpoints(['127.0.0.1:2'], 10_000).requestsPerSecond, 0);
});

test('TCP is told apart: bytes and new connections over the window, open ones as last reported', () => {
  const { clock, history } = setUp();
  const nothing = { issued: 0, succeeded: 0, failed: 0 };
  const tcp = { connections: 1, failed: 0, bytes: 4_000, open: 2 };
  const endpoints = [{ address: '127.0.0.1:1', ...nothing, tcp }];
  history.record(report({ destination: { host: 'cache', port: 7000, subset: '' }, ...nothing, tcp, endpoints }));
  clock.advance(2_000);
  const rates = { ...tcp, connectionsPerSecond: 0.5, bytesPerSecond: 2_000 };
  assert.deepEqual(history.service('cache', 10_000).tcp, rates);
  assert.deepEqual(history.endpoints(['127.0.0.1:1'], 10_000).tcp, rates);
  assert.deepEqual(history.edges(10_000)[0]?.rates.tcp, rates);
  clock.advance(60_000);
  assert.equal(history.service('cache', 10_000).tcp?.open, 0, 'nobody has reported it lately');
  assert.deepEqual(history.edges(10_000), []);
});

test('many bytes in one report are all counted', () => {
  const { clock, history } = setUp();
  const tcp = { connections: 1, failed: 0, bytes: 20_000_000_000, open: 1 };
  history.record(report({ issued: 0, succeeded: 0, failed: 0, tcp }));
  clock.advance(2_000);
  assert.equal(history.edges(10_000)[0]?.rates.tcp?.bytes, tcp.bytes);
});

test('above the limit the series that was silent for longest makes room', () => {
  const { clock, history } = setUp({ maxSeries: 3 });
  for (const host of ['a', 'b', 'c', 'd']) {
    history.record(report({ destination: { host, port: 80, subset: '' } }));
    clock.advance(2_000);
  }
  assert.deepEqual([...history.services(60_000).keys()], ['b', 'c', 'd']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { group, item, prioritySet, shares } from '../../test/support/balanced.ts';
import { type LocalCluster, type ZoneAwareOptions, zoneRoute } from './zone-routing.ts';

const options: ZoneAwareOptions = {
  routingEnabledPercent: 100,
  minClusterSize: 6,
  byWeight: false,
  forceLocalZoneMinSize: undefined,
};
const locality = { kind: 'zone-aware', failTrafficOnPanic: false, ...options } as const;

function callers(counts: Readonly<Record<string, number>>, own: string): LocalCluster {
  const items = Object.entries(counts).flatMap(([zone, count]) => group(zone, count, count, { locality: zone }));
  return prioritySet(items, { own }).set.localCluster();
}

function spread(
  upstream: Readonly<Record<string, number>>,
  local: LocalCluster | undefined,
  overrides: Partial<typeof locality> = {},
): Record<string, number> {
  const items = Object.entries(upstream).flatMap(([zone, count]) => group(zone, count, count, { locality: zone }));
  const { set } = prioritySet(items, {
    own: 'a',
    locality: { ...locality, ...overrides },
    localCluster: () => local,
  });
  return shares(() => set.pick());
}

const near = (value: number | undefined, expected: number, tolerance = 2): void =>
  assert.ok(value !== undefined && Math.abs(value - expected) <= tolerance, `${value}, not ${expected}`);

test('where the own zone has its part of the endpoints everything stays', () => {
  assert.deepEqual(spread({ a: 4, b: 4 }, callers({ a: 2, b: 2 }, 'a')), { a: 100 });
});

test('where it has less, the rest goes to zones that have more than they need', () => {
  // Half of the callers, a quarter of the endpoints: half stays; b has a quarter and needs a quarter; c takes the rest.
  const seen = spread({ a: 2, b: 2, c: 4 }, callers({ a: 4, b: 2, c: 2 }, 'a'));
  near(seen['a'], 50);
  near(seen['c'], 50);
  assert.equal(seen['b'], undefined);
});

test('a small cluster, an unknown place and a percentage leave zones alone', () => {
  near(spread({ a: 2, b: 2 }, callers({ a: 2, b: 2 }, 'a'))['b'], 50);
  near(spread({ a: 4, b: 4 }, undefined)['b'], 50);
  near(spread({ a: 4, b: 4 }, callers({ b: 2, c: 2 }, 'a'))['b'], 50);
  near(spread({ a: 4, b: 4 }, callers({ a: 2, b: 2 }, 'a'), { routingEnabledPercent: 40 })['b'], 30);
});

test('force_local_zone keeps everything at home, if home is large enough', () => {
  const local = callers({ a: 4, b: 2, c: 2 }, 'a');
  assert.deepEqual(spread({ a: 2, b: 2, c: 4 }, local, { forceLocalZoneMinSize: 2 }), { a: 100 });
  near(spread({ a: 2, b: 2, c: 4 }, local, { forceLocalZoneMinSize: 3 })['a'], 50);
});

test('shares may go by weights', () => {
  const upstream = [
    { locality: 'a', weight: 1, endpoints: [item('', { weight: 3 }), item('', { weight: 3 }), item('')] },
    { locality: 'b', weight: 1, endpoints: group('', 3, 3) },
  ];
  const local = callers({ a: 3, b: 2 }, 'a');
  assert.equal(zoneRoute(upstream, true, local, options).kind, 'residual');
  assert.equal(zoneRoute(upstream, true, local, { ...options, byWeight: true }).kind, 'direct');
});

test('an unhealthy local cluster is no guide', () => {
  const items = group('a', 1, 4, { locality: 'a' }).concat(group('b', 0, 4, { locality: 'b' }));
  const local = prioritySet(items, { own: 'a' }).set.localCluster();
  assert.equal(local.panic, true);
  near(spread({ a: 4, b: 4 }, local)['b'], 50);
});

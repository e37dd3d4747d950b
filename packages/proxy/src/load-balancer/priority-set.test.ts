import assert from 'node:assert/strict';
import { test } from 'node:test';
import { group, type Item, item, prioritySet, shares } from '../../test/support/balanced.ts';
import type { PickContext } from './pick-context.ts';
import { priorityLoad } from './priority-load.ts';

const near = (value: number | undefined, expected: number, tolerance = 2): void =>
  assert.ok(value !== undefined && Math.abs(value - expected) <= tolerance, `${value}, not ${expected}`);
const noContext: PickContext<Item> = {
  hash: undefined,
  overrideAddress: '',
  isOverrideStrict: false,
  hostSelectionRetries: 0,
  shouldSkip: () => false,
};

test('a priority that is healthy enough takes everything', () => {
  const { set } = prioritySet([...group('first', 3, 4), ...group('second', 4, 4, { priority: 1 })]);
  assert.deepEqual(
    shares(() => set.pick()),
    { first: 100 },
  );
});

test('what the first priority cannot take goes to the next, by the over-provisioning factor', () => {
  const { set } = prioritySet([...group('first', 1, 2), ...group('second', 2, 2, { priority: 1 })]);
  const { first, second } = shares(() => set.pick());
  near(first, 70, 1);
  near(second, 30, 1);
});

test('with too few healthy ones everywhere all are used, and the panic is counted', () => {
  const { set, counters } = prioritySet(group('all', 1, 10));
  assert.deepEqual(
    shares(() => set.pick(), 100),
    { all: 100 },
  );
  assert.equal(counters.healthyPanic, 100);
});

test('panic threshold 0: nothing healthy means nothing at all', () => {
  const { set } = prioritySet(group('down', 0, 3), { panicThresholdPercent: 0 });
  assert.equal(set.pick(), undefined);
});

test('fail_traffic_on_panic: nothing rather than everything', () => {
  const { set } = prioritySet(group('all', 1, 10), {
    locality: {
      kind: 'zone-aware',
      routingEnabledPercent: 100,
      minClusterSize: 6,
      failTrafficOnPanic: true,
      byWeight: false,
      forceLocalZoneMinSize: undefined,
    },
  });
  assert.equal(set.pick(), undefined);
});

test('degraded endpoints get what the healthy ones cannot take', () => {
  const list = [item('healthy'), item('degraded', { condition: 'degraded' }), ...group('down', 0, 2)];
  const { set } = prioritySet(list, { panicThresholdPercent: 0 });
  const { healthy, degraded } = shares(() => set.pick());
  near(healthy, 50);
  near(degraded, 50);
});

test('loads of Envoy’s documentation: rows of its table of two and three priorities', () => {
  const rows: [healthyPercents: number[], loads: number[]][] = [
    [
      [100, 100],
      [100, 0],
    ],
    [
      [72, 72],
      [100, 0],
    ],
    [
      [71, 71],
      [99, 1],
    ],
    [
      [50, 50],
      [70, 30],
    ],
    [
      [25, 100],
      [35, 65],
    ],
    [
      [25, 25],
      [50, 50],
    ],
    [
      [0, 100, 100],
      [0, 100, 0],
    ],
    [
      [25, 25, 25],
      [35, 35, 30],
    ],
  ];
  for (const [percents, loads] of rows) {
    const levels = percents.map((healthy) => ({ total: 100, excluded: 0, healthy, degraded: 0 }));
    assert.deepEqual([...priorityLoad(levels, 140, 0).healthy], loads, `${percents}`);
  }
});

test('endpoints that were not checked yet count neither way', () => {
  const level = (excluded: number): Parameters<typeof priorityLoad>[0][number] => ({
    total: 10,
    excluded,
    healthy: 4,
    degraded: 0,
  });
  assert.deepEqual(priorityLoad([level(0)], 100, 50).panic, [true]);
  assert.deepEqual(priorityLoad([level(6)], 100, 50).panic, [false]);
});

test('weighted_priority_health counts weights', () => {
  const list = [
    item('heavy', { weight: 9, condition: 'unhealthy' }),
    item('light', { weight: 1 }),
    item('second', { priority: 1 }),
  ];
  const { set } = prioritySet(list, { weightedHealth: true });
  const { light, second } = shares(() => set.pick());
  near(light, 14);
  near(second, 86);
});

test('a change of health counts from the next choice on', () => {
  const list = [item('a'), item('b'), item('c')];
  const { set } = prioritySet(list);
  assert.equal(Object.keys(shares(() => set.pick(), 30)).length, 3);
  (list[1] ?? item('')).condition = 'unhealthy';
  set.healthChanged();
  assert.deepEqual(Object.keys(shares(() => set.pick(), 30)).sort(), ['a', 'c']);
  (list[1] ?? item('')).condition = 'healthy';
  set.healthChanged();
  assert.equal(Object.keys(shares(() => set.pick(), 30)).length, 3);
});

test('localities share by weight times health', () => {
  const list = [
    ...group('near', 2, 4, { locality: 'near' }),
    ...group('far', 4, 4, { locality: 'far' }),
    ...group('never', 4, 4, { locality: 'never' }),
  ];
  const { set } = prioritySet(list, {
    locality: { kind: 'weighted' },
    weights: { near: 80, far: 20, never: 0 },
    panicThresholdPercent: 0,
  });
  // near: 80 × min(1, 1.4 × 1/2) = 56, far: 20.
  const { near: seen, far, never } = shares(() => set.pick());
  near(seen, 74, 1);
  near(far, 26, 1);
  assert.equal(never, undefined);
});

test('without any weight localities do not matter', () => {
  const list = [...group('a', 1, 1, { locality: 'x' }), ...group('b', 3, 3, { locality: 'y' })];
  const { set } = prioritySet(list, { locality: { kind: 'weighted' }, weights: { x: 0, y: 0 } });
  near(shares(() => set.pick())['a'], 25, 1);
});

test('previously tried endpoints are passed over, as often as is allowed', () => {
  const list = [item('a'), item('b'), item('c')];
  const { set } = prioritySet(list, { policy: { kind: 'random' } });
  const tried = new Set(['a', 'b']);
  const context = { ...noContext, hostSelectionRetries: 50, shouldSkip: ({ name }: Item) => tried.has(name) };
  assert.deepEqual(
    shares(() => set.pick(context), 1000),
    { c: 100 },
  );
  near(shares(() => set.pick({ ...context, hostSelectionRetries: 1 }))['c'], 56);
});

for (const policy of [
  { kind: 'ring-hash', hashFunction: 'xx-hash', minimumSize: 1024, maximumSize: 8_388_608 },
  { kind: 'maglev', tableSize: 1021 },
] as const) {
  const hashing = { ...policy, byHostname: false, hashBalanceFactor: undefined, hashPolicies: [] };

  test(`${policy.kind}: a hash has its endpoint, other requests go anywhere`, () => {
    const list = ['a', 'b', 'c', 'd'].map((name) => item(name));
    const { set } = prioritySet(list, { policy: hashing });
    assert.equal(set.ready, true);
    const context = { ...noContext, hash: { hi: 123_456_789, lo: 987_654_321 } };
    const [home = ''] = Object.keys(shares(() => set.pick(context), 100));
    assert.deepEqual(
      shares(() => set.pick(context), 100),
      { [home]: 100 },
    );
    assert.equal(Object.keys(shares(() => set.pick(), 1000)).length, 4);
    const elsewhere = set.pick({ ...context, hostSelectionRetries: 20, shouldSkip: ({ name }) => name === home });
    assert.notEqual(elsewhere?.name, home);
    assert.notEqual(elsewhere, undefined);
  });

  test(`${policy.kind}: who falls ill is left out, and has its keys again when it is well`, () => {
    const list = ['a', 'b', 'c', 'd'].map((name) => item(name));
    const { set } = prioritySet(list, { policy: hashing });
    const homes = (): (string | undefined)[] =>
      Array.from(
        { length: 200 },
        (_, key) => set.pick({ ...noContext, hash: { hi: key * 21_474_836, lo: key } })?.name,
      );
    const before = homes();
    (list[0] ?? item('')).condition = 'unhealthy';
    set.healthChanged();
    const ill = homes();
    assert.equal(ill.includes('a'), false);
    (list[0] ?? item('')).condition = 'healthy';
    set.healthChanged();
    assert.deepEqual(homes(), before);
  });
}

test('a large table is built step by step; the old one serves meanwhile, without those that are ill', async () => {
  const policy = { kind: 'maglev', tableSize: 65_537, byHostname: false, hashBalanceFactor: undefined } as const;
  const list = Array.from({ length: 20 }, (_, index) => item(`e${index}`));
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const { set } = prioritySet(list, { policy: { ...policy, hashPolicies: [] }, onReady: () => ready() });
  assert.equal(set.ready, false);
  assert.equal(
    Object.keys(shares(() => set.pick({ ...noContext, hash: { hi: 5, lo: 77 } }), 1000)).length,
    20,
    'anywhere',
  );
  await isReady;
  assert.equal(set.ready, true);
  const hash = { hi: 5, lo: 77 };
  const home = set.pick({ ...noContext, hash });
  assert.ok(home !== undefined);
  home.condition = 'unhealthy';
  set.healthChanged();
  const other = set.pick({ ...noContext, hash });
  assert.ok(other !== undefined && other !== home, 'the old table without the ill one');
});

test('ring hash fails over by priority, and the same key goes to the same one of them', () => {
  const policy = { kind: 'ring-hash', hashFunction: 'xx-hash', minimumSize: 1024, maximumSize: 2048 } as const;
  const { set } = prioritySet([...group('first', 1, 2), ...group('second', 2, 2, { priority: 1 })], {
    policy: { ...policy, byHostname: false, hashBalanceFactor: undefined, hashPolicies: [] },
  });
  const names = (): (string | undefined)[] =>
    Array.from({ length: 1000 }, (_, key) => set.pick({ ...noContext, hash: { hi: 0, lo: key } })?.name);
  const first = names();
  assert.equal(first.filter((name) => name === 'first').length, 700);
  assert.deepEqual(names(), first);
});

test('an empty set picks nothing', () => {
  assert.equal(prioritySet([]).set.pick(), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { item, shares } from '../../test/support/balanced.ts';
import { LatencyEstimate } from './peak-ewma.ts';
import { createPicker } from './picker.ts';

const context = (seed: number, nowMs: () => number = () => 0): { random: () => number; nowMs: () => number } => ({
  random: seededRandom(seed),
  nowMs,
});
const leastRequest = { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 } as const;
const near = (value: number | undefined, expected: number, tolerance = 1): void =>
  assert.ok(value !== undefined && Math.abs(value - expected) <= tolerance, `${value}, not ${expected}`);

test('round robin takes turns', () => {
  const list = [item('a'), item('b'), item('c')];
  const picker = createPicker({ kind: 'round-robin' }, list, context(1));
  const names = Array.from({ length: 6 }, () => picker.pick()?.name);
  assert.equal(new Set(names.slice(0, 3)).size, 3);
  assert.deepEqual(names.slice(0, 3), names.slice(3));
});

test('round robin with weights gives each its share, evenly spread', () => {
  const list = [item('a', { weight: 5 }), item('b', { weight: 1 })];
  const picker = createPicker({ kind: 'round-robin' }, list, context(2));
  assert.deepEqual(
    shares(() => picker.pick(), 6000),
    { a: 83, b: 17 },
  );
  const window = Array.from({ length: 6 }, () => picker.pick()?.name);
  assert.equal(window.filter((name) => name === 'b').length, 1);
});

test('weighted schedules begin anywhere: many proxies do not all begin with the heaviest', () => {
  const list = [item('a', { weight: 3 }), item('b', { weight: 2 }), item('c')];
  const surroundings = context(2);
  const first = shares(() => createPicker({ kind: 'round-robin' }, list, surroundings).pick(), 3000);
  near(first['a'], 61, 4);
  near(first['b'], 28, 4);
  near(first['c'], 11, 4);
});

test('least request prefers the idle one of two choices', () => {
  const list = [item('busy', { active: 10 }), item('idle')];
  const picker = createPicker(leastRequest, list, context(3));
  const { busy, idle } = shares(() => picker.pick());
  near(busy, 25);
  near(idle, 75);
});

test('weighted least request lowers the weight by the requests in flight', () => {
  const list = [item('a', { weight: 2, active: 3 }), item('b', { weight: 1 })];
  const picker = createPicker(leastRequest, list, context(4));
  assert.deepEqual(
    shares(() => picker.pick(), 6000),
    { a: 33, b: 67 },
  );
  const plain = createPicker({ ...leastRequest, activeRequestBias: 0 }, list, context(5));
  assert.deepEqual(
    shares(() => plain.pick(), 6000),
    { a: 67, b: 33 },
  );
  const strong = createPicker({ ...leastRequest, activeRequestBias: 2 }, list, context(5));
  assert.deepEqual(
    shares(() => strong.pick(), 9000),
    { a: 11, b: 89 },
  );
});

test('a full scan finds the least loaded, and treats equals alike', () => {
  const list = [item('a', { active: 2 }), item('b', { active: 1 }), item('c', { active: 1 }), item('d', { active: 9 })];
  const picker = createPicker({ ...leastRequest, fullScan: true }, list, context(6));
  const seen = shares(() => picker.pick());
  near(seen['b'], 50, 2);
  near(seen['c'], 50, 2);
});

test('random is uniform, whatever the weights', () => {
  const picker = createPicker({ kind: 'random' }, [item('a'), item('b', { weight: 9 })], context(7));
  near(shares(() => picker.pick())['a'], 50, 2);
});

test('slow start: a new endpoint gets its share little by little', () => {
  let now = 100_000;
  const list = [item('old'), item('new', { healthySinceMs: 100_000 })];
  const slowStart = { windowMs: 10_000, aggression: 1, minWeightPercent: 10 };
  for (const policy of [{ kind: 'round-robin' }, leastRequest] as const) {
    now = 100_000;
    const picker = createPicker(
      { ...policy, slowStart },
      list,
      context(8, () => now),
    );
    near(shares(() => picker.pick(), 5500)['new'], 9);
    now = 105_000;
    near(shares(() => picker.pick(), 6000)['new'], 33);
    now = 110_001;
    near(shares(() => picker.pick(), 6000)['new'], 50);
  }
  now = 102_500;
  const eager = createPicker(
    { kind: 'round-robin', slowStart: { ...slowStart, aggression: 2 } },
    list,
    context(9, () => now),
  );
  near(shares(() => eager.pick(), 6000)['new'], 33, 1);
});

test('peak EWMA goes by latency times requests in flight, and takes weights into account', () => {
  const options = { decayMs: 10_000, defaultLatencyMs: 30 };
  const [fast, slow] = [new LatencyEstimate(options, 0), new LatencyEstimate(options, 0)];
  slow.observe(100, 0);
  const list = [item('fast', { latency: fast }), item('slow', { latency: slow })];
  const picker = createPicker({ kind: 'peak-ewma', ...options }, list, context(10));
  assert.deepEqual(
    shares(() => picker.pick(), 100),
    { fast: 100 },
  );
  (list[0] ?? item('')).active = 4;
  assert.equal(picker.pick()?.name, 'slow', '30 × 5 against 100 × 1');
  (list[0] ?? item('')).weight = 2;
  assert.equal(picker.pick()?.name, 'fast', 'half of it by weight');
});

test('peak EWMA gives a new endpoint fewer requests in flight at first', () => {
  const options = { decayMs: 10_000, defaultLatencyMs: 30 };
  const list = [item('old', { healthySinceMs: -20_000 }), item('new', { healthySinceMs: 1000 })];
  for (const each of list) {
    each.latency = new LatencyEstimate(options, 0);
  }
  const slowStart = { windowMs: 10_000, aggression: 1, minWeightPercent: 10 };
  const picker = createPicker(
    { kind: 'peak-ewma', ...options, slowStart },
    list,
    context(13, () => 3000),
  );
  const inFlight = [3, 5].map((active) => {
    (list[0] ?? item('')).active = active;
    return picker.pick()?.name;
  });
  assert.deepEqual(inFlight, ['old', 'new'], 'a fifth of its weight: one for five');
});

test('of many equal endpoints peak EWMA uses all', () => {
  const list = Array.from({ length: 10 }, (_, index) => item(`e${index}`));
  const picker = createPicker({ kind: 'peak-ewma', decayMs: 1, defaultLatencyMs: 1 }, list, context(11));
  for (const share of Object.values(shares(() => picker.pick()))) {
    near(share, 10, 2);
  }
});

test('an estimate jumps to a peak, comes down slowly, and decays without answers', () => {
  const estimate = new LatencyEstimate({ decayMs: 10_000, defaultLatencyMs: 30 }, 0);
  assert.equal(estimate.at(0), 30);
  estimate.observe(500, 0);
  assert.equal(estimate.at(0), 500);
  estimate.observe(10, 1000);
  const after = estimate.at(1000);
  assert.ok(after > 450 && after < 460, `${after}`);
  assert.ok(Math.abs(estimate.at(11_000) - after / Math.E) < 0.001);
  estimate.observe(1, 1000, true);
  assert.equal(estimate.at(1000), after, 'a failure is not rewarded for its speed');
  estimate.observe(9000, 1000, true);
  assert.equal(estimate.at(1000), 9000);
});

test('lists of one and of none', () => {
  for (const policy of [
    { kind: 'round-robin' },
    leastRequest,
    { kind: 'random' },
    { kind: 'peak-ewma', decayMs: 1, defaultLatencyMs: 1 },
  ] as const) {
    assert.equal(createPicker(policy, [item('only')], context(12)).pick()?.name, 'only');
    assert.equal(createPicker(policy, [], context(12)).pick(), undefined);
  }
});

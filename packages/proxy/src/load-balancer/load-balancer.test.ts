import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { createPicker } from './picker.ts';
import { PrioritySet } from './priority-set.ts';

interface Item {
  readonly name: string;
  readonly weight: number;
  active: number;
  readonly priority: number;
  readonly health: 'healthy' | 'unhealthy' | 'draining' | 'degraded';
}

function item(name: string, overrides: Partial<Item> = {}): Item {
  return { name, weight: 1, active: 0, priority: 0, health: 'healthy', ...overrides };
}

function shares(pick: () => Item | undefined, count = 10_000): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const name = pick()?.name ?? 'none';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([name, seen]) => [name, Math.round((100 * seen) / count)]));
}

test('round robin takes turns', () => {
  const list = [item('a'), item('b'), item('c')];
  const picker = createPicker({ kind: 'round-robin' }, list, seededRandom(1));
  const names = Array.from({ length: 6 }, () => picker.pick()?.name);
  assert.equal(new Set(names.slice(0, 3)).size, 3);
  assert.deepEqual(names.slice(0, 3), names.slice(3));
});

test('round robin with weights gives each its share, evenly spread', () => {
  const list = [item('a', { weight: 5 }), item('b', { weight: 1 })];
  const picker = createPicker({ kind: 'round-robin' }, list, seededRandom(2));
  assert.deepEqual(
    shares(() => picker.pick(), 6000),
    { a: 83, b: 17 },
  );
  const window = Array.from({ length: 6 }, () => picker.pick()?.name);
  assert.equal(window.filter((name) => name === 'b').length, 1);
});

test('least request prefers the idle one of two choices', () => {
  const list = [item('busy', { active: 10 }), item('idle')];
  const picker = createPicker({ kind: 'least-request', choiceCount: 2, activeRequestBias: 1 }, list, seededRandom(3));
  const { busy = 0, idle = 0 } = shares(() => picker.pick());
  assert.ok(Math.abs(busy - 25) <= 1, `${busy}: only when both choices fall on it`);
  assert.ok(Math.abs(idle - 75) <= 1, `${idle}`);
});

test('weighted least request lowers the weight by the requests in flight', () => {
  const policy = { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 } as const;
  const list = [item('a', { weight: 2, active: 3 }), item('b', { weight: 1 })];
  const picker = createPicker(policy, list, seededRandom(4));
  assert.deepEqual(
    shares(() => picker.pick(), 6000),
    { a: 33, b: 67 },
  );
  const plain = createPicker({ ...policy, activeRequestBias: 0 }, list, seededRandom(5));
  assert.deepEqual(
    shares(() => plain.pick(), 6000),
    { a: 67, b: 33 },
  );
});

test('random is uniform', () => {
  const picker = createPicker({ kind: 'random' }, [item('a'), item('b', { weight: 9 })], seededRandom(6));
  const { a = 0 } = shares(() => picker.pick());
  assert.ok(a >= 48 && a <= 52);
});

function priorities(list: readonly Item[], panicThresholdPercent = 50, onPanic = (): void => {}): PrioritySet<Item> {
  return new PrioritySet(list, {
    policy: { kind: 'round-robin' },
    overprovisioningFactor: 140,
    panicThresholdPercent,
    random: seededRandom(7),
    onPanic,
  });
}

function group(name: string, priority: number, healthy: number, total: number): Item[] {
  return Array.from({ length: total }, (_, index) =>
    item(name, { priority, health: index < healthy ? 'healthy' : 'unhealthy' }),
  );
}

test('a priority that is healthy enough takes everything', () => {
  const set = priorities([...group('first', 0, 3, 4), ...group('second', 1, 4, 4)]);
  assert.deepEqual(
    shares(() => set.pick()),
    { first: 100 },
  );
});

test('what the first priority cannot take goes to the next, by the over-provisioning factor', () => {
  const set = priorities([...group('first', 0, 1, 2), ...group('second', 1, 2, 2)]);
  const { first = 0, second = 0 } = shares(() => set.pick());
  assert.ok(Math.abs(first - 70) <= 1, `${first}`);
  assert.ok(Math.abs(second - 30) <= 1, `${second}`);
});

test('with too few healthy ones everywhere all are used, and the panic is told', () => {
  let panics = 0;
  const set = priorities(group('all', 0, 1, 10), 50, () => {
    panics += 1;
  });
  assert.deepEqual(
    shares(() => set.pick(), 100),
    { all: 100 },
  );
  assert.equal(panics, 100);
});

test('panic threshold 0: nothing healthy means nothing at all', () => {
  const set = priorities(group('down', 0, 0, 3), 0);
  assert.equal(set.pick(), undefined);
});

test('degraded endpoints get what the healthy ones cannot take', () => {
  const list = [item('healthy'), item('degraded', { health: 'degraded' }), ...group('down', 0, 0, 2)];
  const set = priorities(list, 0);
  const { healthy = 0, degraded = 0 } = shares(() => set.pick());
  assert.ok(healthy >= 48 && healthy <= 52, `${healthy}`);
  assert.ok(degraded >= 48 && degraded <= 52, `${degraded}`);
});

test('an empty set picks nothing', () => {
  assert.equal(priorities([]).pick(), undefined);
});

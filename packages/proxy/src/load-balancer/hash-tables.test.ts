import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { runAtOnce } from './background-work.ts';
import { BoundedLoad } from './bounded-load.ts';
import { buildHashRing, type RingOptions, ringSize } from './hash-ring.ts';
import type { HashTable } from './hash-table.ts';
import type { Hash64 } from './hash64.ts';
import { buildMaglevTable } from './maglev-table.ts';
import { normalizeWeights } from './normalized-weights.ts';

interface Host {
  readonly key: string;
  readonly weight: number;
  active: number;
}

const host = (number: number, weight = 1): Host => ({ key: `10.0.0.${number}:80`, weight, active: 0 });
const ringOptions: RingOptions = { hashFunction: 'xx-hash', minimumSize: 1024, maximumSize: 8_388_608 };

function ring(hosts: readonly Host[], options: Partial<RingOptions> = {}): HashTable<Host> {
  const weights = normalizeWeights([{ weight: 1, hosts }]);
  return runAtOnce(buildHashRing(weights, ({ key }) => key, { ...ringOptions, ...options }));
}

function maglev(hosts: readonly Host[], size = 65_537): HashTable<Host> {
  return runAtOnce(buildMaglevTable(normalizeWeights([{ weight: 1, hosts }]), ({ key }) => key, size));
}

/** Percent of many random hashes that each host gets. */
function shares(choose: (hash: Hash64) => number, hosts: number, seed = 1, draws = 50_000): number[] {
  const random = seededRandom(seed);
  const counts = new Array<number>(hosts).fill(0);
  for (let draw = 0; draw < draws; draw += 1) {
    const index = choose({ hi: Math.floor(random() * 2 ** 32), lo: Math.floor(random() * 2 ** 32) });
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count) => (100 * count) / draws);
}

const within = (value: number | undefined, expected: number, tolerance: number, what: string): void =>
  assert.ok(value !== undefined && Math.abs(value - expected) <= tolerance, `${what}: ${value}, not ${expected}`);

for (const hashFunction of ['xx-hash', 'murmur-hash-2'] as const) {
  test(`a ring of ${hashFunction} gives each endpoint its share`, () => {
    const table = ring([host(1), host(2, 2), host(3, 5)], { minimumSize: 16_384, hashFunction });
    const seen = shares((hash) => table.choose(hash, 0), 3);
    within(seen[0], 12.5, 1.5, 'weight 1');
    within(seen[1], 25, 2, 'weight 2');
    within(seen[2], 62.5, 2.5, 'weight 5');
  });
}

test('an endpoint that leaves a ring takes nothing else with it', () => {
  const all = [1, 2, 3, 4, 5].map((number) => host(number));
  const before = ring(all, { minimumSize: 4096 });
  const after = ring(all.slice(0, 4), { minimumSize: 4096 });
  const random = seededRandom(3);
  let moved = 0;
  for (let draw = 0; draw < 5000; draw += 1) {
    const hash = { hi: Math.floor(random() * 2 ** 32), lo: Math.floor(random() * 2 ** 32) };
    const was = before.choose(hash, 0);
    if (was !== 4 && after.choose(hash, 0) !== was) {
      moved += 1;
    }
  }
  // The entries of those that stay are as good as the same: 820 became 1024 each.
  assert.ok(moved < 5000 * 0.2, `${moved} keys moved`);
});

test('a ring is as large as the least weight and the bounds demand', () => {
  const size = (hosts: Host[], options: Partial<RingOptions>): number =>
    ringSize(normalizeWeights([{ weight: 1, hosts }]), { ...ringOptions, ...options });
  assert.equal(size([host(1), host(2), host(3)], {}), 1026);
  assert.equal(size([host(1)], { minimumSize: 100 }), 100);
  assert.equal(size([host(1), host(2, 99)], { minimumSize: 10, maximumSize: 50 }), 50);
  assert.equal(size([], {}), 0);
});

test('a ring goes on to the entries behind one that is refused, and round from its end', () => {
  const table = ring([host(1), host(2), host(3)]);
  const last = { hi: 0xffffffff, lo: 0xffffffff };
  assert.equal(table.choose(last, 0), table.choose({ hi: 0, lo: 0 }, 0));
  const seen = new Set(Array.from({ length: 30 }, (_, attempt) => table.choose(last, attempt)));
  assert.equal(seen.size, 3);
});

test('a Maglev table gives each endpoint its share almost exactly', () => {
  const table = maglev([host(1), host(2, 2), host(3, 5)]);
  const counts = [0, 0, 0];
  for (let slot = 0; slot < 65_537; slot += 1) {
    const index = table.choose({ hi: 0, lo: slot }, 0);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  within(counts[0], 65_537 / 8, 3, 'weight 1');
  within(counts[1], 65_537 / 4, 3, 'weight 2');
  within(counts[2], (65_537 * 5) / 8, 3, 'weight 5');
});

test('the order in which endpoints are named does not matter to a Maglev table', () => {
  const all = Array.from({ length: 1500 }, (_, number) => host(number));
  const [one, other] = [maglev(all), maglev([...all].reverse())];
  for (let slot = 0; slot < 65_537; slot += 1) {
    const hash = { hi: 0, lo: slot };
    assert.equal(one.hosts[one.choose(hash, 0)]?.key, other.hosts[other.choose(hash, 0)]?.key);
  }
});

test('few keys move in a Maglev table when an endpoint leaves', () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => host(number));
  const before = maglev(all);
  const after = maglev(all.slice(0, 9));
  let moved = 0;
  for (let slot = 0; slot < 65_537; slot += 1) {
    const was = before.choose({ hi: 0, lo: slot }, 0);
    moved += was !== 9 && after.choose({ hi: 0, lo: slot }, 0) !== was ? 1 : 0;
  }
  assert.ok(moved < 65_537 * 0.1, `${moved}`);
});

test('with one endpoint everything goes there; without any nothing does', () => {
  const hash = { hi: 1, lo: 2 };
  for (const build of [ring, maglev]) {
    assert.equal(build([host(1)]).choose(hash, 0), 0);
    assert.equal(build([]).choose(hash, 0), -1);
  }
});

test('localities share by their weights, one of weight 0 gets nothing', () => {
  const { hosts, shares: parts } = normalizeWeights([
    { weight: 3, hosts: [host(1), host(2, 2)] },
    { weight: 1, hosts: [host(3)] },
    { weight: 0, hosts: [host(4)] },
  ]);
  assert.deepEqual(
    hosts.map(({ key }) => key),
    ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'],
  );
  assert.deepEqual([...parts], [0.25, 0.5, 0.25]);
});

test('bounded load: one key loads each endpoint up to its bound, the same keys overflow the same way', () => {
  const hosts = [1, 2, 3, 4].map((number) => host(number));
  let total = 0;
  const table = ring(hosts);
  const bounded = new BoundedLoad(125, () => total);
  const hash = { hi: 7, lo: 9 };
  const place = (): string => {
    const chosen = hosts[bounded.choose(table, hash, 0)];
    if (chosen === undefined) {
      return '';
    }
    chosen.active += 1;
    total += 1;
    return chosen.key;
  };
  const first = Array.from({ length: 100 }, place);
  for (const { active } of hosts) {
    // ceil(1.25 × 101 / 4) at the end; one request may be over where the bound was just reached.
    assert.ok(active <= 33, `${active} of 100`);
  }
  assert.equal(hosts.length, new Set(first).size);
  for (const each of hosts) {
    each.active = 0;
  }
  total = 0;
  assert.deepEqual(Array.from({ length: 100 }, place), first);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { type Item, item } from '../../test/support/balanced.ts';
import { type SubsetBalancing, SubsetCriteria } from '../runtime-config/subsets.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import { BackgroundWork } from './background-work.ts';
import type { PickContext } from './pick-context.ts';
import { BalancerCounters, type PriorityLevel } from './priority-set.ts';
import { SubsetBalancer } from './subset-balancer.ts';

const byStage: SubsetBalancing = {
  selectors: [{ keys: ['stage'], fallback: undefined, fallbackKeys: [], singleHost: false }],
  fallback: 'none',
  defaultSubset: {},
  panicAny: false,
  listAsAny: false,
  localityWeightAware: false,
  scaleLocalityWeight: false,
};
const policy = { overprovisioningFactor: 140, weightedHealth: false };

function level(endpoints: readonly Item[]): PriorityLevel<Item>[] {
  return [{ endpoints, localities: [{ locality: '', weight: 1, endpoints }], ownLocalityFirst: false }];
}

function balancer(labels: ReadonlyMap<Item, JsonObject>, config: Partial<SubsetBalancing> = {}, ring = false) {
  const counters = new BalancerCounters();
  let readied = 0;
  const set = new SubsetBalancer<Item>(
    {
      policy: ring
        ? {
            kind: 'ring-hash',
            hashFunction: 'xx-hash',
            minimumSize: 1_000_000,
            maximumSize: 1_000_000,
            byHostname: false,
            hashBalanceFactor: undefined,
            hashPolicies: [],
          }
        : { kind: 'round-robin' },
      locality: { kind: 'none' },
      panicThresholdPercent: 0,
      counters,
      work: new BackgroundWork(),
      keyOf: ({ name }) => name,
      activeTotal: () => 0,
      random: seededRandom(3),
      nowMs: () => 0,
      onReady: () => {
        readied += 1;
      },
    },
    { ...byStage, ...config },
    (endpoint) => labels.get(endpoint),
  );
  return { set, counters, readied: () => readied };
}

function asking(wanted: JsonObject | undefined): PickContext<Item> {
  return {
    hash: undefined,
    overrideAddress: '',
    isOverrideStrict: false,
    hostSelectionRetries: 0,
    subset: wanted === undefined ? undefined : new SubsetCriteria(wanted),
    shouldSkip: () => false,
  };
}

function names(set: SubsetBalancer<Item>, wanted: JsonObject | undefined): string {
  const found = new Set(Array.from({ length: 20 }, () => set.pick(asking(wanted))?.name ?? 'none'));
  return [...found].sort().join();
}

test('endpoints move between subsets, and subsets come and go with them', () => {
  const [a, b, c] = [item('a'), item('b'), item('c')];
  const labels = new Map<Item, JsonObject>([
    [a, { stage: 'prod' }],
    [b, { stage: 'prod' }],
    [c, { stage: 'dev' }],
  ]);
  const { set, counters } = balancer(labels);
  set.update(level([a, b, c]), policy);
  assert.deepEqual([names(set, { stage: 'prod' }), names(set, { stage: 'dev' })], ['a,b', 'c']);
  assert.equal(counters.subsetsActive, 2);
  labels.set(b, { stage: 'test' });
  set.update(level([a, b]), policy);
  assert.deepEqual(
    ['prod', 'dev', 'test'].map((stage) => names(set, { stage })),
    ['a', 'none', 'b'],
  );
  assert.equal(counters.subsetsActive, 2);
});

test('a change of health is seen in each subset that the endpoint is in', () => {
  const [a, b] = [item('a'), item('b')];
  const labels = new Map<Item, JsonObject>([
    [a, { stage: 'prod' }],
    [b, { stage: 'prod' }],
  ]);
  const { set } = balancer(labels, { fallback: 'any' });
  set.update(level([a, b]), policy);
  assert.deepEqual([names(set, { stage: 'prod' }), names(set, undefined)], ['a,b', 'a,b']);
  a.condition = 'unhealthy';
  set.healthChanged(a);
  assert.deepEqual([names(set, { stage: 'prod' }), names(set, undefined)], ['b', 'b']);
});

test('keys that are left out of what is asked for lead to the subset of the others', () => {
  const [a, b] = [item('a'), item('b')];
  const labels = new Map<Item, JsonObject>([
    [a, { stage: 'prod', version: '1' }],
    [b, { stage: 'dev', version: '1' }],
  ]);
  const selector = { fallback: undefined, fallbackKeys: [], singleHost: false };
  const { set, counters } = balancer(labels, {
    selectors: [
      { ...selector, keys: ['version', 'stage'], fallback: 'keys', fallbackKeys: ['stage'] },
      { ...selector, keys: ['stage'] },
    ],
  });
  set.update(level([a, b]), policy);
  assert.equal(names(set, { stage: 'dev', version: '2' }), 'b');
  assert.equal(names(set, { stage: 'none', version: '2' }), 'none');
  assert.equal(names(set, { constructor: 'x' }), 'none');
  assert.ok(counters.subsetsSelected > 0);
});

test('large tables of subsets are built in the background, and it is told once that they are there', async () => {
  const endpoints = Array.from({ length: 6 }, (_, index) => item(`e${index}`));
  const labels = new Map<Item, JsonObject>(endpoints.map((each, index) => [each, { stage: `s${index % 3}` }]));
  const { set, readied } = balancer(labels, {}, true);
  set.update(level(endpoints), policy);
  assert.equal(set.ready, false);
  while (!set.ready) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(readied(), 1);
  assert.equal(names(set, { stage: 's1' }).split(',').length, 2);
  set.stop();
});

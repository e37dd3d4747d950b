/**
 * What a choice of an endpoint costs, in ns, for every policy, over a number of endpoints; what it costs after a change of health; how long rings and tables
 * take to build, and how long the longest step of it holds up the event loop. The figures are the smallest of several rounds.
 *
 * `node bench/micro/load-balancer.ts [--endpoints N] [--rounds N]`
 */
import { parseArgs } from 'node:util';
import { BackgroundWork, type Steps } from '../../packages/proxy/src/load-balancer/background-work.ts';
import { buildHashRing } from '../../packages/proxy/src/load-balancer/hash-ring.ts';
import { buildMaglevTable } from '../../packages/proxy/src/load-balancer/maglev-table.ts';
import { normalizeWeights } from '../../packages/proxy/src/load-balancer/normalized-weights.ts';
import { LatencyEstimate } from '../../packages/proxy/src/load-balancer/peak-ewma.ts';
import type { PickContext } from '../../packages/proxy/src/load-balancer/pick-context.ts';
import type { PriorityOptions, PrioritySet } from '../../packages/proxy/src/load-balancer/priority-set.ts';
import { xxHash64 } from '../../packages/proxy/src/load-balancer/xx-hash.ts';
import type { LoadBalancerPolicy } from '../../packages/proxy/src/runtime-config/load-balancing.ts';
import { type Item, item, prioritySet } from '../../packages/proxy/test/support/balanced.ts';
import { seededRandom } from '../../packages/testkit/src/index.ts';

const { values } = parseArgs({
  options: { endpoints: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '7' } },
});
const count = Number(values.endpoints);
const rounds = Number(values.rounds);
const PICKS = 100_000;

const hashing = { byHostname: false, hashBalanceFactor: undefined, hashPolicies: [] };
const ring = { kind: 'ring-hash', hashFunction: 'xx-hash', minimumSize: 1024, maximumSize: 8_388_608 } as const;
const leastRequest = { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 } as const;
const slowStart = { windowMs: 1e9, aggression: 2, minWeightPercent: 10 };

interface Subject {
  readonly policy: LoadBalancerPolicy;
  readonly weighted?: boolean;
  readonly more?: Partial<PriorityOptions<Item>>;
  readonly localities?: number;
}

const subjects: Readonly<Record<string, Subject>> = {
  'round robin': { policy: { kind: 'round-robin' } },
  'round robin, weighted': { policy: { kind: 'round-robin' }, weighted: true },
  'round robin, all in slow start': { policy: { kind: 'round-robin', slowStart } },
  'round robin, 10 weighted localities': {
    policy: { kind: 'round-robin' },
    localities: 10,
    more: { locality: { kind: 'weighted' } },
  },
  'least request': { policy: leastRequest },
  'least request, weighted': { policy: leastRequest, weighted: true },
  random: { policy: { kind: 'random' } },
  'peak EWMA': { policy: { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 } },
  'ring hash, 100,000 entries': { policy: { ...ring, ...hashing, minimumSize: 100_000 } },
  'ring hash, bounded': { policy: { ...ring, ...hashing, hashBalanceFactor: 120 } },
  Maglev: { policy: { kind: 'maglev', tableSize: 65_537, ...hashing } },
  'Maglev, bounded': { policy: { kind: 'maglev', tableSize: 65_537, ...hashing, hashBalanceFactor: 120 } },
};

function endpoints({ policy, weighted, localities = 1 }: Subject): Item[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, index) =>
    item(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:8080`, {
      weight: weighted === true ? 1 + Math.floor(random() * 10) : 1,
      locality: `zone-${index % localities}`,
      latency: policy.kind === 'peak-ewma' ? new LatencyEstimate(policy, 0) : undefined,
    }),
  );
}

async function measure(name: string, subject: Subject): Promise<void> {
  const items = endpoints(subject);
  let active = 0;
  let ready = (): void => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const { set } = prioritySet(items, {
    policy: subject.policy,
    random: seededRandom(2),
    nowMs: () => performance.now(),
    activeTotal: () => active,
    onReady: () => ready(),
    ...subject.more,
  });
  if (!set.ready) {
    await isReady;
  }
  const hash = { hi: 0, lo: 0 };
  const context: PickContext<Item> = {
    hash,
    overrideAddress: '',
    isOverrideStrict: false,
    hostSelectionRetries: 0,
    shouldSkip: () => false,
  };
  // As many requests are under way as there are endpoints: what was chosen stays so until another choice takes its place.
  const underWay: (Item | undefined)[] = new Array(count).fill(undefined);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint();
    for (let pick = 0; pick < PICKS; pick += 1) {
      hash.hi = Math.imul(pick, 0x9e3779b1) >>> 0;
      hash.lo = Math.imul(pick, 0x85ebca77) >>> 0;
      const chosen = set.pick(context);
      const place = pick % count;
      const before = underWay[place];
      if (before !== undefined) {
        before.active -= 1;
        active -= 1;
      }
      if (chosen !== undefined) {
        chosen.active += 1;
        active += 1;
      }
      underWay[place] = chosen;
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / PICKS);
  }
  console.log(
    `${name.padEnd(38)} ${best.toFixed(0).padStart(6)} ns a pick   ${healthChange(set, items).padStart(7)} µs after a change of health`,
  );
}

/** The first choice after one endpoint fell ill. */
function healthChange(set: PrioritySet<Item>, items: readonly Item[]): string {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round += 1) {
    const changed = items[round] as Item;
    changed.condition = changed.condition === 'healthy' ? 'unhealthy' : 'healthy';
    const start = process.hrtime.bigint();
    set.healthChanged();
    set.pick();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000);
  }
  return best.toFixed(0);
}

/** Builds beside the event loop, whose longest turn is measured. */
async function build<R>(name: string, steps: Steps<R>): Promise<void> {
  let longest = 0;
  let cpu = 0;
  let turns = 0;
  const work = new BackgroundWork((step) =>
    setImmediate(() => {
      // CPU time: others use the machine as well.
      const start = process.threadCpuUsage();
      step();
      const used = process.threadCpuUsage(start);
      const took = (used.user + used.system) / 1000;
      longest = Math.max(longest, took);
      cpu += took;
      turns += 1;
    }),
  );
  await new Promise<void>((resolve) => {
    work.run(steps, () => resolve());
  });
  console.log(
    `${name.padEnd(38)} ${cpu.toFixed(0).padStart(6)} ms in ${turns} turns, the longest ${longest.toFixed(2)} ms`,
  );
}

console.log(`${count} endpoints`);
for (const [name, subject] of Object.entries(subjects)) {
  await measure(name, subject);
}

const weights = normalizeWeights([{ weight: 1, hosts: endpoints({ policy: { kind: 'random' } }) }]);
const keyOf = ({ name }: Item): string => name;
for (let round = 0; round < 2; round += 1) {
  for (const minimumSize of [100_000, 1_000_000]) {
    await build(`ring of ${minimumSize}`, buildHashRing(weights, keyOf, { ...ring, minimumSize }));
  }
  await build('Maglev table of 65537', buildMaglevTable(weights, keyOf, 65_537));
}

const hash = { hi: 0, lo: 0 };
const start = process.hrtime.bigint();
for (let round = 0; round < 1_000_000; round += 1) {
  xxHash64('customer-1234567890', hash);
}
console.log(
  `${'hash of 19 bytes'.padEnd(38)} ${(Number(process.hrtime.bigint() - start) / 1_000_000).toFixed(0).padStart(6)} ns`,
);

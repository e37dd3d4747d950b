import { seededRandom } from '@weft/testkit';
import { BackgroundWork } from '../../src/load-balancer/background-work.ts';
import type { LocalityGroup, Prioritised } from '../../src/load-balancer/host-set.ts';
import type { LatencyEstimate } from '../../src/load-balancer/peak-ewma.ts';
import { BalancerCounters, type PriorityOptions, PrioritySet } from '../../src/load-balancer/priority-set.ts';

/** An endpoint as balancers see it, changed at will. */
export interface Item extends Prioritised {
  name: string;
  weight: number;
  active: number;
  locality: string;
  priority: number;
  condition: 'healthy' | 'degraded' | 'unhealthy';
  excluded: boolean;
  removed: boolean;
  healthySinceMs: number;
  latency: LatencyEstimate | undefined;
}

export function item(name: string, overrides: Partial<Item> = {}): Item {
  return {
    name,
    weight: 1,
    active: 0,
    locality: '',
    priority: 0,
    condition: 'healthy',
    excluded: false,
    removed: false,
    healthySinceMs: 0,
    latency: undefined,
    ...overrides,
  };
}

/** `total` endpoints of one name, of which the first are healthy. */
export function group(name: string, healthy: number, total: number, overrides: Partial<Item> = {}): Item[] {
  return Array.from({ length: total }, (_, index) =>
    item(name, { condition: index < healthy ? 'healthy' : 'unhealthy', ...overrides }),
  );
}

/** Percent that each name gets of `count` choices, rounded. */
export function shares(pick: () => Item | undefined, count = 10_000): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const name = pick()?.name ?? 'none';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([name, seen]) => [name, Math.round((100 * seen) / count)]));
}

export interface TestSet {
  readonly set: PrioritySet<Item>;
  readonly counters: BalancerCounters;
}

/** A balancer over `items`; weights of localities by their names. */
export function prioritySet(
  items: readonly Item[],
  options: Partial<PriorityOptions<Item>> & {
    readonly weights?: Readonly<Record<string, number>>;
    readonly own?: string;
    readonly overprovisioningFactor?: number;
    readonly weightedHealth?: boolean;
  } = {},
): TestSet {
  const counters = new BalancerCounters();
  const set = new PrioritySet<Item>({
    policy: { kind: 'round-robin' },
    locality: { kind: 'none' },
    panicThresholdPercent: 50,
    counters,
    work: new BackgroundWork(),
    keyOf: ({ name }) => name,
    activeTotal: () => items.reduce((sum, { active }) => sum + active, 0),
    random: seededRandom(7),
    nowMs: () => 0,
    onReady: () => {},
    ...options,
  });
  const levels = Math.max(0, ...items.map(({ priority }) => priority)) + 1;
  set.update(
    Array.from({ length: levels }, (_, priority) => {
      const endpoints = items.filter((each) => each.priority === priority);
      const localities = new Map<string, LocalityGroup<Item>>();
      for (const { locality } of [...endpoints].sort((a, b) => rank(a, options.own) - rank(b, options.own))) {
        localities.set(locality, {
          locality,
          weight: options.weights?.[locality] ?? 1,
          endpoints: endpoints.filter((each) => each.locality === locality),
        });
      }
      return {
        endpoints,
        localities: [...localities.values()],
        ownLocalityFirst: options.own !== undefined && localities.has(options.own),
      };
    }),
    {
      overprovisioningFactor: options.overprovisioningFactor ?? 140,
      weightedHealth: options.weightedHealth === true,
    },
  );
  return { set, counters };
}

function rank({ locality }: Item, own: string | undefined): number {
  return locality === own ? 0 : 1;
}

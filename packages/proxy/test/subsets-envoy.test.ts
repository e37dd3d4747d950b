import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ask, EnvoyBeside, NumberedOrigins } from './support/envoy-beside.ts';

/** Subsets of clusters: what routes ask for, behind Envoy and behind ours: the endpoints that requests get to, and in which shares. */

interface Place {
  readonly labels?: JsonObject;
  readonly health?: 'UNHEALTHY' | 'DEGRADED';
  readonly priority?: number;
  readonly region?: string;
}

interface Case {
  readonly subsets: JsonObject;
  readonly cluster?: JsonObject;
  readonly places: readonly Place[];
  /** By region. */
  readonly weights?: Readonly<Record<string, number>>;
  /** `envoy.lb` of routes; with `weighted`, also of the weighted cluster. */
  readonly asks: readonly (JsonObject | undefined)[];
  readonly weighted?: JsonObject;
  /** The priority of each request is chosen by chance: shares are as equal as chance lets them be. */
  readonly byChance?: boolean;
}

const of = (...keys: readonly string[]): JsonObject => ({ keys: [...keys] });
const orAny = (...selectors: readonly JsonObject[]): JsonObject => ({
  subset_selectors: [...selectors],
  fallback_policy: 'ANY_ENDPOINT',
});
const orDefault = (subset: JsonObject, ...selectors: readonly JsonObject[]): JsonObject => ({
  subset_selectors: [...selectors],
  fallback_policy: 'DEFAULT_SUBSET',
  default_subset: subset,
});
const staged: readonly Place[] = [
  { labels: { stage: 'prod', version: '1' } },
  { labels: { stage: 'prod', version: '1' } },
  { labels: { stage: 'prod', version: '2' } },
  { labels: { stage: 'dev', version: '2' } },
  { labels: { stage: 'dev' } },
  {},
];
const twoRegions: readonly Place[] = [
  { labels: { v: 'a' }, region: 'x' },
  { labels: { v: 'a' }, region: 'y' },
  { labels: { v: 'b' }, region: 'y' },
];
const abc: readonly JsonObject[] = [{ v: 'a' }, { v: 'b' }, { v: 'c' }];
const byLocality: JsonObject = { common_lb_config: { locality_weighted_lb_config: {} } };
const stages = [{ stage: 'prod' }, { stage: 'dev' }, { stage: 'none' }, { version: '1' }, { other: 'x' }, undefined];
const both = { stage: 'prod', version: '1' };

const cases: Readonly<Record<string, Case>> = {
  'no-fallback': { subsets: { subset_selectors: [of('stage')] }, places: staged, asks: [...stages, both] },
  any: { subsets: orAny(of('stage')), places: staged, asks: stages },
  default: {
    subsets: orDefault({ version: '2' }, of('stage'), of('version', 'stage')),
    places: staged,
    asks: [...stages, both, { stage: 'dev', version: '1' }],
  },
  'default-empty': { subsets: orDefault({ version: '9' }, of('stage')), places: staged, asks: stages },
  'default-empty-panic': {
    subsets: { ...orDefault({ version: '9' }, of('stage')), panic_mode_any: true },
    places: staged,
    asks: stages,
  },
  'default-all': {
    subsets: orDefault({}, of('stage')),
    places: staged,
    asks: [{ stage: 'none' }, undefined],
  },
  'by-selector': {
    subsets: orDefault(
      { stage: 'dev' },
      { keys: ['stage'], fallback_policy: 'ANY_ENDPOINT' },
      { keys: ['version'], fallback_policy: 'NO_FALLBACK' },
      { keys: ['zone'], fallback_policy: 'DEFAULT_SUBSET' },
      { keys: ['stage', 'version'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['stage'] },
      { keys: ['stage', 'zone'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['zone'] },
      { keys: ['canary'] },
    ),
    places: staged,
    asks: [
      { stage: 'none' },
      { version: '9' },
      { zone: 'a' },
      { stage: 'prod', version: '9' },
      { stage: 'none', version: '9' },
      { stage: 'prod', zone: 'b' },
      { canary: 'x' },
      { canary: 'x', stage: 'prod' },
    ],
  },
  values: {
    subsets: { subset_selectors: [of('v')] },
    places: [
      { labels: { v: 1 } },
      { labels: { v: '1' } },
      { labels: { v: true } },
      { labels: { v: ['a', 'b'] } },
      { labels: { v: { x: 1, y: 'z' } } },
      { labels: { v: null } },
    ],
    asks: [
      { v: 1 },
      { v: '1' },
      { v: true },
      { v: ['a', 'b'] },
      { v: ['b', 'a'] },
      { v: 'a' },
      { v: { y: 'z', x: 1 } },
      { v: null },
      { v: 'true' },
    ],
  },
  'list-as-any': {
    subsets: { ...orDefault({ w: 'q' }, of('v'), of('v', 'w')), list_as_any: true },
    places: [
      { labels: { v: ['a', 'b'], w: ['p', 'q'] } },
      { labels: { v: 'a', w: 'q' } },
      { labels: { v: ['b', 'b', 'c'], w: 'p' } },
      { labels: { v: [], w: 'r' } },
    ],
    asks: [{ v: 'a' }, { v: 'b' }, { v: 'c' }, { v: ['a', 'b'] }, { v: 'b', w: 'p' }, { v: 'b', w: 'q' }, { v: 'd' }],
  },
  'single-host': {
    byChance: true,
    subsets: { subset_selectors: [{ keys: ['v'], single_host_per_subset: true }] },
    places: [
      { labels: { v: 'a' }, health: 'UNHEALTHY' },
      { labels: { v: 'a' } },
      { labels: { v: 'b' }, priority: 1 },
      { labels: { v: 'b' } },
      { labels: { v: 'c' }, health: 'DEGRADED' },
    ],
    asks: [...abc, { v: 'd' }],
  },
  weighted: {
    subsets: { subset_selectors: [of('stage'), of('stage', 'version'), of('version')] },
    places: staged,
    asks: [{ stage: 'dev' }, { stage: 'prod', version: '2' }, undefined],
    weighted: { version: '1', stage: 'prod' },
  },
  unhealthy: {
    byChance: true,
    subsets: orAny(of('v')),
    cluster: { common_lb_config: { healthy_panic_threshold: { value: 0 } } },
    places: [
      { labels: { v: 'a' }, health: 'UNHEALTHY' },
      { labels: { v: 'b' }, health: 'UNHEALTHY' },
      { labels: { v: 'b' } },
      { labels: { v: 'c' }, health: 'DEGRADED' },
      { labels: { v: 'c' } },
    ],
    asks: [...abc, { v: 'd' }, undefined],
  },
  panic: {
    byChance: true,
    subsets: { subset_selectors: [of('v')] },
    places: [
      { labels: { v: 'a' }, health: 'UNHEALTHY' },
      { labels: { v: 'a' }, health: 'UNHEALTHY' },
      { labels: { v: 'a' } },
      { labels: { v: 'b' }, health: 'UNHEALTHY' },
      { labels: { v: 'c' } },
    ],
    asks: abc,
  },
  priorities: {
    byChance: true,
    subsets: orAny(of('v')),
    places: [
      { labels: { v: 'a' } },
      { labels: { v: 'b' }, priority: 1 },
      { labels: { v: 'a' }, priority: 1 },
      { labels: { v: 'c' }, health: 'UNHEALTHY' },
      { labels: { v: 'c' }, priority: 2 },
    ],
    asks: [...abc, { v: 'd' }],
  },
  'locality-weights-passed-over': {
    subsets: orAny(of('v')),
    cluster: byLocality,
    places: twoRegions,
    weights: { x: 1, y: 5 },
    asks: abc,
  },
  'locality-weights': {
    subsets: { ...orAny(of('v')), locality_weight_aware: true },
    cluster: byLocality,
    places: twoRegions,
    weights: { x: 1, y: 5 },
    asks: abc,
  },
  'locality-weights-scaled': {
    subsets: { ...orAny(of('v')), locality_weight_aware: true, scale_locality_weight: true },
    cluster: byLocality,
    places: twoRegions,
    weights: { x: 2, y: 8 },
    asks: abc,
  },
  hashing: {
    subsets: orAny(of('stage')),
    cluster: { lb_policy: 'RING_HASH' },
    places: staged,
    asks: stages,
  },
  maglev: {
    subsets: orAny(of('stage')),
    cluster: { lb_policy: 'MAGLEV' },
    places: staged,
    asks: stages,
  },
  'no-selectors': {
    subsets: { fallback_policy: 'NO_FALLBACK' },
    places: staged,
    asks: [{ stage: 'prod' }, undefined],
  },
};

const REQUESTS = 120;
const AT_ONCE = 20;

function clusterJson(name: string, { subsets, cluster, places, weights }: Case, ports: readonly number[]): JsonObject {
  const groups = new Map<string, { priority: number; region: string; endpoints: JsonObject[] }>();
  for (const [index, { labels, health, priority = 0, region = 'r' }] of places.entries()) {
    const key = `${priority}/${region}`;
    const group = groups.get(key) ?? { priority, region, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push({
      endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: ports[index] ?? 0 } } },
      ...(labels === undefined ? {} : { metadata: { filter_metadata: { 'envoy.lb': labels } } }),
      ...(health === undefined ? {} : { health_status: health }),
    });
  }
  return {
    name,
    type: 'STATIC',
    connect_timeout: '10s',
    lb_subset_config: subsets,
    ...cluster,
    load_assignment: {
      cluster_name: name,
      endpoints: [...groups.values()].map(({ priority, region, endpoints }) => ({
        priority,
        locality: { region },
        lb_endpoints: endpoints,
        ...(weights === undefined ? {} : { load_balancing_weight: weights[region] ?? 1 }),
      })),
    },
  };
}

function routeJson(name: string, index: number, asked: JsonObject | undefined, weighted?: JsonObject): JsonObject {
  const match = (labels: JsonObject | undefined): JsonObject =>
    labels === undefined ? {} : { metadata_match: { filter_metadata: { 'envoy.lb': labels } } };
  const target =
    weighted === undefined
      ? { cluster: name }
      : { weighted_clusters: { clusters: [{ name, weight: 1, ...match(weighted) }] } };
  const hash_policy = [{ header: { header_name: 'x-key' } }];
  return { match: { path: `/${name}/${index}` }, route: { ...target, ...match(asked), hash_policy } };
}

describe('subsets, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  const agent = new http.Agent({ keepAlive: true });
  let origins: NumberedOrigins;
  let sides: EnvoyBeside;

  before(async () => {
    origins = await NumberedOrigins.start(6);
    const { ports } = origins;
    sides = await EnvoyBeside.start(
      Object.entries(cases).flatMap(([name, { asks, weighted }]) =>
        asks.map((asked, index) => routeJson(name, index, asked, weighted)),
      ),
      Object.entries(cases).map(([name, entry]) => clusterJson(name, entry, ports)),
    );
  });

  after(async () => {
    agent.destroy();
    await sides?.close();
    await origins?.close();
  });

  /** How often each endpoint, or status without one, was the answer. */
  async function answers(port: number, path: string): Promise<{ counts: Map<string, number>; list: string[] }> {
    const list: string[] = [];
    while (list.length < REQUESTS) {
      const keys = Array.from({ length: AT_ONCE }, (_, index) => `key-${list.length + index}`);
      const answered = await Promise.all(keys.map((key) => ask(port, path, { 'x-key': key }, agent)));
      list.push(...answered.map(({ status, body }) => (status === 200 ? body : String(status))));
    }
    const counts = new Map<string, number>();
    for (const told of list) {
      counts.set(told, (counts.get(told) ?? 0) + 1);
    }
    return { counts, list };
  }

  for (const [name, { asks, cluster, byChance = false }] of Object.entries(cases)) {
    test(name, async () => {
      const reached = new Set<string>();
      for (const [index, asked] of asks.entries()) {
        const theirs = await answers(sides.envoyPort, `/${name}/${index}`);
        const ours = await answers(sides.ourPort, `/${name}/${index}`);
        const what = `asked ${JSON.stringify(asked)}`;
        if (cluster?.['lb_policy'] !== undefined && asked !== undefined) {
          assert.deepEqual(ours.list, theirs.list, what);
        }
        assert.deepEqual([...ours.counts.keys()].sort(), [...theirs.counts.keys()].sort(), what);
        for (const [told, count] of theirs.counts) {
          const share = (ours.counts.get(told) ?? 0) / REQUESTS;
          const isNear = Math.abs(share - count / REQUESTS) < (byChance ? 0.2 : 0.05);
          assert.ok(isNear, `${what}, ${told}: ${share}, Envoy ${count / REQUESTS}`);
          reached.add(told);
        }
      }
      assert.notDeepEqual([...reached], ['503']);
    });
  }
});

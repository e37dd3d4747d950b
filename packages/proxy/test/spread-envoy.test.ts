import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ask, EnvoyBeside, NumberedOrigins } from './support/envoy-beside.ts';

/**
 * Where requests go that nothing ties to an endpoint: shares of endpoints through stock Envoy and through ours, by weights, health,
 * priorities and localities. 600 requests a case; shares may differ by eight of a hundred, four standard deviations of a fair half.
 */
const REQUESTS = 600;
const TOLERANCE_PERCENT = 8;
const ORIGINS = 6;

interface Place {
  readonly weight?: number;
  readonly health?: 'UNHEALTHY' | 'DEGRADED' | 'DRAINING';
  readonly priority?: number;
  readonly locality?: string;
}

interface Case {
  readonly fields: JsonObject;
  readonly places: readonly Place[];
  readonly localityWeights?: Readonly<Record<string, number>>;
  readonly policy?: JsonObject;
}

const extension = (type: string, config: JsonObject): JsonObject => ({
  policies: [
    {
      typed_extension_config: {
        name: type,
        typed_config: { '@type': `type.googleapis.com/envoy.extensions.load_balancing_policies.${type}`, ...config },
      },
    },
  ],
});
const plain: readonly Place[] = Array.from({ length: ORIGINS }, () => ({}));
const weighted: readonly Place[] = [1, 2, 3, 4, 5, 5].map((weight) => ({ weight }));
const twoPriorities = (unhealthy: number, health: Place['health'] = 'UNHEALTHY'): readonly Place[] =>
  plain.map((_, index) => ({
    priority: index < 3 ? 0 : 1,
    ...(index < unhealthy ? { health } : {}),
  }));
const localities: readonly Place[] = [
  { locality: 'a' },
  { locality: 'a', health: 'UNHEALTHY' },
  { locality: 'a', health: 'UNHEALTHY' },
  { locality: 'b' },
  { locality: 'b' },
  { locality: 'c' },
];
const byLocality = { common_lb_config: { locality_weighted_lb_config: {} } };

const cases: Readonly<Record<string, Case>> = {
  'round-robin': { fields: {}, places: plain },
  'round-robin-weights': { fields: {}, places: weighted },
  'least-request': { fields: { lb_policy: 'LEAST_REQUEST' }, places: plain },
  'least-request-weights': { fields: { lb_policy: 'LEAST_REQUEST' }, places: weighted },
  'random-weights': { fields: { lb_policy: 'RANDOM' }, places: weighted },
  'full-scan': {
    fields: { load_balancing_policy: extension('least_request.v3.LeastRequest', { selection_method: 'FULL_SCAN' }) },
    places: plain,
  },
  'one-of-three-down': { fields: {}, places: twoPriorities(1) },
  'two-of-three-down': { fields: {}, places: twoPriorities(2) },
  'first-priority-down': { fields: {}, places: twoPriorities(3) },
  'two-of-three-degraded': { fields: {}, places: twoPriorities(2, 'DEGRADED') },
  'all-degraded': { fields: {}, places: plain.map(() => ({ health: 'DEGRADED' as const })) },
  draining: { fields: {}, places: plain.map((_, index) => (index < 2 ? { health: 'DRAINING' as const } : {})) },
  panic: { fields: {}, places: plain.map((_, index) => (index < 4 ? { health: 'UNHEALTHY' as const } : {})) },
  'no-panic': {
    fields: { common_lb_config: { healthy_panic_threshold: { value: 0 } } },
    places: plain.map((_, index) => (index < 4 ? { health: 'UNHEALTHY' as const } : {})),
  },
  'nothing-healthy': {
    fields: { common_lb_config: { healthy_panic_threshold: { value: 0 } } },
    places: plain.map(() => ({ health: 'UNHEALTHY' as const })),
  },
  'failing-on-panic': {
    fields: { common_lb_config: { zone_aware_lb_config: { fail_traffic_on_panic: true } } },
    places: plain.map((_, index) => (index < 4 ? { health: 'UNHEALTHY' as const } : {})),
  },
  'panic-of-both-priorities': {
    fields: {},
    places: plain.map((_, index) => ({ priority: index < 2 ? 0 : 1, ...(index === 5 ? {} : { health: 'UNHEALTHY' }) })),
  },
  localities: { fields: byLocality, places: localities, localityWeights: { a: 60, b: 30, c: 10 } },
  'localities-one-without-weight': { fields: byLocality, places: localities, localityWeights: { a: 60, b: 30 } },
  'localities-not-weighted': { fields: {}, places: localities, localityWeights: { a: 60, b: 30, c: 10 } },
  overprovisioning: { fields: {}, places: twoPriorities(1), policy: { overprovisioning_factor: 100 } },
  'weighted-health': {
    fields: {},
    places: [
      { weight: 9, health: 'UNHEALTHY' },
      { weight: 1 },
      { weight: 1 },
      { priority: 1 },
      { priority: 1 },
      { priority: 1 },
    ],
    policy: { weighted_priority_health: true },
  },
};

/** Six proxies in three regions; ours is in `a`. */
const callers: readonly Place[] = ['a', 'a', 'a', 'b', 'c', 'c'].map((locality) => ({ locality }));
const zones = (text: string): readonly Place[] => [...text].map((locality) => ({ locality }));
const zoneAware = (config: JsonObject): JsonObject => ({
  load_balancing_policy: extension('round_robin.v3.RoundRobin', {
    locality_lb_config: { zone_aware_lb_config: config },
  }),
});

const zoneCases: Readonly<Record<string, Case>> = {
  'zone-by-default': { fields: {}, places: zones('aaabbc') },
  'zone-too-few-at-home': { fields: {}, places: zones('abbbcc') },
  'zone-nobody-at-home': { fields: {}, places: zones('bbbbcc') },
  'zone-cluster-too-small': { fields: {}, places: zones('aabbc') },
  'zone-smaller-allowed': {
    fields: { common_lb_config: { zone_aware_lb_config: { min_cluster_size: 3 } } },
    places: zones('aabb'),
  },
  'zone-half-of-requests': {
    fields: { common_lb_config: { zone_aware_lb_config: { routing_enabled: { value: 50 } } } },
    places: zones('aaabbc'),
  },
  'zone-off': {
    fields: { common_lb_config: { zone_aware_lb_config: { routing_enabled: { value: 0 } } } },
    places: zones('aaabbc'),
  },
  'zone-forced': { fields: zoneAware({ force_local_zone: { min_size: 1 } }), places: zones('abbbcc') },
  'zone-not-forced': { fields: zoneAware({ force_local_zone: { min_size: 2 } }), places: zones('abbbcc') },
  'zone-by-weight': {
    fields: zoneAware({ locality_basis: 'HEALTHY_HOSTS_WEIGHT' }),
    places: [{ locality: 'a', weight: 5 }, ...zones('bbbcc')],
  },
};

function clusterJson(
  name: string,
  { fields, places, localityWeights, policy }: Case,
  ports: readonly number[],
): JsonObject {
  const groups = new Map<string, { readonly place: Place; readonly endpoints: JsonObject[] }>();
  places.forEach((place, index) => {
    const key = `${place.priority ?? 0}/${place.locality ?? ''}`;
    const group = groups.get(key) ?? { place, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push({
      endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: ports[index] ?? 0 } } },
      ...(place.weight === undefined ? {} : { load_balancing_weight: place.weight }),
      ...(place.health === undefined ? {} : { health_status: place.health }),
    });
  });
  return {
    name,
    type: 'STATIC',
    connect_timeout: '2s',
    ...fields,
    load_assignment: {
      cluster_name: name,
      ...(policy === undefined ? {} : { policy }),
      endpoints: [...groups.values()].map(({ place: { priority = 0, locality = '' }, endpoints }) => ({
        priority,
        ...(locality === '' ? {} : { locality: { region: locality } }),
        ...(localityWeights?.[locality] === undefined ? {} : { load_balancing_weight: localityWeights[locality] }),
        lb_endpoints: endpoints,
      })),
    },
  };
}

const suites = [
  { what: 'requests are spread as by Envoy', cases, place: undefined },
  { what: 'zones are kept as by Envoy', cases: zoneCases, place: { region: 'a', localCluster: 'callers' } },
];

for (const { what, cases: these, place } of suites) {
  describe(what, { skip: peerSkip('envoy') }, () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    let origins: NumberedOrigins;
    let sides: EnvoyBeside | undefined;

    before(async () => {
      origins = await NumberedOrigins.start(ORIGINS);
      sides = await EnvoyBeside.start(
        Object.keys(these).map((name) => ({ match: { prefix: `/${name}/` }, route: { cluster: name } })),
        [
          ...Object.entries(these).map(([name, one]) => clusterJson(name, one, origins.ports)),
          clusterJson('callers', { fields: {}, places: callers }, origins.ports),
        ],
        place,
      );
    });

    after(async () => {
      agent.destroy();
      await sides?.close();
      await origins.close();
    });

    async function spread(port: number, name: string): Promise<number[]> {
      const counts = new Array<number>(ORIGINS + 1).fill(0);
      const one = async (): Promise<void> => {
        const { status, body } = await ask(port, `/${name}/`, {}, agent);
        const answered = status === 200 ? Number(body) : ORIGINS;
        counts[answered] = (counts[answered] ?? 0) + 1;
      };
      for (let count = 0; count < REQUESTS; count += 2) {
        await Promise.all([one(), one()]);
      }
      return counts.map((count) => (100 * count) / REQUESTS);
    }

    for (const name of Object.keys(these)) {
      it(name, async () => {
        assert.ok(sides !== undefined);
        const theirs = await spread(sides.envoyPort, name);
        const ours = await spread(sides.ourPort, name);
        const text = `ours ${ours.map(Math.round)}, theirs ${theirs.map(Math.round)} (the last: refused)`;
        theirs.forEach((share, index) => {
          const own = ours[index] ?? 0;
          assert.ok(Math.abs(own - share) <= TOLERANCE_PERCENT, text);
          assert.equal(own === 0, share === 0, text);
        });
      });
    }
  });
}

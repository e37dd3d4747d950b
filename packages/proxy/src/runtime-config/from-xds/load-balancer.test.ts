import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryWriter } from '@weft/xds-types';
import type { ClusterConfig } from '../config.ts';
import { runtimeConfigFromStatic } from '../static-resources.ts';
import { Cluster } from '../wire/cluster-schema.ts';
import { jsonFromBytes } from '../wire/json.ts';
import type { JsonObject, JsonValue } from '../wire/schema.ts';

function convert(fields: JsonObject): { readonly cluster: ClusterConfig | undefined; readonly problems: string } {
  const clusters = [{ name: 'c', type: 'STATIC', load_assignment: { cluster_name: 'c' }, ...fields }];
  const result = runtimeConfigFromStatic({ listeners: [], clusters, routes: [], endpoints: [], secrets: [] });
  return 'problems' in result
    ? { cluster: undefined, problems: result.problems.join('\n') }
    : { cluster: result.ok.clusters.get('c'), problems: '' };
}

const policyOf = (fields: JsonObject): ClusterConfig['loadBalancer'] | undefined => {
  const { cluster, problems } = convert(fields);
  assert.equal(problems, '');
  return cluster?.loadBalancer;
};
const localityOf = (fields: JsonObject): JsonValue =>
  JSON.parse(JSON.stringify(convert(fields).cluster?.balancing?.locality));

const envoy = 'envoy.extensions.load_balancing_policies';
function extensions(...configs: readonly (readonly [type: string, config?: JsonObject])[]): JsonObject {
  return {
    load_balancing_policy: {
      policies: configs.map(([type, config]) => ({
        typed_extension_config: { name: type, typed_config: { '@type': `type.googleapis.com/${type}`, ...config } },
      })),
    },
  };
}

const hashing = { byHostname: false, hashBalanceFactor: undefined, hashPolicies: [] };
const ring = { kind: 'ring-hash', hashFunction: 'xx-hash', minimumSize: 1024, maximumSize: 8_388_608, ...hashing };
const slowStart = { slow_start_window: '60s', aggression: { default_value: 2, runtime_key: 'k' } };
const bothSlow = { windowMs: 60_000, aggression: 2, minWeightPercent: 10 };

test('both ways of saying it mean the same', () => {
  const pairs: readonly (readonly [fields: JsonObject, extension: JsonObject, policy: unknown])[] = [
    [{}, extensions([`${envoy}.round_robin.v3.RoundRobin`]), { kind: 'round-robin' }],
    [
      { lb_policy: 'ROUND_ROBIN', round_robin_lb_config: { slow_start_config: slowStart } },
      extensions([`${envoy}.round_robin.v3.RoundRobin`, { slow_start_config: slowStart }]),
      { kind: 'round-robin', slowStart: bothSlow },
    ],
    [{ lb_policy: 'RANDOM' }, extensions([`${envoy}.random.v3.Random`]), { kind: 'random' }],
    [
      { lb_policy: 'LEAST_REQUEST', least_request_lb_config: { choice_count: 3, slow_start_config: slowStart } },
      extensions([`${envoy}.least_request.v3.LeastRequest`, { choice_count: 3, slow_start_config: slowStart }]),
      { kind: 'least-request', choiceCount: 3, activeRequestBias: 1, slowStart: bothSlow },
    ],
    [{ lb_policy: 'RING_HASH' }, extensions([`${envoy}.ring_hash.v3.RingHash`]), ring],
    [
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '5', hash_function: 'MURMUR_HASH_2' } },
      extensions([`${envoy}.ring_hash.v3.RingHash`, { minimum_ring_size: '5', hash_function: 'MURMUR_HASH_2' }]),
      { ...ring, minimumSize: 5, hashFunction: 'murmur-hash-2' },
    ],
    [
      {
        lb_policy: 'MAGLEV',
        common_lb_config: {
          consistent_hashing_lb_config: { hash_balance_factor: 150, use_hostname_for_hashing: true },
        },
      },
      extensions([
        `${envoy}.maglev.v3.Maglev`,
        { consistent_hashing_lb_config: { hash_balance_factor: 150, use_hostname_for_hashing: true } },
      ]),
      { kind: 'maglev', tableSize: 65_537, byHostname: true, hashBalanceFactor: 150, hashPolicies: [] },
    ],
  ];
  for (const [fields, extension, policy] of pairs) {
    assert.deepEqual(policyOf(fields), policy);
    assert.deepEqual(policyOf(extension), policy);
  }
});

test('what only extensions can say', () => {
  assert.deepEqual(
    policyOf(extensions([`${envoy}.least_request.v3.LeastRequest`, { selection_method: 'FULL_SCAN' }])),
    {
      kind: 'least-request',
      choiceCount: 2,
      activeRequestBias: 1,
      fullScan: true,
    },
  );
  assert.deepEqual(
    policyOf(
      extensions([
        `${envoy}.ring_hash.v3.RingHash`,
        { consistent_hashing_lb_config: { hash_policy: [{ header: { header_name: 'X-User' }, terminal: true }] } },
      ]),
    ),
    { ...ring, hashPolicies: [{ kind: 'header', name: 'x-user', rewrite: undefined, terminal: true }] },
  );
});

test('peak EWMA is ours; the first policy that is known is taken, so that Envoy can have another one', () => {
  const ewma = 'weft.load_balancing_policies.peak_ewma.v1.PeakEwma';
  const theirs = `${envoy}.least_request.v3.LeastRequest`;
  assert.deepEqual(policyOf(extensions([ewma], [theirs])), {
    kind: 'peak-ewma',
    decayMs: 10_000,
    defaultLatencyMs: 30,
  });
  assert.deepEqual(policyOf(extensions(['example.Unknown', { some: 'field' }], [ewma, { decay_time: '2s' }])), {
    kind: 'peak-ewma',
    decayMs: 2000,
    defaultLatencyMs: 30,
  });
  assert.match(
    convert(extensions(['example.Unknown'])).problems,
    /policies: none is supported by this proxy: type.googleapis.com\/example.Unknown/,
  );
  assert.match(convert(extensions([ewma, { decay_time: '0s' }])).problems, /decay_time: must be above 0/);
});

test('localities: weighted, by zone, below wrr_locality, and by zone when nothing is said', () => {
  const byZone = {
    kind: 'zone-aware',
    routingEnabledPercent: 100,
    minClusterSize: 6,
    failTrafficOnPanic: false,
    byWeight: false,
  };
  const weighted = { kind: 'weighted' };
  assert.deepEqual(localityOf({}), byZone);
  assert.deepEqual(localityOf({ common_lb_config: { locality_weighted_lb_config: {} } }), weighted);
  const zones = {
    routing_enabled: { value: 50 },
    min_cluster_size: '2',
    fail_traffic_on_panic: true,
    force_local_zone: { min_size: 3 },
  };
  const expected = {
    ...byZone,
    routingEnabledPercent: 50,
    minClusterSize: 2,
    failTrafficOnPanic: true,
    forceLocalZoneMinSize: 3,
  };
  const { force_local_zone: _forced, ...common } = zones;
  const { forceLocalZoneMinSize: _size, ...commonExpected } = expected;
  assert.deepEqual(localityOf({ common_lb_config: { zone_aware_lb_config: common } }), commonExpected);
  const off = { routing_enabled: { value: 0 } };
  assert.deepEqual(localityOf({ common_lb_config: { zone_aware_lb_config: off } }), { kind: 'none' });
  const locality = { locality_lb_config: { zone_aware_lb_config: zones } };
  assert.deepEqual(localityOf(extensions([`${envoy}.random.v3.Random`, locality])), expected);
  const inner = extensions(['example.Unknown'], [`${envoy}.random.v3.Random`]);
  const wrr = extensions([
    `${envoy}.wrr_locality.v3.WrrLocality`,
    { endpoint_picking_policy: inner['load_balancing_policy'] ?? {} },
  ]);
  assert.deepEqual(policyOf(wrr), { kind: 'random' });
  assert.deepEqual(localityOf(wrr), weighted);
  assert.deepEqual(localityOf({ lb_policy: 'RING_HASH' }), { kind: 'none' }, 'rings know no zones');
});

test('the rest of common_lb_config', () => {
  const { cluster } = convert({
    common_lb_config: {
      healthy_panic_threshold: { value: 10 },
      update_merge_window: '0s',
      ignore_new_hosts_until_first_hc: true,
      close_connections_on_host_set_change: true,
      override_host_status: { statuses: ['HEALTHY', 'DRAINING'] },
    },
  });
  assert.equal(cluster?.panicThresholdPercent, 10);
  assert.deepEqual([...(cluster?.balancing?.overrideHostStatuses ?? [])], ['healthy', 'draining']);
  assert.equal(cluster?.balancing?.ignoreNewHostsUntilFirstHealthCheck, true);
  assert.equal(cluster?.balancing?.closeConnectionsOnHostSetChange, true);
  assert.deepEqual(
    [...(convert({}).cluster?.balancing?.overrideHostStatuses ?? [])],
    ['unknown', 'healthy', 'degraded'],
  );
});

test('what contradicts itself or is out of bounds is refused where it stands', () => {
  const refused: readonly (readonly [fields: JsonObject, problem: RegExp])[] = [
    [{ lb_policy: 'RANDOM', ring_hash_lb_config: {} }, /ring_hash_lb_config: set in a cluster with lb_policy RANDOM/],
    [
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '20', maximum_ring_size: '10' } },
      /ring_hash_lb_config.minimum_ring_size: is above maximum_ring_size/,
    ],
    [
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '8388609' } },
      /minimum_ring_size: must be at most 8388608/,
    ],
    [{ lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '1024' } }, /table_size: must be a prime number/],
    [{ lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '5000077' } }, /table_size: must be at most 5000011/],
    [
      { lb_policy: 'MAGLEV', common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 99 } } },
      /hash_balance_factor: must be at least 100/,
    ],
    [
      { common_lb_config: { consistent_hashing_lb_config: {} } },
      /consistent_hashing_lb_config: set in a cluster with lb_policy ROUND_ROBIN/,
    ],
    [
      { ...extensions([`${envoy}.random.v3.Random`]), common_lb_config: { locality_weighted_lb_config: {} } },
      /common_lb_config.locality_weighted_lb_config: cannot be combined with load_balancing_policy/,
    ],
    [
      { round_robin_lb_config: { slow_start_config: { min_weight_percent: { value: 101 } } } },
      /min_weight_percent: must be from 0 to 100/,
    ],
    [{ lb_policy: 'LEAST_REQUEST', least_request_lb_config: { choice_count: 1 } }, /choice_count: must be at least 2/],
    [{ lb_policy: 'CLUSTER_PROVIDED' }, /lb_policy: goes together with the type ORIGINAL_DST/],
  ];
  for (const [fields, problem] of refused) {
    assert.match(convert(fields).problems, problem);
  }
});

test('a policy of a type that is not known is dumped by its name', () => {
  const extension = (typeUrl: string): Uint8Array => {
    const any = new BinaryWriter()
      .uint32(10)
      .string(typeUrl)
      .uint32(18)
      .bytes(new Uint8Array([8, 1]))
      .finish();
    const config = new BinaryWriter().uint32(18).bytes(any).finish();
    return new BinaryWriter().uint32(34).bytes(config).finish();
  };
  const policies = new BinaryWriter().uint32(10).bytes(extension('type.googleapis.com/example.Unknown')).finish();
  const bytes = new BinaryWriter().uint32(10).string('c').uint32(330).bytes(policies).finish();
  assert.deepEqual(jsonFromBytes(Cluster, bytes)['load_balancing_policy'], {
    policies: [{ typed_extension_config: { typed_config: { '@type': 'type.googleapis.com/example.Unknown' } } }],
  });
});

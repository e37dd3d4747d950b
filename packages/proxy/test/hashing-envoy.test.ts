import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { eventually, peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { type Answer, ask, EnvoyBeside, NumberedOrigins } from './support/envoy-beside.ts';

/**
 * The same key goes to the same endpoint through stock Envoy and through ours: rings, tables, hash policies and the overflow of bounded
 * load, all by the same endpoints.
 */

const ORIGINS = 7;

const byHeader = [{ header: { header_name: 'x-key' } }];
const typed = (policy: string, config: JsonObject): JsonObject => ({
  load_balancing_policy: {
    policies: [
      {
        typed_extension_config: {
          name: policy,
          typed_config: {
            '@type': `type.googleapis.com/envoy.extensions.load_balancing_policies.${policy}`,
            ...config,
          },
        },
      },
    ],
  },
});

interface Case {
  readonly cluster: JsonObject;
  readonly weights?: readonly number[];
  /** Locality of each endpoint, and what the localities weigh. */
  readonly localities?: readonly number[];
  readonly localityWeights?: readonly number[];
  readonly hashKeys?: boolean;
  readonly unhealthy?: readonly number[];
  readonly priorities?: readonly number[];
}

const cases: Readonly<Record<string, Case>> = {
  ring: { cluster: { lb_policy: 'RING_HASH' } },
  'ring-murmur': { cluster: { lb_policy: 'RING_HASH', ring_hash_lb_config: { hash_function: 'MURMUR_HASH_2' } } },
  'ring-sizes': {
    cluster: { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '100', maximum_ring_size: '150' } },
  },
  'ring-large': { cluster: { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '20000' } } },
  'ring-weights': { cluster: { lb_policy: 'RING_HASH' }, weights: [1, 2, 3, 4, 5, 1, 7] },
  'ring-typed': {
    cluster: typed('ring_hash.v3.RingHash', { minimum_ring_size: '700', hash_function: 'XX_HASH' }),
    weights: [3, 1, 1, 1, 2, 1, 1],
  },
  'ring-localities': {
    cluster: typed('ring_hash.v3.RingHash', { locality_weighted_lb_config: {} }),
    localities: [0, 1, 2, 0, 1, 2, 0],
    localityWeights: [10, 30, 60],
  },
  'ring-keys': { cluster: { lb_policy: 'RING_HASH' }, hashKeys: true },
  'ring-unhealthy': { cluster: { lb_policy: 'RING_HASH' }, unhealthy: [1, 4] },
  'ring-priorities': { cluster: { lb_policy: 'RING_HASH' }, unhealthy: [0, 1], priorities: [0, 0, 0, 1, 1, 1, 1] },
  maglev: { cluster: { lb_policy: 'MAGLEV' } },
  'maglev-small': { cluster: { lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '251' } } },
  'maglev-weights': { cluster: { lb_policy: 'MAGLEV' }, weights: [1, 2, 3, 4, 5, 1, 7] },
  'maglev-typed': {
    cluster: typed('maglev.v3.Maglev', { table_size: '1021', locality_weighted_lb_config: {} }),
    localities: [0, 1, 2, 0, 1, 2, 0],
    localityWeights: [10, 30, 60],
  },
  'maglev-panic': { cluster: { lb_policy: 'MAGLEV' }, unhealthy: [0, 1, 2, 3, 4] },
};

const policies: Readonly<Record<string, readonly JsonObject[]>> = {
  rewrite: [{ header: { header_name: 'x-key', regex_rewrite: { pattern: { regex: '-[0-9]' }, substitution: '' } } }],
  query: [{ query_parameter: { name: 'user' } }],
  cookie: [{ cookie: { name: 'session' } }],
  path: [{ header: { header_name: ':path' } }],
  several: [
    { header: { header_name: 'x-key' } },
    { query_parameter: { name: 'user' } },
    { connection_properties: { source_ip: true } },
  ],
  terminal: [{ header: { header_name: 'x-key' }, terminal: true }, { query_parameter: { name: 'user' } }],
  absent: [{ header: { header_name: 'x-absent' }, terminal: true }, { query_parameter: { name: 'user' } }],
};

const generated = {
  cookie: {
    name: 'made',
    ttl: '600s',
    path: '/made',
    attributes: [{ name: 'SameSite', value: 'Lax' }, { name: 'Secure' }],
  },
};

function cluster(name: string, { cluster: fields, ...more }: Case, ports: readonly number[]): JsonObject {
  const endpoint = (index: number): JsonObject => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: ports[index] ?? 0 } } },
    ...(more.weights === undefined ? {} : { load_balancing_weight: more.weights[index] ?? 1 }),
    ...(more.unhealthy?.includes(index) === true ? { health_status: 'UNHEALTHY' } : {}),
    ...(more.hashKeys === true
      ? { metadata: { filter_metadata: { 'envoy.lb': { hash_key: `key of ${index}` } } } }
      : {}),
  });
  const groups = more.localities ?? more.priorities ?? ports.map(() => 0);
  return {
    name,
    type: 'STATIC',
    connect_timeout: '2s',
    ...fields,
    load_assignment: {
      cluster_name: name,
      endpoints: [...new Set(groups)].map((group) => ({
        ...(more.localities === undefined
          ? { priority: group }
          : { locality: { region: `r${group}` }, load_balancing_weight: more.localityWeights?.[group] ?? 1 }),
        lb_endpoints: ports
          .map((_, index) => index)
          .filter((index) => groups[index] === group)
          .map(endpoint),
      })),
    },
  };
}

function routes(): JsonObject[] {
  const route = (prefix: string, to: string, hashPolicy: readonly JsonObject[]): JsonObject => ({
    match: { prefix },
    route: { cluster: to, hash_policy: [...hashPolicy] },
  });
  return [
    ...Object.keys(cases).map((name) => route(`/${name}/`, name, byHeader)),
    ...Object.entries(policies).map(([name, policy]) => route(`/${name}/`, 'ring', policy)),
    route('/generated/', 'ring', [generated]),
    route('/no-hash/', 'no-hash', [generated]),
    route('/hold/ring/', 'bounded-ring', byHeader),
    route('/hold/maglev/', 'bounded-maglev', byHeader),
  ];
}

describe('the same key goes to the same endpoint as in Envoy', {
  skip: peerSkip('envoy'),
}, () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let origins: NumberedOrigins;
  let sides: EnvoyBeside | undefined;
  let ports: readonly [theirs: number, ours: number] = [0, 0];

  before(async () => {
    origins = await NumberedOrigins.start(ORIGINS);
    const bounded = (policy: string): Case => ({
      cluster: {
        lb_policy: policy,
        common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 130 } },
      },
      weights: [1, 1, 2, 1, 1, 1, 1],
    });
    sides = await EnvoyBeside.start(routes(), [
      ...Object.entries(cases).map(([name, one]) => cluster(name, one, origins.ports)),
      cluster('no-hash', { cluster: { lb_policy: 'RANDOM' } }, origins.ports),
      cluster('bounded-ring', bounded('RING_HASH'), origins.ports),
      cluster('bounded-maglev', bounded('MAGLEV'), origins.ports),
    ]);
    ports = [sides.envoyPort, sides.ourPort];
  });

  after(async () => {
    agent.destroy();
    await sides?.close();
    await origins.close();
  });

  async function compare(
    path: (key: number) => string,
    headers: (key: number) => http.OutgoingHttpHeaders,
  ): Promise<number> {
    const seen = new Set<string>();
    for (let key = 0; key < 60; key += 1) {
      const theirs = await ask(ports[0], path(key), headers(key), agent);
      const ours = await ask(ports[1], path(key), headers(key), agent);
      assert.equal(ours.body, theirs.body, `${path(key)} ${JSON.stringify(headers(key))}`);
      seen.add(ours.body);
    }
    return seen.size;
  }

  for (const name of Object.keys(cases)) {
    it(`cluster ${name}`, async () => {
      const used = await compare(
        () => `/${name}/`,
        (key) => ({ 'x-key': `customer-${key}-${'x'.repeat(key)}` }),
      );
      assert.ok(used > 3, `${used} endpoints were used`);
    });
  }

  for (const name of Object.keys(policies)) {
    it(`hash policy ${name}`, async () => {
      const used = await compare(
        (key) => `/${name}/?a=1&user=u${key % 20}%20&user=second`,
        (key) => ({
          'x-key': key % 3 === 0 ? [`b-${key}`, `a-${key}`] : `c-${key}`,
          cookie:
            key % 2 === 0 ? `a=b; session="s ${key}"; session=other` : [`xsession=1;session=t${key}`, 'session=u'],
        }),
      );
      assert.ok(used > 3, `${used} endpoints were used`);
    });
  }

  it('a cookie that is made for a client looks the same, and leads it back', async () => {
    const shape = (cookie: string | undefined): string => (cookie ?? '').replace(/[0-9a-f]{16}/, 'HASH');
    const theirs = await ask(ports[0], '/generated/', {}, agent);
    const ours = await ask(ports[1], '/generated/', {}, agent);
    assert.equal(shape(ours.setCookie), shape(theirs.setCookie));
    assert.match(ours.setCookie ?? '', /^made="[0-9a-f]{16}"; Max-Age=600; Path=\/made; /);
    for (const { setCookie = '', body } of [ours, theirs]) {
      const cookie = setCookie.split(';', 1)[0] ?? '';
      for (const port of ports) {
        const again = await ask(port, '/generated/', { cookie }, agent);
        assert.deepEqual([again.body, again.setCookie], [body, undefined]);
      }
    }
    const noHash = await Promise.all(ports.map(async (port) => (await ask(port, '/no-hash/', {}, agent)).setCookie));
    assert.deepEqual(noHash, [undefined, undefined], 'where nothing goes by hashes, none is made');
  });

  for (const kind of ['ring', 'maglev']) {
    it(`bounded load on a ${kind}: a hot key overflows to the same endpoints in the same order`, async () => {
      const order: number[][] = [];
      for (const port of ports) {
        const many = new http.Agent({ keepAlive: false });
        origins.held = [];
        const answers: Promise<Answer>[] = [];
        for (let count = 1; count <= 40; count += 1) {
          answers.push(ask(port, `/hold/${kind}/`, { 'x-key': 'hot' }, many));
          await eventually(() => origins.held.length === count, { what: `request ${count} arrives` });
        }
        order.push(origins.held.map(({ origin }) => origin));
        for (const { release } of origins.held) {
          release();
        }
        await Promise.all(answers);
        many.destroy();
      }
      assert.deepEqual(order[1], order[0]);
      assert.ok(new Set(order[0]).size > 4);
    });
  }
});

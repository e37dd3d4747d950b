import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, freePort, peerSkip } from '@weft/testkit';
import { describeHealth } from '../src/endpoint/endpoint-health.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { listenerOfRoutes } from './support/http-listener-json.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { staticConfig } from './support/static-config.ts';
import { StockEnvoy } from './support/stock-envoy.ts';

/** Outlier detection: endpoints that give the same streams of answers (seeded), before Envoy and before ours. */

interface Case {
  readonly name: string;
  readonly detection: JsonObject;
  /** The chance of each endpoint's answer to be an error, and which; -1: nobody listens there. */
  readonly endpoints: readonly (readonly [chance: number, status: number])[];
  readonly requests: number;
  /** `error_matcher` of the cluster's HTTP options. */
  readonly errors?: JsonObject;
  /** Active checks pass all the while, so that ejections end before their time. */
  readonly probed?: boolean;
  /** The requests are gRPC, and this is the `grpc-status` of errors; empty: answers have none. */
  readonly grpcStatus?: string;
  /** Which of the bad ones are ejected goes by where the rounds of balancing began. */
  readonly anyOfThem?: boolean;
  /** The statistics that are equal, by name within `outlier_detection.`. */
  readonly equal: readonly string[];
  /** Others, that may differ by so much. */
  readonly near?: Readonly<Record<string, number>>;
}

const long = { interval: '300s', base_ejection_time: '300s', max_ejection_percent: 100 };
const active = ['ejections_active', 'ejections_enforced_total'];
const withStatus = (match: JsonObject): JsonObject => ({
  http_response_headers_match: { headers: [{ name: ':status', ...match }] },
});
const is429 = withStatus({ string_match: { exact: '429' } });
const all5xx = {
  ...long,
  consecutive_5xx: 4,
  consecutive_gateway_failure: 3,
  enforcing_consecutive_gateway_failure: 100,
};
const custom = [
  ...active,
  'ejections_enforced_consecutive_5xx',
  'ejections_detected_consecutive_5xx',
  'ejections_detected_consecutive_gateway_failure',
];
const cases: readonly Case[] = [
  {
    name: 'custom-codes',
    detection: all5xx,
    errors: { or_match: { rules: [is429, withStatus({ range_match: { start: 501, end: 503 } })] } },
    endpoints: [
      [0, 500],
      [1, 500],
      [1, 429],
      [1, 502],
      [1, 503],
    ],
    requests: 100,
    equal: custom,
  },
  {
    name: 'custom-any',
    detection: all5xx,
    errors: {
      and_match: {
        rules: [
          { not_match: is429 },
          { any_match: true },
          { http_response_headers_match: { headers: [{ name: 'x-bad', present_match: true }] } },
        ],
      },
    },
    endpoints: [
      [0, 500],
      [1, 429],
      [1, 404],
      [1, 503],
      [-1, 0],
    ],
    requests: 100,
    equal: custom,
  },
  {
    name: 'custom-grpc',
    detection: all5xx,
    errors: { http_response_headers_match: { headers: [{ name: 'x-bad', present_match: true }] } },
    grpcStatus: '',
    endpoints: [
      [0, 200],
      [1, 200],
      [1, 503],
    ],
    requests: 40,
    equal: custom,
  },
  {
    name: 'custom-grpc-other',
    detection: all5xx,
    errors: { not_match: is429 },
    grpcStatus: '14',
    endpoints: [
      [0, 200],
      [1, 200],
      [1, 429],
    ],
    requests: 40,
    equal: custom,
  },
  {
    name: 'consecutive',
    detection: { ...long, consecutive_5xx: 4 },
    endpoints: [
      [0, 500],
      [1, 500],
      [0.75, 503],
      [0.1, 500],
      [1, 404],
    ],
    requests: 300,
    equal: [...active, 'ejections_enforced_consecutive_5xx', 'ejections_detected_consecutive_5xx'],
    near: { ejections_detected_consecutive_gateway_failure: 1 },
  },
  {
    name: 'capped',
    detection: { ...long, consecutive_5xx: 3, max_ejection_percent: 40 },
    endpoints: [
      [1, 500],
      [1, 500],
      [1, 500],
      [1, 500],
      [0, 500],
    ],
    requests: 200,
    anyOfThem: true,
    equal: [...active, 'ejections_enforced_consecutive_5xx'],
    // Envoy's counts begin anew on another thread, which may come after the next error.
    near: { ejections_overflow: 16, ejections_detected_consecutive_5xx: 16 },
  },
  {
    name: 'gateway',
    detection: {
      ...long,
      consecutive_5xx: 1000,
      consecutive_gateway_failure: 3,
      enforcing_consecutive_gateway_failure: 100,
    },
    endpoints: [
      [1, 502],
      [1, 500],
      [1, 504],
      [0, 500],
    ],
    requests: 100,
    equal: [
      ...active,
      'ejections_enforced_consecutive_gateway_failure',
      'ejections_detected_consecutive_gateway_failure',
    ],
  },
  {
    name: 'split',
    detection: {
      ...long,
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 3,
      consecutive_5xx: 5,
    },
    endpoints: [
      [-1, 0],
      [1, 500],
      [0, 500],
    ],
    requests: 100,
    equal: [...active, 'ejections_enforced_consecutive_local_origin_failure', 'ejections_enforced_consecutive_5xx'],
  },
  {
    name: 'success-rate',
    detection: {
      interval: '0.5s',
      base_ejection_time: '300s',
      max_ejection_percent: 100,
      consecutive_5xx: 1000,
      success_rate_minimum_hosts: 5,
      success_rate_request_volume: 10,
      success_rate_stdev_factor: 1500,
    },
    endpoints: [
      [0.02, 500],
      [0.02, 500],
      [0.02, 500],
      [0.02, 500],
      [0.02, 500],
      [0.6, 500],
    ],
    requests: 400,
    equal: ['ejections_active', 'ejections_enforced_success_rate'],
  },
  {
    name: 'failure-percentage',
    detection: {
      interval: '0.5s',
      base_ejection_time: '300s',
      max_ejection_percent: 100,
      consecutive_5xx: 1000,
      enforcing_success_rate: 0,
      enforcing_failure_percentage: 100,
      failure_percentage_threshold: 60,
      failure_percentage_minimum_hosts: 3,
      failure_percentage_request_volume: 10,
    },
    endpoints: [
      [0.3, 500],
      [0.3, 500],
      [0.85, 500],
      [0, 500],
    ],
    requests: 300,
    equal: ['ejections_active', 'ejections_enforced_failure_percentage'],
  },
];

const probed: Case = {
  name: 'probed',
  detection: { ...long, consecutive_5xx: 3 },
  probed: true,
  endpoints: [
    [1, 500],
    [0, 500],
  ],
  requests: 30,
  equal: [],
};

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** The origins of one side: the n-th answer of each is the same on both. */
class Side {
  readonly ports = new Map<string, number[]>();
  readonly #servers: http.Server[] = [];

  async start(): Promise<void> {
    for (const { name, endpoints, grpcStatus } of [...cases, probed]) {
      const ports: number[] = [];
      for (const [index, [chance, status]] of endpoints.entries()) {
        ports.push(chance < 0 ? await freePort() : await this.#serve(seeded(index + 1), chance, status, grpcStatus));
      }
      this.ports.set(name, ports);
    }
  }

  async #serve(random: () => number, chance: number, status: number, grpcStatus?: string): Promise<number> {
    const grpc = (given: string): http.OutgoingHttpHeaders =>
      grpcStatus === undefined
        ? {}
        : { 'content-type': 'application/grpc', ...(grpcStatus === '' ? {} : { 'grpc-status': given }) };
    const server = http.createServer((request, response) => {
      request.resume();
      if (request.url === '/health') {
        response.end();
        return;
      }
      if (random() < chance) {
        response.writeHead(status, { 'x-bad': '1', ...grpc(grpcStatus ?? '') }).end();
      } else {
        response.writeHead(200, grpc('0')).end();
      }
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  clusters(): JsonObject[] {
    return [...cases, probed].map(({ name, detection, errors, probed }) => ({
      name,
      ...(errors === undefined ? {} : { typed_extension_protocol_options: httpOptions(errors) }),
      type: 'STATIC',
      connect_timeout: '1s',
      common_lb_config: { healthy_panic_threshold: { value: 0 } },
      outlier_detection: detection,
      ...(probed === true ? { health_checks: [check] } : {}),
      load_assignment: {
        cluster_name: name,
        endpoints: [
          {
            lb_endpoints: (this.ports.get(name) ?? []).map((port) => ({
              endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
            })),
          },
        ],
      },
    }));
  }

  /** The indices of endpoints, by the ports that are ejected. */
  indices(name: string, ejected: readonly number[]): number[] {
    const ports = this.ports.get(name) ?? [];
    return ejected.map((port) => ports.indexOf(port)).sort();
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

const check = {
  timeout: '1s',
  interval: '0.2s',
  no_traffic_interval: '0.2s',
  healthy_threshold: 1,
  unhealthy_threshold: 3,
  http_health_check: { path: '/health' },
};

function httpOptions(errors: JsonObject): JsonObject {
  const name = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    [name]: {
      '@type': `type.googleapis.com/${name}`,
      explicit_http_config: { http_protocol_options: {} },
      outlier_detection: { error_matcher: errors },
    },
  };
}

const listener = listenerOfRoutes(
  [...cases, probed].map(({ name }) => ({ match: { path: `/${name}` }, route: { cluster: name } })),
);

function get(port: number, path: string, agent: http.Agent, isGrpc = false): Promise<void> {
  const headers = isGrpc ? { 'content-type': 'application/grpc' } : {};
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent, headers }, (response) => {
      response.resume().on('end', resolve);
    });
    request.on('error', reject);
  });
}

describe('outlier detection', { skip: peerSkip('envoy') }, () => {
  const mine = new Side();
  const theirs = new Side();
  const harness = new ProxyHarness();
  const agent = new http.Agent({ keepAlive: true });
  let envoy: StockEnvoy;
  let port = 0;

  before(async () => {
    await mine.start();
    await theirs.start();
    await harness.apply(staticConfig({ listeners: [listener], clusters: mine.clusters() }));
    envoy = await StockEnvoy.start({ static_resources: { listeners: [listener], clusters: theirs.clusters() } });
    port = envoy.port('listener');
  });

  after(async () => {
    agent.destroy();
    await harness.close();
    await envoy?.stop();
    mine.close();
    theirs.close();
  });

  /** One of its statistics; NaN when there is none. */
  const envoyStat = async (cluster: string, field: string): Promise<number> => {
    const text = await envoy.admin(`/stats?filter=^cluster.${cluster}.outlier_detection.${field}$`);
    return Number(/: (\d+)/.exec(text)?.[1] ?? 'NaN');
  };

  for (const { name, requests, equal, near = {}, anyOfThem = false, grpcStatus } of cases) {
    test(name, async () => {
      const isGrpc = grpcStatus !== undefined;
      for (let count = 0; count < requests; count += 1) {
        await Promise.all([get(port, `/${name}`, agent, isGrpc), get(harness.port(), `/${name}`, agent, isGrpc)]);
      }
      const ourStatus = () => {
        const status = harness.dataPlane.clusters().find((cluster) => cluster.name === name);
        assert.ok(status !== undefined);
        return status;
      };
      const ourEjected = (): number[] =>
        mine.indices(
          name,
          ourStatus()
            .endpoints.filter(({ healthFlags }) => describeHealth(healthFlags).includes('failed_outlier_check'))
            .map(({ info }) => Number(info.address.split(':')[1])),
        );
      const envoyEjected = async (): Promise<number[]> => {
        const found = (await envoy.admin('/clusters')).matchAll(
          /^(.*)::127\.0\.0\.1:(\d+)::health_flags::.*failed_outlier/gm,
        );
        return theirs.indices(
          name,
          [...found].filter(([, cluster]) => cluster === name).map(([, , at]) => Number(at)),
        );
      };
      const told = (ejected: readonly number[]): string => (anyOfThem ? String(ejected.length) : ejected.join());
      await eventually(async () => ourEjected().length > 0 && told(ourEjected()) === told(await envoyEjected()), {
        what: `${ourEjected()} is ejected by both, not ${await envoyEjected()}`,
      });
      const { outliers } = ourStatus();
      const ours = (field: string): number => {
        const [, kind = '', cause = ''] = /^ejections_(detected|enforced)_(?!total)(.*)$/.exec(field) ?? [];
        if (kind !== '') {
          return (outliers as unknown as Record<string, Record<string, number>>)[kind]?.[cause] ?? Number.NaN;
        }
        const whole: Record<string, number> = {
          ejections_active: outliers.ejectionsActive,
          ejections_enforced_total: outliers.ejectionsEnforced,
          ejections_overflow: outliers.ejectionsOverflow,
        };
        return whole[field] ?? Number.NaN;
      };
      for (const field of equal) {
        assert.equal(`${field} ${ours(field)}`, `${field} ${await envoyStat(name, field)}`);
      }
      for (const [field, by] of Object.entries(near)) {
        const [left, right] = [ours(field), await envoyStat(name, field)];
        assert.ok(Math.abs(left - right) <= by, `${field}: ${left}, Envoy ${right}`);
      }
    });
  }

  test('an active check that passes ends an ejection before its time', async () => {
    const { name } = probed;
    const ours = () => harness.dataPlane.clusters().find((cluster) => cluster.name === name)?.outliers;
    await eventually(
      async () => {
        await Promise.all([get(port, `/${name}`, agent), get(harness.port(), `/${name}`, agent)]);
        return (ours()?.ejectionsEnforced ?? 0) > 0 && (await envoyStat(name, 'ejections_enforced_total')) > 0;
      },
      { what: 'both have ejected' },
    );
    await eventually(async () => ours()?.ejectionsActive === 0 && (await envoyStat(name, 'ejections_active')) === 0, {
      what: 'both have taken it back',
    });
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { EnvoyTwins, ScriptedOrigin, type TwinOutcome, type TwinRequest } from './support/envoy-twin.ts';

/** Answers to the health checks of others: the same filters in Envoy and in ours. */

const filter = (name: string, path: string, config: JsonObject): JsonObject => ({
  name,
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck',
    headers: [{ name: ':path', string_match: { exact: path } }],
    ...config,
  },
});
const needs = (cluster: string, value: number): JsonObject => ({
  pass_through_mode: false,
  cluster_min_healthy_percentages: { [cluster]: { value } },
});
const cluster = (name: string, ports: readonly number[], statuses: readonly string[] = []): JsonObject => ({
  name,
  type: 'STATIC',
  load_assignment: {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: ports.map((port, index) => ({
          health_status: statuses[index] ?? 'HEALTHY',
          endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
        })),
      },
    ],
  },
});

const paths = [
  '/own',
  '/half',
  '/most',
  '/nobody',
  '/nobody-needed',
  '/unknown',
  '/pass',
  '/pass',
  '/kept',
  '/kept',
  '/bad',
  '/bad',
];

describe('the health check filter', { skip: peerSkip('envoy') }, () => {
  let twins: EnvoyTwins | undefined;
  let origin: ScriptedOrigin | undefined;

  before(async () => {
    origin = await ScriptedOrigin.start();
    twins = await EnvoyTwins.start(
      {
        http_filters: [
          filter('own', '/own', { pass_through_mode: false }),
          filter('half', '/half', needs('some', 50)),
          filter('most', '/most', needs('some', 51)),
          filter('nobody', '/nobody', needs('empty', 1)),
          filter('nobody-needed', '/nobody-needed', needs('empty', 0)),
          filter('unknown', '/unknown', needs('unknown', 0)),
          filter('pass', '/pass', { pass_through_mode: true }),
          filter('kept', '/kept', { pass_through_mode: true, cache_time: '60s' }),
          filter('bad', '/bad', { pass_through_mode: true, cache_time: '60s' }),
          {
            name: 'envoy.filters.http.router',
            typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
          },
        ],
        route_config: {
          name: 'routes',
          virtual_hosts: [
            {
              name: 'all',
              domains: ['*'],
              routes: [{ match: { prefix: '/' }, route: { cluster: 'origin', prefix_rewrite: '/rewritten' } }],
            },
          ],
        },
      },
      [cluster('origin', [origin.port]), cluster('some', [9, 10], ['HEALTHY', 'UNHEALTHY']), cluster('empty', [])],
    );
  });

  after(async () => {
    await twins?.close();
    await origin?.close();
  });

  for (const [index, path] of paths.entries()) {
    test(`${path}, request ${index + 1}`, async () => {
      assert.ok(twins !== undefined && origin !== undefined);
      const request: TwinRequest = { host: 'books.example', path };
      const seen = ({ status, flags, details, headers }: TwinOutcome, attempts: number): unknown => ({
        status,
        flags,
        details,
        cluster: headers['x-envoy-upstream-healthchecked-cluster'],
        degraded: headers['x-envoy-degraded'],
        attempts,
      });
      origin.begin([{ status: path === '/bad' ? 503 : 207, headers: { 'x-envoy-degraded': 'yes' } }]);
      const envoy = seen(await twins.throughEnvoy(request), origin.attempts.length);
      origin.begin([{ status: path === '/bad' ? 503 : 207, headers: { 'x-envoy-degraded': 'yes' } }]);
      assert.deepEqual(seen(await twins.throughOurs(request), origin.attempts.length), envoy);
    });
  }
});

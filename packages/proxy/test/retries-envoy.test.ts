import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { EnvoyTwins, ScriptedOrigin, type Turn, type TwinOutcome, type TwinRequest } from './support/envoy-twin.ts';

/** Retries, their fields and rewrites: the same xDS and the same origin behind Envoy and behind ours. */

interface Case {
  readonly name: string;
  /** Fields of the route's action. */
  readonly route?: JsonObject;
  readonly host?: JsonObject;
  readonly script: readonly Turn[];
  readonly request?: Partial<TwinRequest>;
  readonly cluster?: string;
  /** Why the heads that the origin gets differ. */
  readonly headsDiffer?: string;
}

const turn = (status: number, headers: Readonly<Record<string, string>> = {}): Turn => ({ status, headers });
const ok = turn(200);
const unavailable = turn(200, { 'content-type': 'application/grpc', 'grpc-status': '14' });
const grpc = { headers: { 'content-type': 'application/grpc' } };

function retry(on: string, more: JsonObject = {}): JsonObject {
  const backOff = { base_interval: '0.001s', max_interval: '0.005s' };
  return { retry_policy: { retry_on: on, retry_back_off: backOff, ...more } };
}

function edited(name: string, value: string): JsonObject {
  return { request_headers_to_add: [{ header: { key: name, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }] };
}

/** What Istio sets where nobody says otherwise. */
const istio = retry('connect-failure,refused-stream,unavailable,cancelled', { num_retries: 2 });
const perTry = { per_try_timeout: '0.1s' };
const hedged = { hedge_policy: { hedge_on_per_try_timeout: true } };

const cases: readonly Case[] = [
  { name: '5xx', route: retry('5xx'), script: [turn(500), ok] },
  { name: '5xx-used-up', route: retry('5xx', { num_retries: 2 }), script: [turn(503)] },
  { name: '5xx-no-retries', route: retry('5xx', { num_retries: 0 }), script: [turn(503)] },
  { name: '5xx-reset', route: retry('5xx'), script: ['reset', ok] },
  { name: 'gateway-error', route: retry('gateway-error'), script: [turn(502), turn(500)] },
  { name: 'reset-used-up', route: retry('reset'), script: ['reset'] },
  { name: 'reset-before-request', route: retry('reset-before-request'), script: ['reset', ok] },
  { name: 'retriable-4xx', route: retry('retriable-4xx'), script: [turn(409), turn(404)] },
  { name: 'overloaded', route: retry('5xx'), script: [turn(503, { 'x-envoy-overloaded': 'true' }), ok] },
  { name: 'ratelimited', route: retry('5xx'), script: [turn(503, { 'x-envoy-ratelimited': 'true' }), ok] },
  {
    name: 'ratelimited-too',
    route: retry('envoy-ratelimited'),
    script: [turn(429, { 'x-envoy-ratelimited': 'true' }), ok],
  },
  {
    name: 'too-early',
    route: retry('retriable-status-codes', { retriable_status_codes: [425] }),
    script: [turn(425), ok],
  },
  {
    name: 'too-early-marked',
    route: retry('retriable-status-codes', { retriable_status_codes: [425] }),
    script: [turn(425), ok],
    request: { headers: { 'early-data': '1' } },
  },
  { name: 'istio-503', route: istio, script: [turn(503), ok], request: { method: 'POST', body: 'x' } },
  { name: 'istio-reset', route: istio, script: ['reset', ok] },
  { name: 'istio-unavailable', route: istio, script: [unavailable, ok], request: grpc },
  { name: 'istio-connect', route: istio, script: [ok], cluster: 'nobody' },
  { name: 'connect-failure', route: retry('connect-failure'), script: [ok], cluster: 'nobody' },
  { name: 'connect-before-request', route: retry('reset-before-request'), script: [ok], cluster: 'nobody' },
  { name: 'connect-other', route: retry('gateway-error'), script: [ok], cluster: 'nobody' },
  { name: 'no-endpoint', route: retry('5xx'), script: [ok], cluster: 'empty' },
  { name: 'trailers-only', route: retry('unavailable'), script: [unavailable, ok], request: grpc },
  { name: 'trailers-only-other', route: retry('cancelled,internal'), script: [unavailable, ok], request: grpc },
  { name: 'per-try', route: retry('5xx', perTry), script: ['hang', ok] },
  { name: 'per-try-reset', route: retry('reset', perTry), script: ['hang', ok] },
  { name: 'per-try-other', route: retry('connect-failure', perTry), script: ['hang', ok] },
  { name: 'per-try-used-up', route: retry('5xx', perTry), script: ['hang'] },
  { name: 'per-try-idle', route: retry('5xx', { per_try_idle_timeout: '0.1s' }), script: ['hang'] },
  { name: 'whole-time', route: { ...retry('5xx'), timeout: '0.2s' }, script: ['hang'] },
  { name: 'retry-on-field', host: edited('x-envoy-retry-on', '5xx,unavailable'), script: [turn(503)] },
  {
    name: 'grpc-field',
    host: edited('x-envoy-retry-grpc-on', 'unavailable'),
    script: [unavailable, ok],
    request: grpc,
  },
  {
    name: 'max-retries-field',
    route: retry('5xx'),
    host: edited('x-envoy-max-retries', '3'),
    script: [turn(503), turn(503), turn(503), ok],
  },
  {
    name: 'codes-field',
    route: retry('retriable-status-codes'),
    host: edited('x-envoy-retriable-status-codes', '429, 418'),
    script: [turn(418), ok],
  },
  {
    name: 'names-field',
    route: retry('retriable-headers'),
    host: edited('x-envoy-retriable-header-names', 'x-a, X-Again'),
    script: [turn(200, { 'x-again': '1' }), ok],
  },
  {
    name: 'timeout-field',
    route: { timeout: '0.3s' },
    host: edited('x-envoy-upstream-rq-timeout-ms', '100'),
    script: ['hang'],
  },
  {
    name: 'alternative-field',
    route: { timeout: '0.1s' },
    host: edited('x-envoy-upstream-rq-timeout-alt-response', '1'),
    script: ['hang'],
  },
  {
    name: 'fields-of-clients',
    script: [turn(503), ok],
    request: {
      headers: {
        'x-envoy-retry-on': '5xx',
        'x-envoy-max-retries': '2',
        'x-envoy-upstream-rq-timeout-ms': '2000',
        'x-envoy-upstream-stream-duration-ms': '5000',
        'x-envoy-hedge-on-per-try-timeout': 'true',
        'x-envoy-original-path': '/x',
        'x-envoy-original-host': 'h',
        'x-envoy-attempt-count': '9',
      },
    },
  },
  {
    name: 'counted',
    host: {
      include_request_attempt_count: true,
      include_attempt_count_in_response: true,
      include_is_timeout_retry_header: true,
    },
    route: retry('5xx', { num_retries: 2, ...perTry }),
    script: [turn(503), 'hang', ok],
  },
  {
    name: 'request-fields',
    route: retry('5xx', { retriable_request_headers: [{ name: 'x-again', string_match: { exact: '1' } }] }),
    script: [turn(503), ok],
  },
  {
    name: 'request-fields-there',
    route: retry('5xx', { retriable_request_headers: [{ name: 'x-again', string_match: { exact: '1' } }] }),
    script: [turn(503), ok],
    request: { headers: { 'x-again': '1' } },
  },
  {
    name: 'asked-pause',
    route: retry('5xx', {
      rate_limited_retry_back_off: { reset_headers: [{ name: 'retry-after', format: 'SECONDS' }] },
    }),
    script: [turn(503, { 'retry-after': '1' }), ok],
  },
  { name: 'breaker', route: retry('5xx'), script: [turn(503), ok], cluster: 'no-retries' },
  { name: 'budget-spent', route: retry('5xx'), script: [turn(503), ok], cluster: 'no-budget' },
  { name: 'budget-before-breaker', route: retry('5xx'), script: [turn(503), ok], cluster: 'small-budget' },
  { name: 'body', route: retry('5xx'), script: [turn(503), ok], request: { method: 'POST', body: 'x'.repeat(50_000) } },
  { name: 'hedge', route: { ...retry('5xx', perTry), ...hedged }, script: ['hang', ok] },
  { name: 'hedge-in-vain', route: { ...retry('5xx', perTry), ...hedged, timeout: '0.4s' }, script: ['hang'] },
  { name: 'hedge-bad', route: { ...retry('5xx', perTry), ...hedged, timeout: '0.4s' }, script: ['hang', turn(503)] },
  { name: 'path', route: { prefix_rewrite: '/new/' }, script: [ok], request: { path: '/a?b=1' } },
  { name: 'path-unchanged', route: { prefix_rewrite: '/' }, script: [ok], request: { path: '/a?b=1' } },
  { name: 'host', route: { host_rewrite_literal: 'new.test' }, script: [ok] },
  {
    name: 'host-unchanged',
    route: { host_rewrite_literal: 'host-unchanged', append_x_forwarded_host: true },
    script: [ok],
  },
  {
    name: 'host-appended',
    route: { host_rewrite_literal: 'new.test', append_x_forwarded_host: true },
    script: [ok],
    request: { headers: { 'x-forwarded-host': 'first' } },
  },
  {
    name: 'host-there',
    route: { host_rewrite_literal: 'new.test', append_x_forwarded_host: true },
    script: [ok],
    request: { headers: { 'x-forwarded-host': 'first,host-there' } },
  },
  {
    name: 'host-of-field',
    route: { host_rewrite_header: 'x-to', append_x_forwarded_host: true },
    script: [ok],
    request: { headers: { 'x-to': 'there.test' } },
  },
  {
    name: 'host-of-endpoint',
    route: { ...retry('5xx'), auto_host_rewrite: true, append_x_forwarded_host: true },
    script: [turn(503), ok],
    cluster: 'named',
    headsDiffer: 'of each further try Envoy says that the endpoint before was what the client asked for',
  },
];

function cluster(name: string, port: number, thresholds?: JsonObject): JsonObject {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  const hostname = name === 'named' ? 'named.test' : '';
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: port === 0 ? [] : [{ lb_endpoints: [{ endpoint: { address, hostname } }] }],
    },
    ...(thresholds === undefined ? {} : { circuit_breakers: { thresholds: [thresholds] } }),
  };
}

/** What an origin was asked, as far as both proxies must say it alike; times only as "there is one". */
function headOf(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named = Object.entries(headers).filter(
    ([name]) => name.startsWith('x-envoy-') || name === 'host' || name === 'x-forwarded-host',
  );
  const timeless = named.map(([name, value]) =>
    name === 'x-envoy-expected-rq-timeout-ms' ? [name, Number(value) > 0] : [name, value],
  );
  return Object.fromEntries(timeless.sort());
}

function answerOf({ status, flags, details, body, headers }: TwinOutcome): object {
  const names = ['x-envoy-attempt-count', 'x-envoy-overloaded', 'x-envoy-ratelimited', 'grpc-status', 'content-type'];
  const fields = Object.fromEntries(names.map((name) => [name, headers[name]]));
  // Envoy gives the flags in the order in which they came up.
  return { status, flags: flags.split(',').sort(), details, body, fields };
}

describe('retries, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  let origin: ScriptedOrigin;
  let twins: EnvoyTwins;

  before(async () => {
    origin = await ScriptedOrigin.start();
    const { port } = origin;
    const budget = (percent: number, min: number): JsonObject => ({
      max_retries: 0,
      retry_budget: { budget_percent: { value: percent }, min_retry_concurrency: min },
    });
    twins = await EnvoyTwins.start(
      {
        route_config: {
          name: 'routes',
          virtual_hosts: cases.map((entry) => ({
            name: entry.name,
            domains: [entry.name],
            routes: [
              { match: { prefix: '/' }, route: { cluster: entry.cluster ?? 'origin', timeout: '3s', ...entry.route } },
            ],
            ...entry.host,
          })),
        },
      },
      [
        cluster('origin', port),
        cluster('nobody', 1),
        cluster('empty', 0),
        cluster('named', port),
        cluster('no-retries', port, { max_retries: 0 }),
        cluster('no-budget', port, budget(0, 0)),
        cluster('small-budget', port, budget(0, 1)),
      ],
    );
  });

  after(async () => {
    await twins?.close();
    await origin?.close();
  });

  for (const entry of cases) {
    test(entry.name, async () => {
      const request = { host: entry.name, ...entry.request };
      origin.begin(entry.script);
      const envoy = answerOf(await twins.throughEnvoy(request));
      const heads = origin.attempts.map(headOf);
      const paths = [...origin.paths];
      origin.begin(entry.script);
      const ours = answerOf(await twins.throughOurs(request));
      assert.deepEqual(ours, envoy);
      assert.deepEqual(origin.paths, paths);
      if (entry.headsDiffer === undefined) {
        assert.deepEqual(origin.attempts.map(headOf), heads);
      } else {
        assert.notDeepEqual(origin.attempts.map(headOf), heads);
        assert.equal(origin.attempts.length, heads.length);
      }
    });
  }
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { staticCluster } from './support/cluster-json.ts';
import { EnvoyTwins, ScriptedOrigin, type Turn, type TwinOutcome } from './support/envoy-twin.ts';

/** How long a call of gRPC may take, by its `grpc-timeout` and its route: the same xDS and the same origin behind Envoy and behind ours. */

interface Case {
  readonly name: string;
  /** Fields of the route's action. */
  readonly route: JsonObject;
  readonly script?: readonly Turn[];
  /** Its `grpc-timeout`; undefined: it has none. */
  readonly asks?: string;
  /** The content type. Default `application/grpc`. */
  readonly type?: string;
  /** Its time is over before it is sent: ours does not send it then, Envoy gives it up right after. */
  readonly late?: boolean;
}

const ok: Turn = { status: 200, headers: { 'content-type': 'application/grpc', 'grpc-status': '0' } };
const unavailable: Turn = { status: 200, headers: { 'content-type': 'application/grpc', 'grpc-status': '14' } };

function retry(more: JsonObject): JsonObject {
  const backOff = { base_interval: '0.001s', max_interval: '0.005s' };
  return { retry_policy: { retry_on: '5xx,unavailable', num_retries: 2, retry_back_off: backOff, ...more } };
}

const bounded = { timeout: '5s', max_grpc_timeout: '4s' };
const offset = { ...bounded, grpc_timeout_offset: '1s' };
const duration = (fields: JsonObject, more: JsonObject = {}): JsonObject => ({ ...more, max_stream_duration: fields });

const cases: readonly Case[] = [
  { name: 'route-only', route: { timeout: '0.2s' }, asks: '10S', script: ['hang'] },
  { name: 'route-only-passed-on', route: { timeout: '2s' }, asks: '10S' },
  { name: 'bound-shorter-asked', route: bounded, asks: '150m', script: ['hang'] },
  { name: 'bound-shorter-asked-answered', route: bounded, asks: '1500m' },
  { name: 'bound-longer-asked', route: bounded, asks: '10S' },
  { name: 'bound-longer-asked-late', route: { ...bounded, max_grpc_timeout: '0.15s' }, asks: '10S', script: ['hang'] },
  { name: 'bound-none-asked', route: bounded },
  { name: 'bound-none-asked-late', route: { ...bounded, max_grpc_timeout: '0.15s' }, script: ['hang'] },
  { name: 'bound-longer-than-route', route: { timeout: '0.1s', max_grpc_timeout: '4s' }, asks: '2S' },
  { name: 'bound-not-grpc', route: bounded, asks: '1S', type: 'application/json' },
  {
    name: 'bound-not-grpc-late',
    route: { ...bounded, timeout: '0.2s' },
    asks: '3S',
    type: 'text/plain',
    script: ['hang'],
  },
  { name: 'bound-proto', route: bounded, asks: '1S', type: 'application/grpc+proto' },
  { name: 'bound-web', route: bounded, asks: '1S', type: 'application/grpc-web' },
  { name: 'unbounded-asked', route: { timeout: '5s', max_grpc_timeout: '0s' }, asks: '7S' },
  { name: 'unbounded-asked-late', route: { timeout: '5s', max_grpc_timeout: '0s' }, asks: '100m', script: ['hang'] },
  { name: 'unbounded-none-asked', route: { timeout: '0.1s', max_grpc_timeout: '0s' } },
  { name: 'unbounded-long', route: { max_grpc_timeout: '0s' }, asks: '99999999S' },
  { name: 'unbounded-longest', route: { max_grpc_timeout: '0s' }, asks: '99999999H' },
  { name: 'unit-microseconds', route: bounded, asks: '1500001u' },
  { name: 'unit-microseconds-exact', route: bounded, asks: '1500000u' },
  { name: 'unit-nanoseconds', route: { max_grpc_timeout: '0s' }, asks: '99999999n' },
  { name: 'unit-minutes', route: { max_grpc_timeout: '0s' }, asks: '2M' },
  { name: 'zero-asked', route: bounded, asks: '0m' },
  ...[
    'abc',
    '',
    'm',
    '5',
    '5x',
    '-5m',
    '123456789m',
    '1.5S',
    '000001500m',
    '+1S',
    '1 S',
    ' 1S ',
    '1S,2S',
    '100000000m',
  ].map((asks, index) => ({ name: `odd-${index}`, route: bounded, asks })),
  { name: 'offset', route: offset, asks: '3S' },
  { name: 'offset-above-bound', route: offset, asks: '6S' },
  { name: 'offset-too-large', route: offset, asks: '500m' },
  { name: 'offset-exact', route: offset, asks: '1S' },
  { name: 'offset-none-asked', route: offset },
  { name: 'offset-late', route: { ...offset, grpc_timeout_offset: '0.9s' }, asks: '1S', script: ['hang'] },
  { name: 'offset-alone', route: { timeout: '2s', grpc_timeout_offset: '1s' }, asks: '1500m' },
  { name: 'per-try', route: { ...bounded, ...retry({ per_try_timeout: '0.5s' }) }, asks: '3S' },
  { name: 'per-try-longer', route: { ...bounded, ...retry({ per_try_timeout: '3.5s' }) }, asks: '3S' },
  {
    name: 'per-try-late',
    route: { ...bounded, ...retry({ per_try_timeout: '0.1s' }) },
    asks: '3S',
    script: ['hang', ok],
  },
  {
    name: 'hedged',
    route: {
      ...bounded,
      ...retry({ per_try_timeout: '0.1s' }),
      hedge_policy: { hedge_on_per_try_timeout: true },
    },
    asks: '3S',
    script: ['hang', ok],
  },
  {
    name: 'hedged-plain',
    route: { timeout: '3s', ...retry({ per_try_timeout: '0.1s' }), hedge_policy: { hedge_on_per_try_timeout: true } },
    asks: '3S',
    script: ['hang', ok],
  },
  { name: 'retried', route: { ...bounded, ...retry({}) }, asks: '3S', script: [unavailable, ok] },
  { name: 'retried-unbounded', route: { max_grpc_timeout: '0s', ...retry({}) }, script: [unavailable, ok] },
  { name: 'retried-late', route: { ...bounded, ...retry({}) }, asks: '200m', script: [unavailable, 'hang'] },
  {
    name: 'retried-per-try',
    route: { timeout: '0s', ...retry({ per_try_timeout: '1s' }) },
    asks: '3S',
    script: [unavailable, ok],
  },
  { name: 'duration-asked', route: duration({ grpc_timeout_header_max: '4s' }), asks: '2S' },
  { name: 'duration-asked-late', route: duration({ grpc_timeout_header_max: '4s' }), asks: '150m', script: ['hang'] },
  { name: 'duration-above', route: duration({ grpc_timeout_header_max: '4s' }), asks: '9S' },
  { name: 'duration-above-late', route: duration({ grpc_timeout_header_max: '0.15s' }), asks: '9S', script: ['hang'] },
  { name: 'duration-unbounded', route: duration({ grpc_timeout_header_max: '0s' }), asks: '9S' },
  { name: 'duration-none-asked', route: duration({ grpc_timeout_header_max: '4s' }) },
  { name: 'duration-whole', route: duration({ max_stream_duration: '3s', grpc_timeout_header_max: '4s' }) },
  { name: 'duration-whole-late', route: duration({ max_stream_duration: '0.15s' }), script: ['hang'] },
  { name: 'duration-whole-asked', route: duration({ max_stream_duration: '3s' }), asks: '1S' },
  { name: 'duration-none', route: duration({ max_stream_duration: '0s' }), asks: '1S' },
  { name: 'duration-empty', route: duration({}), asks: '1S' },
  { name: 'duration-odd', route: duration({ max_stream_duration: '3s', grpc_timeout_header_max: '4s' }), asks: 'x' },
  {
    name: 'duration-zero',
    route: duration({ grpc_timeout_header_max: '4s' }),
    asks: '0m',
    script: ['hang'],
    late: true,
  },
  {
    name: 'duration-offset',
    route: duration({ grpc_timeout_header_max: '4s', grpc_timeout_header_offset: '0.5s' }),
    asks: '2S',
  },
  {
    name: 'duration-offset-above',
    route: duration({ grpc_timeout_header_max: '4s', grpc_timeout_header_offset: '0.5s' }),
    asks: '9S',
  },
  {
    name: 'duration-offset-large',
    route: duration({ grpc_timeout_header_max: '4s', grpc_timeout_header_offset: '3s' }),
    asks: '2S',
    script: ['hang'],
    late: true,
  },
  { name: 'duration-and-timeout', route: duration({ max_stream_duration: '3s' }, { timeout: '0.1s' }) },
  {
    name: 'duration-and-bound',
    route: duration({ grpc_timeout_header_max: '4s' }, { timeout: '1s', max_grpc_timeout: '2s' }),
    asks: '3S',
  },
  {
    name: 'duration-not-grpc',
    route: duration({ grpc_timeout_header_max: '4s' }),
    asks: '2S',
    type: 'application/json',
  },
  {
    name: 'duration-not-grpc-late',
    route: duration({ grpc_timeout_header_max: '4s' }),
    asks: '150m',
    type: 'text/plain',
    script: ['hang'],
  },
  { name: 'duration-unit', route: duration({ grpc_timeout_header_max: '0s' }), asks: '1500001u' },
  { name: 'duration-longest', route: duration({ grpc_timeout_header_max: '0s' }), asks: '99999999H' },
  {
    name: 'duration-retried',
    route: duration({ grpc_timeout_header_max: '4s' }, retry({ per_try_timeout: '1s' })),
    asks: '2S',
    script: [unavailable, ok],
  },
];

/** The times that a request tells its upstream; of retries, which have less left, to the half second. */
function timesOf(headers: Readonly<Record<string, unknown>>, index: number): Record<string, unknown> {
  const rounded = (text: unknown): unknown => {
    const [, count, unit] = /^(\d+)(m?)$/.exec(String(text)) ?? [];
    return index === 0 || count === undefined ? text : `about ${Math.ceil(Number(count) / 500) * 500}${unit}`;
  };
  return {
    grpc: rounded(headers['grpc-timeout']),
    expected: rounded(headers['x-envoy-expected-rq-timeout-ms']),
  };
}

function answerOf({ status, flags, details, body, headers }: TwinOutcome): object {
  const names = ['grpc-status', 'grpc-message', 'content-type'];
  return { status, flags, details, body, fields: Object.fromEntries(names.map((name) => [name, headers[name]])) };
}

describe('grpc-timeout, Envoy and ours', { skip: peerSkip('envoy') }, () => {
  let origin: ScriptedOrigin;
  let twins: EnvoyTwins;

  before(async () => {
    origin = await ScriptedOrigin.start();
    twins = await EnvoyTwins.start(
      {
        route_config: {
          name: 'routes',
          virtual_hosts: cases.map(({ name, route }) => ({
            name,
            domains: [name],
            routes: [{ match: { prefix: '/' }, route: { cluster: 'origin', ...route } }],
          })),
        },
      },
      [staticCluster('origin', origin.port)],
    );
  });

  after(async () => {
    await twins?.close();
    await origin?.close();
  });

  for (const { name, asks, script = [ok], type = 'application/grpc', late = false } of cases) {
    test(name, async () => {
      const headers = { 'content-type': type, ...(asks === undefined ? {} : { 'grpc-timeout': asks }) };
      const request = { method: 'POST', host: name, headers };
      origin.begin(script);
      const envoy = answerOf(await twins.throughEnvoy(request));
      const told = origin.attempts.map(timesOf);
      assert.ok(told.length > 0, 'Envoy sends it on');
      origin.begin(script);
      const ours = answerOf(await twins.throughOurs(request));
      assert.deepEqual({ answer: ours, told: origin.attempts.map(timesOf) }, { answer: envoy, told: late ? [] : told });
    });
  }
});

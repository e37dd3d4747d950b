import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { endpoint as endpointConfig } from '../../test/support/configs.ts';
import { Endpoint, EndpointCounters } from '../endpoint/endpoint.ts';
import { Outcome } from '../endpoint/outcome.ts';
import type { OutlierDetectionConfig } from '../runtime-config/outlier-detection.ts';
import { OutlierCounters } from './outlier-counters.ts';
import { OutlierDetector } from './outlier-detector.ts';

const intervalMs = 10_000;
const baseEjectionMs = 30_000;

const base: OutlierDetectionConfig = {
  consecutive5xx: { threshold: 5, enforcingPercent: 100 },
  consecutiveGatewayFailure: { threshold: 5, enforcingPercent: 0 },
  consecutiveLocalOriginFailure: { threshold: 5, enforcingPercent: 100 },
  splitLocalOrigin: false,
  intervalMs,
  baseEjectionMs,
  maxEjectionMs: 300_000,
  ejectionJitterMs: 0,
  maxEjectionPercent: 100,
  alwaysEjectOne: false,
  successRate: {
    minimumHosts: 5,
    requestVolume: 100,
    stdevFactor: 1900,
    enforcingPercent: 100,
    enforcingLocalOriginPercent: 100,
  },
  failurePercentage: {
    threshold: 85,
    minimumHosts: 5,
    requestVolume: 50,
    enforcingPercent: 0,
    enforcingLocalOriginPercent: 0,
  },
  unejectByActiveCheck: true,
};

function cluster(count: number, overrides: Partial<OutlierDetectionConfig> = {}) {
  const clock = new ManualClock();
  const counters = new OutlierCounters();
  const detector = new OutlierDetector({ config: { ...base, ...overrides }, counters, clock, random: () => 0.5 });
  const locality = { region: '', zone: '', subZone: '', weight: 1, priority: 0, endpoints: [] };
  const endpoints = Array.from({ length: count }, (_, index) => {
    const config = endpointConfig(8000 + index);
    const endpoint = new Endpoint(
      `127.0.0.1:${8000 + index}`,
      config,
      locality,
      { kind: 'raw' },
      new EndpointCounters(),
    );
    detector.add(endpoint);
    return endpoint;
  });
  const answer = (endpoint: Endpoint | undefined, status: number, times = 1): void => {
    for (let index = 0; index < times; index += 1) {
      endpoint?.reportOutcome(Outcome.connected, 0, -1);
      endpoint?.reportOutcome(Outcome.response, status, -1);
    }
  };
  return { clock, counters, detector, endpoints, answer };
}

test('five errors in a row eject, an answer in between begins anew', () => {
  const { counters, endpoints, answer } = cluster(4);
  const [first] = endpoints;
  answer(first, 500, 4);
  answer(first, 200);
  answer(first, 503, 4);
  assert.equal(first?.condition, 'healthy');
  answer(first, 501);
  assert.deepEqual([first?.condition, first?.healthText], ['unhealthy', '/failed_outlier_check']);
  assert.deepEqual(
    [counters.ejectionsActive, counters.enforced.consecutive_5xx, counters.detected.consecutive_gateway_failure],
    [1, 1, 0],
  );
});

test('an ejection ends at the first look after its time; the next one is longer, and less so after quiet intervals', () => {
  const { clock, endpoints, answer } = cluster(4);
  const [first] = endpoints;
  answer(first, 500, 5);
  clock.advance(baseEjectionMs - 1);
  assert.equal(first?.condition, 'unhealthy');
  clock.advance(1);
  assert.equal(first?.condition, 'healthy');
  answer(first, 500, 5);
  clock.advance(baseEjectionMs + intervalMs);
  assert.equal(first?.condition, 'unhealthy', 'twice the time');
  clock.advance(2 * intervalMs);
  assert.equal(first?.condition, 'healthy');
  clock.advance(3 * intervalMs);
  answer(first, 500, 5);
  clock.advance(baseEjectionMs);
  assert.equal(first?.condition, 'healthy', 'once the time again');
});

test('the maximum of ejections holds, one endpoint can be excepted', () => {
  const { counters, endpoints, answer } = cluster(4, { maxEjectionPercent: 50 });
  for (const endpoint of endpoints) {
    answer(endpoint, 500, 5);
  }
  assert.deepEqual([counters.ejectionsActive, counters.ejectionsOverflow], [2, 2]);
  const small = cluster(4, { maxEjectionPercent: 10 });
  answer(small.endpoints[0], 500, 5);
  assert.deepEqual([small.counters.ejectionsActive, small.counters.ejectionsOverflow], [0, 1]);
  const excepted = cluster(4, { maxEjectionPercent: 10, alwaysEjectOne: true });
  for (const endpoint of excepted.endpoints) {
    answer(endpoint, 500, 5);
  }
  assert.equal(excepted.counters.ejectionsActive, 1);
});

test('failures to connect count as errors, or apart', () => {
  const mixed = cluster(4);
  const fail = (endpoint: Endpoint | undefined): void => endpoint?.reportOutcome(Outcome.connectFailure, 0, -1);
  for (let index = 0; index < 5; index += 1) {
    fail(mixed.endpoints[0]);
  }
  assert.equal(mixed.counters.enforced.consecutive_5xx, 1);
  const split = cluster(4, { splitLocalOrigin: true });
  for (let index = 0; index < 4; index += 1) {
    fail(split.endpoints[0]);
  }
  split.answer(split.endpoints[0], 500, 1);
  fail(split.endpoints[0]);
  assert.equal(split.counters.ejectionsActive, 0, 'a connection was there in between');
  for (let index = 0; index < 4; index += 1) {
    split.endpoints[0]?.reportOutcome(Outcome.timeout, 0, -1);
  }
  assert.equal(split.counters.enforced.consecutive_local_origin_failure, 1);
});

test('gateway errors are noted without being enforced', () => {
  const { counters, endpoints, answer } = cluster(4, { consecutive5xx: { threshold: 100, enforcingPercent: 100 } });
  answer(endpoints[0], 503, 5);
  assert.deepEqual([counters.detected.consecutive_gateway_failure, counters.ejectionsActive], [1, 0]);
});

test('an endpoint far below the mean of the others is ejected, if there is enough to compare', () => {
  const never = { consecutive5xx: { threshold: 10_000, enforcingPercent: 100 } };
  const { clock, counters, endpoints, answer } = cluster(5, never);
  for (const [index, endpoint] of endpoints.entries()) {
    answer(endpoint, 200, index === 2 ? 60 : 100);
    answer(endpoint, 500, index === 2 ? 60 : 1);
  }
  clock.advance(intervalMs);
  assert.deepEqual(
    endpoints.map(({ condition }) => condition),
    ['healthy', 'healthy', 'unhealthy', 'healthy', 'healthy'],
  );
  assert.equal(counters.enforced.success_rate, 1);
  const few = cluster(4, never);
  for (const [index, endpoint] of few.endpoints.entries()) {
    few.answer(endpoint, index === 0 ? 500 : 200, 200);
  }
  few.clock.advance(intervalMs);
  assert.equal(few.counters.ejectionsActive, 0);
});

test('a share of failures ejects whoever has it', () => {
  const { clock, counters, endpoints, answer } = cluster(5, {
    consecutive5xx: { threshold: 10_000, enforcingPercent: 100 },
    successRate: { ...base.successRate, enforcingPercent: 0 },
    failurePercentage: { ...base.failurePercentage, threshold: 50, enforcingPercent: 100 },
  });
  for (const [index, endpoint] of endpoints.entries()) {
    answer(endpoint, 200, 30);
    answer(endpoint, 500, index < 2 ? 30 : 20);
  }
  clock.advance(intervalMs);
  assert.equal(counters.enforced.failure_percentage, 2);
});

test('an active check that passes ends an ejection; what leaves the cluster, or the end of detection, does too', () => {
  const { counters, detector, endpoints, answer } = cluster(4);
  const [first, second, third] = endpoints as [Endpoint, Endpoint, Endpoint];
  for (const endpoint of [first, second, third]) {
    answer(endpoint, 500, 5);
  }
  detector.activeCheckPassed(first);
  assert.equal(first.condition, 'healthy');
  detector.remove(second);
  assert.equal(counters.ejectionsActive, 1);
  detector.stop();
  assert.deepEqual([counters.ejectionsActive, third.condition], [0, 'healthy']);
});

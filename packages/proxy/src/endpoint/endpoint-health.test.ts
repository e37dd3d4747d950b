import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoint as endpointConfig } from '../../test/support/configs.ts';
import type { EndpointConfig } from '../runtime-config/config.ts';
import { Endpoint, EndpointCounters } from './endpoint.ts';
import { HealthFlag } from './endpoint-health.ts';

function make(overrides: Partial<EndpointConfig> = {}): { endpoint: Endpoint; changes: () => number } {
  const locality = { region: '', zone: '', subZone: '', weight: 1, priority: 0, endpoints: [] };
  const config = endpointConfig(80, overrides);
  const endpoint = new Endpoint('127.0.0.1:80', config, locality, { kind: 'raw' }, new EndpointCounters());
  let changes = 0;
  endpoint.owner = {
    onHealthChange: () => {
      changes += 1;
    },
  };
  return { endpoint, changes: () => changes };
}

test('health is what EDS, active checks and outlier detection say together', () => {
  const { endpoint, changes } = make();
  assert.equal(endpoint.condition, 'healthy');
  endpoint.setHealthFlag(HealthFlag.ejected, true);
  assert.equal(endpoint.condition, 'unhealthy');
  endpoint.setHealthFlag(HealthFlag.failedActiveCheck, true);
  endpoint.setHealthFlag(HealthFlag.ejected, false);
  assert.equal(endpoint.condition, 'unhealthy');
  assert.equal(endpoint.healthText, '/failed_active_hc');
  endpoint.setHealthFlag(HealthFlag.failedActiveCheck, false);
  assert.equal(endpoint.condition, 'healthy');
  assert.equal(changes(), 2, 'the balancer is told only of what it can see');
});

test('an update of EDS replaces what EDS said, and nothing else', () => {
  const { endpoint } = make({ health: 'draining' });
  assert.deepEqual([endpoint.condition, endpoint.health, endpoint.status], ['unhealthy', 'draining', 'draining']);
  endpoint.setHealthFlag(HealthFlag.ejected, true);
  endpoint.config = endpointConfig(80, { health: 'degraded' });
  assert.equal(endpoint.healthText, '/failed_outlier_check/degraded_eds_health');
  assert.deepEqual([endpoint.condition, endpoint.status], ['unhealthy', 'unhealthy']);
  endpoint.setHealthFlag(HealthFlag.ejected, false);
  assert.deepEqual([endpoint.condition, endpoint.status], ['degraded', 'degraded']);
});

test('what was not checked yet is left out; the first pass begins slow start', () => {
  const { endpoint, changes } = make({ status: 'unknown' });
  assert.equal(endpoint.status, 'unknown');
  endpoint.setHealthFlag(HealthFlag.pendingActiveCheck | HealthFlag.failedActiveCheck, true);
  assert.deepEqual([endpoint.excluded, endpoint.condition], [true, 'unhealthy']);
  endpoint.setHealthFlag(HealthFlag.pendingActiveCheck | HealthFlag.failedActiveCheck, false, 5000);
  assert.deepEqual([endpoint.excluded, endpoint.condition, endpoint.healthySinceMs], [false, 'healthy', 5000]);
  endpoint.setHealthFlag(HealthFlag.ejected, true);
  endpoint.setHealthFlag(HealthFlag.ejected, false, 9000);
  assert.equal(endpoint.healthySinceMs, 5000, 'an ejection that ends is no new start');
  assert.equal(changes(), 4);
});

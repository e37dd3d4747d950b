import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaseResult } from './case-result.ts';
import { withRatios } from './ratios.ts';

function row(proxy: string, cpuUsPerRequest: number): CaseResult {
  return {
    name: 'http1-mtls-pair',
    proxy,
    cpuUsPerRequest,
    cpuUsSpread: [cpuUsPerRequest, cpuUsPerRequest],
    cpuUserUs: 0,
    cpuSystemUs: 0,
    rps: 1,
    rssMb: 1,
    errors: 0,
  };
}

test('the ratio is to the better of several ways in which Envoy was measured', () => {
  const rows = [row('weft', 30), row('envoy', 60), row('envoy', 50)];
  const ratios = (better: 'lower' | 'higher'): readonly (number | undefined)[] =>
    withRatios(rows, (item) => item.cpuUsPerRequest, better).map(({ ratioToEnvoy }) => ratioToEnvoy);
  assert.deepEqual(ratios('lower'), [0.6, 1.2, 1]);
  assert.deepEqual(ratios('higher'), [0.5, 1, 50 / 60]);
});

test('without Envoy and HAProxy there is no ratio', () => {
  const [only] = withRatios([row('weft', 30)], (item) => item.cpuUsPerRequest, 'lower');
  assert.equal(only?.ratioToEnvoy, undefined);
  assert.equal(only?.ratioToHaproxy, undefined);
});

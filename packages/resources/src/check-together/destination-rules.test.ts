import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object } from './test-support.ts';

const random = { loadBalancer: { simple: 'RANDOM' } };

function rule(name: string, more: object = {}): string {
  return object('DestinationRule', name, { host: 'reviews', ...more });
}

test('DestinationRules for one host are put together; what only one of them can have is told, in whatever form the host is written', () => {
  const first = rule('a', { trafficPolicy: random, subsets: [{ name: 'v1' }] });
  assert.deepEqual(findingsOf([first, rule('b', { subsets: [{ name: 'v2' }] })]), []);
  assert.deepEqual(
    findingsOf([
      first,
      rule('b', {
        host: 'reviews.shop.svc.cluster.local',
        trafficPolicy: random,
        subsets: [{ name: 'v2' }, { name: 'v1' }],
      }),
    ]),
    [
      'b spec.trafficPolicy: DestinationRule shop/a has one for reviews.shop.svc.cluster.local, too: only that of the older of the two is in force',
      'b spec.subsets[1].name: DestinationRule shop/a declares subset v1 of reviews.shop.svc.cluster.local, too: only that of the older of the two is in force',
    ],
  );
  assert.deepEqual(findingsOf([first, rule('far/b', { trafficPolicy: random })]), []);
});

test('a rule that chooses its callers is none too many; two with the same selector are', () => {
  const workloadSelector = { matchLabels: { app: 'x' } };
  const first = rule('a', { trafficPolicy: random });
  const chosen = rule('b', { trafficPolicy: random, workloadSelector });
  assert.deepEqual(findingsOf([first, chosen]), []);
  assert.deepEqual(findingsOf([first, chosen, rule('c', { trafficPolicy: random, workloadSelector })]), [
    'c spec.trafficPolicy: DestinationRule shop/b has one for reviews, too: only that of the older of the two is in force',
  ]);
});

test('rules for others are not put together, which is told where somebody sees both', () => {
  const subsets = [{ name: 'v1' }];
  assert.deepEqual(findingsOf([rule('a', { subsets }), rule('b', { subsets, exportTo: ['.'] })]), [
    'b spec.exportTo: DestinationRule shop/a is for reviews, too, but for others: where both are seen, only the older of the two is in force',
  ]);
  const [one, two] = [rule('a', { subsets, exportTo: ['x'] }), rule('b', { subsets, exportTo: ['y'] })];
  assert.deepEqual(findingsOf([one, two]), []);
  assert.deepEqual(findingsOf([one, rule('b', { subsets, exportTo: ['x', 'y'] })]), [
    'b spec.subsets[0].name: DestinationRule shop/a declares subset v1 of reviews, too: only that of the older of the two is in force',
  ]);
});

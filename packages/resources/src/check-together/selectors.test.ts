import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, workload } from './test-support.ts';

const labels = { app: 'ratings' };
const policies = [
  object('PeerAuthentication', 'p', { selector: { matchLabels: labels }, mtls: { mode: 'STRICT' } }),
  object('Sidecar', 's', { workloadSelector: { labels }, egress: [{ hosts: ['./*'] }] }),
  object('DestinationRule', 'd', { host: 'reviews', workloadSelector: { matchLabels: labels } }),
];

test('policies that choose no workload of their namespace, where the files tell of workloads', () => {
  assert.deepEqual(findingsOf(policies), []);
  assert.deepEqual(findingsOf([...policies, workload('one', labels)]), []);
  const group = object('WorkloadGroup', 'g', { metadata: { labels }, template: {} });
  assert.deepEqual(findingsOf([...policies, group]), []);
  const said = '{"app":"ratings"}: it matches none of the 0 workloads of namespace shop in these files';
  assert.deepEqual(findingsOf([...policies, workload('far/one', labels)]), [
    `p spec.selector.matchLabels: ${said}`,
    `s spec.workloadSelector.labels: ${said}`,
    `d spec.workloadSelector.matchLabels: ${said}`,
  ]);
});

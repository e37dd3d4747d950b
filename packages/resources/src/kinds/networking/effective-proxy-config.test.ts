import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concurrencyConfig } from './effective-proxy-config.ts';
import type { ProxyConfig } from './proxy-config.ts';

const config = (name: string, namespace: string, labels?: Readonly<Record<string, string>>): ProxyConfig => ({
  apiVersion: 'networking.istio.io/v1beta1',
  kind: 'ProxyConfig',
  metadata: { name, namespace },
  spec: { concurrency: 1, ...(labels === undefined ? {} : { selector: { matchLabels: labels } }) },
});
const nameOf = (configs: readonly ProxyConfig[], namespace: string, labels: Readonly<Record<string, string>> = {}) =>
  concurrencyConfig(configs, { namespace, labels }, 'root')?.metadata.name;

test('one that selects the workload counts before that of its namespace, and that before the root namespace', () => {
  const all = [config('all', 'root'), config('shop', 'shop'), config('web', 'shop', { app: 'web' })];
  assert.equal(nameOf(all, 'shop', { app: 'web', version: 'v1' }), 'web');
  assert.equal(nameOf(all, 'shop', { app: 'job' }), 'shop');
  assert.equal(nameOf(all, 'other'), 'all');
  assert.equal(nameOf(all.slice(2), 'other', { app: 'web' }), undefined);
});

test('of several the oldest counts, and one that says nothing of it does not', () => {
  const { spec: _, ...silent } = config('silent', 'shop');
  const old = config('b', 'shop');
  const older = { ...old, metadata: { ...old.metadata, creationTimestamp: '2026-01-01T00:00:00Z' } };
  const young = { ...old, metadata: { name: 'a', namespace: 'shop', creationTimestamp: '2026-02-01T00:00:00Z' } };
  assert.equal(nameOf([silent, young, older], 'shop'), 'b');
});

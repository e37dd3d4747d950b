import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews } from './test-support.ts';

const policy = (target: object, ca: string = 'roots'): string =>
  object('BackendTLSPolicy', 'tls', {
    targetRefs: [{ group: '', kind: 'Service', name: 'reviews', ...target }],
    validation: { hostname: 'a.example', caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: ca }] },
  });
const roots = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'roots', namespace: 'shop' } });

test('policies of TLS for what is in none of the files', () => {
  assert.deepEqual(findingsOf([policy({ name: 'nobody' })]), [], 'the files hold no Services: they may be in the mesh');
  assert.deepEqual(findingsOf([reviews, roots, policy({ sectionName: 'http' })]), []);
  assert.deepEqual(findingsOf([reviews, policy({ name: 'nobody' })]), [
    'tls spec.targetRefs[0].name: "nobody": Service shop/nobody is in none of these files',
  ]);
  assert.deepEqual(findingsOf([reviews, policy({ sectionName: 'https' })]), [
    'tls spec.targetRefs[0].sectionName: "https": Service shop/reviews has no port of this name',
  ]);
  assert.deepEqual(findingsOf([reviews, roots, policy({}, 'other')]), [
    'tls spec.validation.caCertificateRefs[0].name: "other": ConfigMap shop/other is in none of these files',
  ]);
});

test('policies of TLS for ServiceEntries, by the names of their ports', () => {
  const entry = object('ServiceEntry', 'pay', {
    hosts: ['pay.example'],
    ports: [{ number: 443, name: 'https', protocol: 'HTTP' }],
    resolution: 'DNS',
  });
  const target = { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'pay' };
  assert.deepEqual(findingsOf([roots, policy(target)]), [], 'the files hold no ServiceEntries');
  assert.deepEqual(findingsOf([entry, roots, policy({ ...target, sectionName: 'https' })]), []);
  assert.deepEqual(findingsOf([entry, roots, policy({ ...target, name: 'nobody' })]), [
    'tls spec.targetRefs[0].name: "nobody": ServiceEntry shop/nobody is in none of these files',
  ]);
  assert.deepEqual(findingsOf([entry, roots, policy({ ...target, sectionName: 'http' })]), [
    'tls spec.targetRefs[0].sectionName: "http": ServiceEntry shop/pay has no port of this name',
  ]);
});

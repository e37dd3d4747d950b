import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews } from './test-support.ts';

const target = { group: '', kind: 'Service', name: 'reviews' };
const policy = (name: string, more: object = {}, spec: object = {}): string =>
  object('EndpointPolicy', name, {
    targetRefs: [{ ...target, ...more }],
    healthCheck: { http: { path: '/' } },
    ...spec,
  });
const entry = object('ServiceEntry', 'bank', {
  hosts: ['bank.example'],
  resolution: 'DNS',
  ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }],
});
const bank = { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'bank' };
const rule = (loadBalancer: object): string =>
  object('DestinationRule', 'r', { host: 'reviews', trafficPolicy: { loadBalancer } });

test('policies for endpoints of what is in none of the files', () => {
  assert.deepEqual(findingsOf([policy('p')]), [], 'the files hold no Services: they may be in the mesh');
  assert.deepEqual(findingsOf([reviews, policy('p'), policy('q', { sectionName: 'http' })]), []);
  assert.deepEqual(findingsOf([entry, policy('p', bank), policy('q', { ...bank, sectionName: 'https' })]), []);
  assert.deepEqual(findingsOf([reviews, policy('p', { name: 'nobody' })]), [
    'p spec.targetRefs[0].name: "nobody": Service shop/nobody is in none of these files',
  ]);
  assert.deepEqual(findingsOf([entry, policy('p', { ...bank, name: 'other' })]), [
    'p spec.targetRefs[0].name: "other": ServiceEntry shop/other is in none of these files',
  ]);
  assert.deepEqual(findingsOf([reviews, policy('p', { sectionName: 'grpc' })]), [
    'p spec.targetRefs[0].sectionName: "grpc": Service shop/reviews has no port of this name',
  ]);
  const healthCheck = { port: 81, grpc: {} };
  assert.deepEqual(findingsOf([reviews, policy('p', {}, { healthCheck })]), [
    'p spec.healthCheck.port: 81: Service shop/reviews has no such port',
  ]);
});

test('of two policies for one target only one is in force', () => {
  assert.deepEqual(findingsOf([reviews, policy('p'), policy('q')]), [
    'q spec.targetRefs[0]: EndpointPolicy shop/p is for Service shop/reviews, too: only the older of the two is in force',
  ]);
});

test('a bounded load where nobody chooses by hash', () => {
  const bounded = policy('p', {}, { loadBalancer: { boundedLoad: 120 } });
  assert.deepEqual(findingsOf([reviews, bounded]), [], 'a rule may be in the mesh');
  assert.deepEqual(findingsOf([reviews, bounded, rule({ consistentHash: { useSourceIp: true } })]), []);
  assert.deepEqual(findingsOf([reviews, bounded, rule({ simple: 'RANDOM' })]), [
    'p spec.loadBalancer.boundedLoad: callers of Service shop/reviews do not choose by hash',
  ]);
});

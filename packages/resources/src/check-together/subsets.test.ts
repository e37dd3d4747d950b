import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews, to, workload } from './test-support.ts';

const rule = object('DestinationRule', 'reviews', {
  host: 'reviews',
  subsets: [
    { name: 'v1', labels: { version: 'v1' } },
    { name: 'v2', labels: { version: 'v2' } },
  ],
});

test('a subset that no DestinationRule declares', () => {
  const virtualService = object('VirtualService', 'a', {
    hosts: ['reviews'],
    http: [{ route: [to('reviews', { subset: 'v3' })] }],
  });
  assert.deepEqual(findingsOf([reviews, rule, virtualService]), [
    'a spec.http[0].route[0].destination.subset: "v3": no DestinationRule of these files declares it for reviews, and requests to it get a 503',
  ]);
  assert.deepEqual(findingsOf([virtualService]), [], 'the files may be half of the story');
});

test('a subset that selects none of the workloads of the files, if they have any of the host', () => {
  assert.deepEqual(findingsOf([reviews, rule]), []);
  assert.deepEqual(findingsOf([reviews, rule, workload('other', { app: 'other' })]), []);
  assert.deepEqual(findingsOf([reviews, rule, workload('one', { app: 'reviews', version: 'v1' })]), [
    'reviews spec.subsets[1].labels: {"version":"v2"}: subset v2 selects none of the 1 workloads of reviews in these files',
  ]);
});

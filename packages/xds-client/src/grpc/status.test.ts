import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusFromHttp, statusFromTrailers } from './status.ts';

test('the status is read from trailers, its message percent-decoded', () => {
  assert.deepEqual(statusFromTrailers({ 'grpc-status': '14', 'grpc-message': 'gone%20away%21' }), {
    code: 'UNAVAILABLE',
    details: 'gone away!',
  });
  assert.deepEqual(statusFromTrailers({ 'grpc-status': '0' }), { code: 'OK', details: '' });
  assert.equal(statusFromTrailers({ 'grpc-status': '99' })?.code, 'UNKNOWN');
  assert.equal(statusFromTrailers({ 'grpc-status': '2', 'grpc-message': '%zz' })?.details, '%zz');
  assert.equal(statusFromTrailers({}), undefined);
});

test('an HTTP status stands for a gRPC status when there is none', () => {
  assert.equal(statusFromHttp(503).code, 'UNAVAILABLE');
  assert.equal(statusFromHttp(403).code, 'PERMISSION_DENIED');
  assert.equal(statusFromHttp(418).code, 'UNKNOWN');
});

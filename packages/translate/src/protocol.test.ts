import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolOfPort } from './protocol.ts';

test('appProtocol decides, else the name of the port; whole or up to its first dash', () => {
  assert.equal(protocolOfPort('http', 'tcp-x', undefined, 80), 'http');
  assert.equal(protocolOfPort('HTTP', undefined, undefined, 80), 'http');
  assert.equal(protocolOfPort(undefined, 'http', undefined, 80), 'http');
  assert.equal(protocolOfPort(undefined, 'http-admin', undefined, 80), 'http');
  assert.equal(protocolOfPort(undefined, 'redis-main', undefined, 80), 'tcp');
  assert.equal(protocolOfPort('kubernetes.io/ws', undefined, undefined, 80), 'http');
  assert.equal(
    protocolOfPort('my.example/own', 'http-x', undefined, 80),
    'auto',
    "as Istio: it is not the name's turn",
  );
});

test('HTTP/2 and gRPC by all their names', () => {
  for (const name of ['http2', 'h2c', 'grpc', 'grpc-api', 'GRPC', 'http2-x']) {
    assert.equal(protocolOfPort(undefined, name, undefined, 80), 'http2', name);
  }
  assert.equal(protocolOfPort('kubernetes.io/h2c', undefined, undefined, 80), 'http2');
  assert.equal(protocolOfPort(undefined, 'grpc-web-ui', undefined, 80), 'grpc-web');
});

test('a port that says nothing is found out, unless its number is one of a protocol in which the server speaks first', () => {
  for (const name of [undefined, 'web', 'httpx']) {
    assert.equal(protocolOfPort(undefined, name, undefined, 8080), 'auto');
    assert.equal(protocolOfPort(undefined, name, undefined, undefined), 'auto');
    assert.equal(protocolOfPort(undefined, name, undefined, 3306), 'tcp');
  }
  assert.equal(protocolOfPort(undefined, 'http', undefined, 3306), 'http', 'said is said');
});

test('UDP is not carried', () => {
  assert.equal(protocolOfPort(undefined, 'http', 'UDP', 80), 'udp');
});

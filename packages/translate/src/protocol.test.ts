import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolOfPort } from './protocol.ts';

const kindOf = (appProtocol: string | undefined, name: string | undefined, transport?: string): string => {
  const { kind, supported } = protocolOfPort(appProtocol, name, transport);
  return supported ? kind : `${kind}, not yet`;
};

test('appProtocol decides, then the name of the port up to its first dash', () => {
  assert.equal(kindOf('http', 'tcp-x'), 'http');
  assert.equal(kindOf('HTTP', undefined), 'http');
  assert.equal(kindOf(undefined, 'http'), 'http');
  assert.equal(kindOf(undefined, 'http-admin'), 'http');
  assert.equal(kindOf(undefined, 'redis-main'), 'tcp');
  assert.equal(kindOf('my.example/own', 'http-x'), 'http');
});

test('a port that says nothing is opaque', () => {
  assert.equal(kindOf(undefined, undefined), 'tcp');
  assert.equal(kindOf(undefined, 'web'), 'tcp');
  assert.equal(kindOf(undefined, 'httpx'), 'tcp');
});

test('HTTP/2 is carried as it is and said to be so', () => {
  assert.equal(kindOf('kubernetes.io/h2c', undefined), 'tcp, not yet');
  assert.equal(kindOf(undefined, 'grpc-api'), 'tcp, not yet');
  assert.equal(kindOf(undefined, 'grpc-web-ui'), 'http');
});

test('UDP is not carried', () => {
  assert.equal(kindOf(undefined, 'dns', 'UDP'), 'udp, not yet');
});

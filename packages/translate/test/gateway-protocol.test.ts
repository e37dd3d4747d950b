import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { irOf, objectsOf, stateOf } from './support/objects.ts';

/** What is spoken to a port that declares nothing. */

const { object, gatewayApi, gatewayProxy } = objectsOf('shop');

const route = (kind: string): KubeObject =>
  gatewayApi(kind, kind.toLowerCase(), {
    parentRefs: [{ name: 'g' }],
    hostnames: [`${kind.toLowerCase()}.example`],
    rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
  });
const gateway = gatewayApi('Gateway', 'g', {
  gatewayClassName: 'weft',
  listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
});

function protocolWith(objects: readonly KubeObject[], observed: readonly string[] = []): unknown {
  const unsaid = object('v1', 'Service', 'a', { spec: { selector: { app: 'a' }, ports: [{ port: 80 }] } });
  return irOf(stateOf([unsaid, ...objects]), 'shop/p', observed).clusters.map(({ protocol }) => protocol);
}

const protocolAtGateway = (...routes: readonly KubeObject[]): unknown =>
  protocolWith([...gatewayProxy('p', 'g'), gateway, ...routes]);

test('a gateway speaks HTTP/1.1 to it, whatever its clients speak', () => {
  assert.deepEqual(protocolAtGateway(route('HTTPRoute')), ['http1']);
});

test('with a GRPCRoute it speaks HTTP/2, also where an HTTPRoute leads there as well', () => {
  assert.deepEqual(protocolAtGateway(route('GRPCRoute')), ['http2']);
  assert.deepEqual(protocolAtGateway(route('GRPCRoute'), route('HTTPRoute')), ['http2']);
  assert.deepEqual(protocolAtGateway(route('HTTPRoute'), route('GRPCRoute')), ['http2']);
});

test('a sidecar goes by its workload, which knows what it calls', () => {
  const sidecar = object('weft.dev/v1alpha1', 'Proxy', 'p', {
    spec: { serviceAccount: 'p', httpProxy: { port: 15_080 } },
  });
  assert.deepEqual(protocolWith([sidecar], ['a']), ['http-as-downstream']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { gatewayApiStatus, MeshState, resourceStatus } from '../index.ts';

const object = (kind: string, version: string, spec: unknown): KubeObject =>
  ({
    apiVersion: `networking.istio.io/${version}`,
    kind,
    metadata: { name: 'a', namespace: 'shop', generation: 1 },
    spec,
  }) as KubeObject;

test('a valid object that nothing acts upon says so', () => {
  const state = new MeshState();
  state.apply([
    { value: object('Sidecar', 'v1', { inboundConnectionPool: { tcp: { tcpKeepalive: { probes: 1 } } } }) },
    {
      value: object('ProxyConfig', 'v1beta1', {
        concurrency: 2,
        environmentVariables: { A: 'b' },
        image: { imageType: 'debug' },
      }),
    },
  ]);
  const said = [...resourceStatus(state).values()].map(({ origin, conditions }) => [
    origin.kind,
    conditions.find(({ type }) => type === 'NotYetSupported')?.message,
  ]);
  assert.deepEqual(Object.fromEntries(said), {
    Sidecar: 'valid, but nothing acts on it yet: spec.inboundConnectionPool.tcp.tcpKeepalive.probes',
    ProxyConfig: 'valid, but nothing acts on it yet: spec.environmentVariables, spec.image',
  });
});

test('a backend that is to be spoken to by TLS is refused until it can be: nothing goes in the clear', () => {
  const of = (apiVersion: string, kind: string, name: string, spec: unknown): KubeObject =>
    ({ apiVersion, kind, metadata: { name, namespace: 'shop', generation: 1 }, spec }) as KubeObject;
  const gatewayApi = 'gateway.networking.k8s.io/v1';
  const state = new MeshState();
  const ports = [
    { name: 'secure', port: 443, protocol: 'TCP' },
    { name: 'plain', port: 80, protocol: 'TCP' },
  ];
  const route = (name: string, port: number): KubeObject =>
    of(gatewayApi, 'HTTPRoute', name, {
      parentRefs: [{ name: 'edge' }],
      rules: [{ backendRefs: [{ name: 'pay', port }] }],
    });
  state.apply([
    { value: of('v1', 'Service', 'pay', { selector: { app: 'pay' }, ports }) },
    {
      value: of(gatewayApi, 'Gateway', 'edge', {
        gatewayClassName: 'weft',
        listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }],
      }),
    },
    { value: route('secure', 443) },
    { value: route('plain', 80) },
    {
      value: of(gatewayApi, 'BackendTLSPolicy', 'pay', {
        targetRefs: [{ group: '', kind: 'Service', name: 'pay', sectionName: 'secure' }],
        validation: { hostname: 'pay.example.com', wellKnownCACertificates: 'System' },
      }),
    },
  ]);
  const resolved = new Map(
    [...gatewayApiStatus(state).values()].flatMap((status) =>
      status.kind === 'route'
        ? [[status.origin.name, status.parents[0]?.conditions.find(({ type }) => type === 'ResolvedRefs')]]
        : [],
    ),
  );
  assert.equal(resolved.get('plain')?.status, 'True');
  assert.equal(resolved.get('secure')?.reason, 'UnsupportedValue');
  assert.match(resolved.get('secure')?.message ?? '', /^BackendTLSPolicy shop\/pay asks for TLS to Service shop\/pay/);
});

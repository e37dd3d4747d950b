import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GatewayClientCertificates, validate } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { gatewayApiStatus, MeshState, workloadIr } from '../src/index.ts';
import { keyPairData } from './golden/key-pair-data.ts';

/** Certificates of clients at the listeners of a Gateway (`spec.tls.frontend`). */

function object(apiVersion: string, kind: string, name: string, body: object, namespace = 'edge'): KubeObject {
  const metadata = { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, ...body } as KubeObject;
}

const pem = Buffer.from(keyPairData()['tls.crt'] ?? '', 'base64').toString('utf8');

const base: readonly KubeObject[] = [
  object('weft.dev/v1alpha1', 'Proxy', 'p', { spec: { serviceAccount: 'p', role: 'gateway' } }),
  object('networking.istio.io/v1', 'WorkloadEntry', 'p', {
    spec: { address: '127.0.0.1', labels: { 'gateway.networking.k8s.io/gateway-name': 'g' } },
  }),
  object('v1', 'Secret', 'pair', { type: 'kubernetes.io/tls', data: keyPairData() }),
  object('v1', 'ConfigMap', 'roots', { data: { 'ca.crt': pem } }),
  object('v1', 'ConfigMap', 'roots', { data: { 'ca.crt': pem } }, 'other'),
];

const grant = object(
  'gateway.networking.k8s.io/v1beta1',
  'ReferenceGrant',
  'roots',
  {
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'edge' }],
      to: [{ group: '', kind: 'ConfigMap' }],
    },
  },
  'other',
);

function stateOf(frontend: object, ...more: readonly KubeObject[]): MeshState {
  const certificateRefs = [{ name: 'pair' }];
  const gateway = object('gateway.networking.k8s.io/v1', 'Gateway', 'g', {
    spec: {
      gatewayClassName: 'weft',
      tls: { frontend },
      listeners: [
        { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs } },
        { name: 'https-2', port: 8443, protocol: 'HTTPS', tls: { certificateRefs } },
        { name: 'tls', port: 9443, protocol: 'TLS', tls: { mode: 'Terminate', certificateRefs } },
        { name: 'http', port: 80, protocol: 'HTTP' },
      ],
    },
  });
  const route = object('gateway.networking.k8s.io/v1', 'TCPRoute', 'r', {
    spec: { parentRefs: [{ name: 'g' }], rules: [{ backendRefs: [{ name: 'nobody', port: 80 }] }] },
  });
  const state = new MeshState();
  state.apply([...base, gateway, route, ...more].map((value) => ({ value })));
  return state;
}

/** What is asked of clients, by the port of the socket. */
function asked(state: MeshState): Readonly<Record<number, GatewayClientCertificates['kind'] | 'plain'>> {
  const ir = workloadIr(state, 'edge/p', []);
  assert.ok(ir !== undefined);
  assert.deepEqual(validate(ir), []);
  return Object.fromEntries(
    ir.gateway.map(({ listen, chains }) => [listen.port, chains[0]?.tls?.client.kind ?? 'plain']),
  );
}

function statusOf(state: MeshState, listener: string | undefined): Readonly<Record<string, string>> {
  const status = [...gatewayApiStatus(state).values()].find(({ kind }) => kind === 'gateway');
  assert.ok(status?.kind === 'gateway');
  const conditions =
    listener === undefined
      ? status.conditions
      : (status.listeners.find(({ name }) => name === listener)?.conditions ?? []);
  return Object.fromEntries(conditions.map(({ type, status: holds, reason }) => [type, `${holds} ${reason}`]));
}

const roots = { group: '', kind: 'ConfigMap', name: 'roots' };
const only = (...caCertificateRefs: readonly object[]): object => ({ validation: { caCertificateRefs } });

test('the default is for every listener of HTTPS, an entry of a port takes its place', () => {
  const state = stateOf({
    default: only(roots),
    perPort: [{ port: 8443, tls: { validation: { caCertificateRefs: [roots], mode: 'AllowInsecureFallback' } } }],
  });
  assert.deepEqual(asked(state), { 80: 'plain', 443: 'verified', 8443: 'unverified', 9443: 'none' });
  assert.equal(statusOf(state, undefined)['InsecureFrontendValidationMode'], 'True ConfigurationChanged');
  const off = stateOf({ default: only(roots), perPort: [{ port: 443, tls: {} }] });
  assert.deepEqual(asked(off), { 80: 'plain', 443: 'none', 8443: 'verified', 9443: 'none' });
  assert.equal(statusOf(off, undefined)['InsecureFrontendValidationMode'], undefined);
});

test('without a valid authority the listeners of HTTPS are not opened, the others are', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ ...roots, name: 'nowhere' }, 'InvalidCACertificateRef'],
    [{ ...roots, kind: 'Bundle' }, 'InvalidCACertificateKind'],
    [{ ...roots, namespace: 'other' }, 'RefNotPermitted'],
  ];
  for (const [ref, reason] of cases) {
    const state = stateOf({ default: { validation: { caCertificateRefs: [ref], mode: 'AllowInsecureFallback' } } });
    assert.deepEqual(asked(state), { 80: 'plain', 9443: 'none' });
    for (const listener of ['https', 'https-2']) {
      const said = statusOf(state, listener);
      assert.equal(said['Accepted'], 'False NoValidCACertificate');
      assert.equal(said['ResolvedRefs'], `False ${reason}`);
      assert.equal(said['Programmed'], 'False Invalid');
    }
    assert.equal(statusOf(state, 'http')['ResolvedRefs'], 'True ResolvedRefs');
  }
});

test('one reference of several that is not valid is said, and the others are used', () => {
  const state = stateOf({ default: only(roots, { ...roots, name: 'nowhere' }) });
  assert.equal(asked(state)[443], 'verified');
  assert.equal(statusOf(state, 'https')['Accepted'], 'True Accepted');
  assert.equal(statusOf(state, 'https')['ResolvedRefs'], 'False InvalidCACertificateRef');
});

test('authorities of another namespace need a ReferenceGrant', () => {
  const state = stateOf({ default: only({ ...roots, namespace: 'other' }) }, grant);
  assert.equal(asked(state)[443], 'verified');
  assert.equal(statusOf(state, 'https')['ResolvedRefs'], 'True ResolvedRefs');
});

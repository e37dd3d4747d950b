import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayClientCertificates } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import type { MeshState } from '../src/index.ts';
import { keyPairData } from './golden/key-pair-data.ts';
import { irOf, objectsOf, stateOf as stateOfAll, statusOf } from './support/objects.ts';

/** Certificates of clients at the listeners of a Gateway (`spec.tls.frontend`). */

const edge = objectsOf('edge');
const other = objectsOf('other');
const authority = { data: { 'ca.crt': Buffer.from(keyPairData()['tls.crt'] ?? '', 'base64').toString('utf8') } };

const base: readonly KubeObject[] = [
  ...edge.gatewayProxy('p', 'g'),
  edge.keyPair('pair'),
  edge.object('v1', 'ConfigMap', 'roots', authority),
  other.object('v1', 'ConfigMap', 'roots', authority),
];

const grant = other.object('gateway.networking.k8s.io/v1beta1', 'ReferenceGrant', 'roots', {
  spec: {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'edge' }],
    to: [{ group: '', kind: 'ConfigMap' }],
  },
});

function stateOf(frontend: object, ...more: readonly KubeObject[]): MeshState {
  const certificateRefs = [{ name: 'pair' }];
  const gateway = edge.gatewayApi('Gateway', 'g', {
    gatewayClassName: 'weft',
    tls: { frontend },
    listeners: [
      { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs } },
      { name: 'https-2', port: 8443, protocol: 'HTTPS', tls: { certificateRefs } },
      { name: 'tls', port: 9443, protocol: 'TLS', tls: { mode: 'Terminate', certificateRefs } },
      { name: 'http', port: 80, protocol: 'HTTP' },
    ],
  });
  const route = edge.gatewayApi('TCPRoute', 'r', {
    parentRefs: [{ name: 'g' }],
    rules: [{ backendRefs: [{ name: 'nobody', port: 80 }] }],
  });
  return stateOfAll([...base, gateway, route, ...more]);
}

/** What is asked of clients, by the port of the socket. */
function asked(state: MeshState): Readonly<Record<number, GatewayClientCertificates['kind'] | 'plain'>> {
  return Object.fromEntries(
    irOf(state, 'edge/p').gateway.map(({ listen, chains }) => [listen.port, chains[0]?.tls?.client.kind ?? 'plain']),
  );
}

/** Conditions of a listener, or of the Gateway itself. */
function said(state: MeshState, listener?: string): Readonly<Record<string, string>> {
  const status = statusOf(state, 'gateway', 'g');
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
  assert.equal(said(state)['InsecureFrontendValidationMode'], 'True ConfigurationChanged');
  const off = stateOf({ default: only(roots), perPort: [{ port: 443, tls: {} }] });
  assert.deepEqual(asked(off), { 80: 'plain', 443: 'none', 8443: 'verified', 9443: 'none' });
  assert.equal(said(off)['InsecureFrontendValidationMode'], undefined);
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
      const conditions = said(state, listener);
      assert.equal(conditions['Accepted'], 'False NoValidCACertificate');
      assert.equal(conditions['ResolvedRefs'], `False ${reason}`);
      assert.equal(conditions['Programmed'], 'False Invalid');
    }
    assert.equal(said(state, 'http')['ResolvedRefs'], 'True ResolvedRefs');
  }
});

test('one reference of several that is not valid is said, and the others are used', () => {
  const state = stateOf({ default: only(roots, { ...roots, name: 'nowhere' }) });
  assert.equal(asked(state)[443], 'verified');
  assert.equal(said(state, 'https')['Accepted'], 'True Accepted');
  assert.equal(said(state, 'https')['ResolvedRefs'], 'False InvalidCACertificateRef');
});

test('authorities of another namespace need a ReferenceGrant', () => {
  const state = stateOf({ default: only({ ...roots, namespace: 'other' }) }, grant);
  assert.equal(asked(state)[443], 'verified');
  assert.equal(said(state, 'https')['ResolvedRefs'], 'True ResolvedRefs');
});

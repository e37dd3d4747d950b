import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { MeshState, resourceStatus, workloadIr } from '../src/index.ts';
import { caBundleName } from '../src/to-ir/ca-bundle.ts';
import { caBundleMessage } from '../src/to-xds/ca-bundle.ts';

/** TLS with servers of whom too little is known to verify them: nothing is sent, rather than to anybody. */

function object(apiVersion: string, kind: string, name: string, body: object): KubeObject {
  const metadata = { name, namespace: 'shop', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, ...body } as KubeObject;
}

const istio = (kind: string, name: string, spec: object): KubeObject =>
  object('networking.istio.io/v1', kind, name, { spec });

function stateOf(...objects: readonly KubeObject[]): MeshState {
  const state = new MeshState();
  const proxy = object('weft.dev/v1alpha1', 'Proxy', 'w', {
    spec: { serviceAccount: 'w', httpProxy: { port: 15_080 } },
  });
  state.apply([proxy, ...objects].map((value) => ({ value })));
  return state;
}

const tlsOf = (state: MeshState, authority: string): readonly string[] =>
  (workloadIr(state, 'shop/w', [authority])?.clusters ?? []).map(({ tls }) => tls.kind);

const unresolved = (state: MeshState): readonly string[] =>
  [...resourceStatus(state).values()]
    .filter(({ origin }) => origin.kind === 'DestinationRule')
    .flatMap(({ conditions }) => conditions.filter(({ type, status }) => type === 'ResolvedRefs' && status === 'False'))
    .map(({ message }) => message);

const wildcard = (fields: object): KubeObject =>
  istio('ServiceEntry', 'e', {
    hosts: ['*.out.example'],
    location: 'MESH_EXTERNAL',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    ...fields,
  });
const rule = (tls: object): KubeObject =>
  istio('DestinationRule', 'r', { host: '*.out.example', trafficPolicy: { tls: { mode: 'SIMPLE', ...tls } } });
const fixed = wildcard({ resolution: 'STATIC', endpoints: [{ address: '192.0.2.1' }] });

test('hosts below a wildcard that share endpoints are not spoken to by TLS without a name to verify', () => {
  const state = stateOf(fixed, rule({}));
  assert.deepEqual(tlsOf(state, 'a.out.example'), []);
  assert.deepEqual(unresolved(state), [
    'TLS to *.out.example: no name is known that the certificate must have: set sni or subjectAltNames',
  ]);
});

test('they are with a name, or where a user has asked for no verification', () => {
  for (const tls of [{ sni: 'out.example' }, { subjectAltNames: ['out.example'] }, { insecureSkipVerify: true }]) {
    const state = stateOf(fixed, rule(tls));
    assert.deepEqual(tlsOf(state, 'a.out.example'), ['originate'], JSON.stringify(tls));
    assert.deepEqual(unresolved(state), []);
  }
});

test('hosts below a wildcard that are looked up by their own names are verified by those', () => {
  const state = stateOf(wildcard({ resolution: 'DYNAMIC_DNS' }), rule({}));
  assert.deepEqual(tlsOf(state, 'a.out.example'), ['originate']);
  assert.deepEqual(unresolved(state), []);
});

test('a Secret whose roots are no certificates is none', () => {
  const host = istio('ServiceEntry', 'e', {
    hosts: ['out.example'],
    resolution: 'DNS',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
  });
  const policy = istio('DestinationRule', 'r', {
    host: 'out.example',
    trafficPolicy: { tls: { mode: 'SIMPLE', credentialName: 'roots' } },
  });
  const state = stateOf(host, policy, object('v1', 'Secret', 'roots', { data: { 'ca.crt': '' } }));
  assert.deepEqual(tlsOf(state, 'out.example'), []);
  assert.match(unresolved(state).join(), /there are no certificates of an authority in Secret shop\/roots/);
});

test('a bundle of objects that hold no certificates any more is not sent: a proxy would verify nothing by it', () => {
  const name = caBundleName([{ kind: 'ConfigMap', key: 'shop/roots' }]);
  for (const data of [{}, { 'ca.crt': '' }, { 'ca.crt': 'no certificate' }]) {
    assert.equal(caBundleMessage(stateOf(object('v1', 'ConfigMap', 'roots', { data })), name), undefined);
  }
});

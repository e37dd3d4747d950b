import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalText } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { typeUrls } from '@weft/xds-types';
import { MeshState, proxyMessages, resourceStatus, workloadIr } from '../src/index.ts';
import { keyPairData } from './golden/key-pair-data.ts';

/** Who is given which Secret. */

function object(apiVersion: string, kind: string, key: string, body: object): KubeObject {
  const [namespace = '', name = ''] = key.split('/');
  const metadata = { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, ...body } as KubeObject;
}

const proxy = (key: string, spec: object): KubeObject =>
  object('weft.dev/v1alpha1', 'Proxy', key, {
    spec: { serviceAccount: 'a', upstreams: [{ host: 'db.data', port: 80, listenPort: 15_200 }], ...spec },
  });
const ruleOf = (key: string, credentialName: string): KubeObject =>
  object('networking.istio.io/v1', 'DestinationRule', key, {
    spec: {
      host: 'db.data.svc.cluster.local',
      trafficPolicy: { tls: { mode: 'MUTUAL', credentialName } },
    },
  });
const objects: readonly KubeObject[] = [
  proxy('shop/sidecar', {}),
  proxy('shop/edge', { role: 'gateway' }),
  proxy('other/sidecar', {}),
  object('v1', 'Service', 'data/db', { spec: { ports: [{ name: 'http', port: 80 }] } }),
  object('v1', 'Secret', 'shop/client', { data: keyPairData() }),
  object('v1', 'Secret', 'shop/unused', { data: keyPairData() }),
];

function stateOf(...more: readonly KubeObject[]): MeshState {
  const state = new MeshState();
  state.apply([...objects, ...more].map((value) => ({ value })));
  return state;
}

function secretsOf(state: MeshState, key: string): readonly string[] {
  const ir = workloadIr(state, key, []);
  assert.ok(ir !== undefined);
  return proxyMessages(state, key, ir)
    .filter(({ typeUrl }) => typeUrl === typeUrls.secret)
    .map(({ name }) => name);
}

const both = ['kubernetes://shop/client', 'kubernetes://shop/client-cacert'];

test('a rule of the namespace of the client, or of the root namespace, gives it Secrets of that namespace', () => {
  for (const key of ['shop/db', 'weft-system/db']) {
    const state = stateOf(ruleOf(key, 'client'));
    assert.deepEqual(secretsOf(state, 'shop/sidecar'), both, key);
    assert.deepEqual(secretsOf(state, 'other/sidecar'), [], `${key}: there is no such Secret in the other namespace`);
  }
});

test('a rule of another namespace gives Secrets to gateways only, and to workloads no cluster without TLS instead', () => {
  const state = stateOf(ruleOf('data/db', 'client'));
  for (const key of ['shop/sidecar', 'shop/edge', 'shop/sidecar']) {
    const isGateway = key === 'shop/edge';
    assert.deepEqual(secretsOf(state, key), isGateway ? both : [], key);
    assert.equal(workloadIr(state, key, [])?.clusters.length, isGateway ? 1 : 0, key);
  }
});

test('a name cannot lead into another namespace', () => {
  const state = stateOf(ruleOf('other/db', '../shop/client'), ruleOf('shop/db', 'shop/client'));
  assert.deepEqual(secretsOf(state, 'other/sidecar'), []);
  assert.deepEqual(secretsOf(state, 'shop/sidecar'), []);
});

test('no part of a Secret is in the IR or in a status, and no key among the certificates', () => {
  const data = keyPairData();
  const decode = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const mixed = Buffer.from(`${decode('tls.key').trim()}\n${decode('tls.crt')}`).toString('base64');
  const state = stateOf(
    ruleOf('shop/db', 'client'),
    object('v1', 'Secret', 'shop/client', { data: { ...data, 'tls.crt': mixed, 'ca.crt': mixed } }),
  );
  const ir = workloadIr(state, 'shop/sidecar', []);
  assert.ok(ir !== undefined);
  const [, keyLine = ''] = decode('tls.key').split('\n');
  assert.ok(keyLine.length > 20);
  const said = canonicalText(ir) + [...resourceStatus(state).values()].map((status) => canonicalText(status)).join();
  assert.ok(!said.includes(keyLine));
  const occurrences = proxyMessages(state, 'shop/sidecar', ir)
    .filter(({ typeUrl }) => typeUrl === typeUrls.secret)
    .map(({ name, encode }) => [name, Buffer.from(encode()).toString('latin1').split(keyLine).length - 1]);
  assert.deepEqual(Object.fromEntries(occurrences), {
    'kubernetes://shop/client': 1,
    'kubernetes://shop/client-cacert': 0,
  });
});

test('a Gateway of Istio without the authorities of its clients says so', () => {
  const gateway = object('networking.istio.io/v1', 'Gateway', 'edge/g', {
    spec: {
      selector: { istio: 'edge' },
      servers: ['MUTUAL', 'SIMPLE'].map((mode, index) => ({
        port: { number: 443 + index, name: mode, protocol: 'HTTPS' },
        hosts: ['*'],
        tls: { mode, credentialName: 'pair' },
      })),
    },
  });
  const { 'ca.crt': authority = '', ...data } = keyPairData();
  const pair = object('v1', 'Secret', 'edge/pair', { data });
  const roots = (encoded: string): KubeObject =>
    object('v1', 'Secret', 'edge/pair-cacert', { data: { 'ca.crt': encoded } });
  const resolved = (...more: readonly KubeObject[]): string => {
    const status = resourceStatus(stateOf(pair, gateway, ...more));
    const found = [...status.values()].find(({ origin }) => origin.kind === 'Gateway');
    return found?.conditions.find(({ type }) => type === 'ResolvedRefs')?.message ?? '';
  };
  assert.equal(
    resolved(),
    'servers[0]: neither Secret edge/pair-cacert nor edge/pair has a ca.crt: without the authorities of clients nobody is let in',
  );
  assert.equal(
    resolved(roots('bm90aGluZw==')),
    'servers[0]: ca.crt of Secret edge/pair-cacert holds no certificate in PEM',
  );
  assert.equal(resolved(roots(authority)), 'all references are known');
});

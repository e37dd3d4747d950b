import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GatewayListener, validate, type WorkloadIr } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { MeshState, workloadIr } from '../src/index.ts';
import { keyPairData } from './golden/key-pair-data.ts';

/** What is not opened, or leads nowhere, is answered by nobody else. */

function object(apiVersion: string, kind: string, name: string, body: object): KubeObject {
  const metadata = { name, namespace: 'edge', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, ...body } as KubeObject;
}

const gatewayApi = (kind: string, name: string, spec: object): KubeObject =>
  object('gateway.networking.k8s.io/v1', kind, name, { spec });
const istio = (kind: string, name: string, spec: object): KubeObject =>
  object('networking.istio.io/v1', kind, name, { spec });

const base: readonly KubeObject[] = [
  object('weft.dev/v1alpha1', 'Proxy', 'p', { spec: { serviceAccount: 'p', role: 'gateway' } }),
  istio('WorkloadEntry', 'p', {
    address: '127.0.0.1',
    labels: { 'gateway.networking.k8s.io/gateway-name': 'g', istio: 'ingressgateway' },
    serviceAccount: 'p',
  }),
  object('v1', 'Service', 'a', { spec: { selector: { app: 'a' }, ports: [{ name: 'http', port: 80 }] } }),
  object('v1', 'Secret', 'pair', { type: 'kubernetes.io/tls', data: keyPairData() }),
];

function stateOf(objects: readonly KubeObject[]): MeshState {
  const state = new MeshState();
  state.apply([...base, ...objects].map((value) => ({ value })));
  return state;
}

function irOf(state: MeshState): WorkloadIr {
  const ir = workloadIr(state, 'edge/p', []);
  assert.ok(ir !== undefined);
  assert.deepEqual(validate(ir), []);
  return ir;
}

function chains(listener: GatewayListener | undefined): readonly string[] {
  return (listener?.chains ?? []).map(
    ({ serverNames, tls, traffic }) =>
      `${serverNames.join(',')} ${tls === undefined ? 'passed' : 'ended'} ${traffic.kind === 'tcp' ? `${traffic.destinations.length} destinations` : 'http'}`,
  );
}

test('a listener without its certificate leaves its name to no other listener of the port', () => {
  const state = stateOf([
    gatewayApi('Gateway', 'g', {
      gatewayClassName: 'weft',
      listeners: [
        { name: 'any', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'pair' }] } },
        {
          name: 'bank',
          port: 443,
          protocol: 'HTTPS',
          hostname: 'bank.example',
          tls: { certificateRefs: [{ name: 'nowhere' }] },
        },
      ],
    }),
    gatewayApi('HTTPRoute', 'r', {
      parentRefs: [{ name: 'g' }],
      rules: [{ backendRefs: [{ name: 'a', port: 80 }] }],
    }),
  ]);
  const [listener] = irOf(state).gateway;
  assert.deepEqual(chains(listener), [' ended http', 'bank.example passed 0 destinations']);
  assert.deepEqual(
    listener?.virtualHosts.map(({ domains, chain, routes }) => [domains[0], chain, routes.routes.length]),
    [
      ['bank.example', undefined, 0],
      ['*', 'edge/g/any', 1],
    ],
  );
});

const virtualService = istio('VirtualService', 'v', {
  hosts: ['a.example'],
  gateways: ['g'],
  http: [{ route: [{ destination: { host: 'a' } }] }],
});

test('httpsRedirect is for every host of its server', () => {
  const servers = [
    { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.example'], tls: { httpsRedirect: true } },
  ];
  const [listener] = irOf(
    stateOf([istio('Gateway', 'g', { selector: { istio: 'ingressgateway' }, servers }), virtualService]),
  ).gateway;
  assert.deepEqual(
    listener?.virtualHosts.map(({ domains, httpsRedirect }) => [domains[0], httpsRedirect]),
    [
      ['a.example', true],
      ['*.example', true],
    ],
  );
});

test('a server of Istio without routes for TCP, or without a credential, leaves its names to no other one', () => {
  const port = (protocol: string): object => ({ number: 443, name: 'tls', protocol });
  const servers = [
    { port: port('TLS'), hosts: ['tcp.example'], tls: { mode: 'SIMPLE', credentialName: 'pair' } },
    { port: port('HTTPS'), hosts: ['none.example'], tls: { mode: 'SIMPLE' } },
    { port: port('HTTPS'), hosts: ['*.example'], tls: { mode: 'SIMPLE', credentialName: 'pair' } },
  ];
  const [listener] = irOf(
    stateOf([istio('Gateway', 'g', { selector: { istio: 'ingressgateway' }, servers }), virtualService]),
  ).gateway;
  assert.deepEqual(chains(listener), [
    'tcp.example ended 0 destinations',
    'none.example passed 0 destinations',
    '*.example ended http',
  ]);
});

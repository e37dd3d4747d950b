import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GatewayListener, validate } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { MeshState, workloadIr } from '../src/index.ts';
import { keyPairData } from './golden/key-pair-data.ts';

/** By which server names connections come to which chain of a gateway. */

function object(apiVersion: string, kind: string, name: string, namespace: string, body: object): KubeObject {
  const metadata = { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, ...body } as KubeObject;
}

function socketOf(...objects: readonly KubeObject[]): GatewayListener {
  const labels = { 'gateway.networking.k8s.io/gateway-name': 'g', istio: 'edge' };
  const state = new MeshState();
  const base = [
    object('weft.dev/v1alpha1', 'Proxy', 'p', 'edge', { spec: { serviceAccount: 'p', role: 'gateway' } }),
    object('networking.istio.io/v1', 'WorkloadEntry', 'p', 'edge', { spec: { address: '127.0.0.1', labels } }),
    object('v1', 'Secret', 'pair', 'edge', { type: 'kubernetes.io/tls', data: keyPairData() }),
    object('v1', 'Service', 'a', 'shop', { spec: { selector: { app: 'a' }, ports: [{ name: 'tls', port: 443 }] } }),
  ];
  state.apply([...base, ...objects].map((value) => ({ value })));
  const ir = workloadIr(state, 'edge/p', []);
  assert.ok(ir !== undefined);
  assert.deepEqual(validate(ir), []);
  const [socket, ...others] = ir.gateway;
  assert.ok(socket !== undefined && others.length === 0);
  return socket;
}

const chains = ({ chains: all }: GatewayListener): readonly string[] =>
  all.map(({ name, serverNames, traffic }) => `${name} [${serverNames.join(' ')}] ${traffic.kind}`);

test('a server of Istio for every host of one namespace and one of another takes all server names', () => {
  const socket = socketOf(
    object('networking.istio.io/v1', 'Gateway', 'i', 'edge', {
      spec: {
        selector: { istio: 'edge' },
        servers: [
          {
            port: { number: 443, name: 'https', protocol: 'HTTPS' },
            tls: { mode: 'SIMPLE', credentialName: 'pair' },
            hosts: ['shop/*', 'edge/a.example'],
          },
          {
            port: { number: 443, name: 'more', protocol: 'HTTPS' },
            tls: { mode: 'SIMPLE', credentialName: 'pair' },
            hosts: ['c.example'],
          },
        ],
      },
    }),
    object('networking.istio.io/v1', 'VirtualService', 'v', 'shop', {
      spec: { hosts: ['b.example'], gateways: ['edge/i'], http: [{ route: [{ destination: { host: 'a' } }] }] },
    }),
  );
  assert.deepEqual(chains(socket), ['edge/i/https#0 [] http', 'edge/i/more#1 [c.example] http']);
  const found = socket.virtualHosts.find(({ domains }) => domains.includes('b.example'));
  assert.equal(found?.chain, 'edge/i/https#0');
  assert.equal(found?.routes.routes.length, 1);
});

const kubeGateway = (...listeners: readonly object[]): KubeObject =>
  object('gateway.networking.k8s.io/v1', 'Gateway', 'g', 'edge', { spec: { gatewayClassName: 'weft', listeners } });
const passthrough = (name: string, hostname: string): object => ({
  name,
  port: 443,
  protocol: 'TLS',
  hostname,
  tls: { mode: 'Passthrough' },
  allowedRoutes: { namespaces: { from: 'All' } },
});
const https = (name: string, hostname: string, secret: string): object => ({
  name,
  port: 443,
  protocol: 'HTTPS',
  hostname,
  tls: { certificateRefs: [{ name: secret }] },
});
const tlsRoute = (sectionName: string, ...hostnames: readonly string[]): KubeObject =>
  object('gateway.networking.k8s.io/v1', 'TLSRoute', 'r', 'shop', {
    spec: {
      parentRefs: [{ name: 'g', namespace: 'edge', sectionName }],
      hostnames,
      rules: [{ backendRefs: [{ name: 'a', port: 443 }] }],
    },
  });

test('a TLSRoute takes no server name for which another listener is more specific', () => {
  const socket = socketOf(
    kubeGateway(passthrough('wide', '*.example'), https('narrow', '*.a.example', 'pair')),
    tlsRoute('wide', 'x.a.example', 'y.b.example'),
  );
  assert.deepEqual(chains(socket), ['edge/g/narrow [*.a.example] http', 'edge/g/wide|y.b.example [y.b.example] tcp']);
});

test('a TLSRoute of a wider listener does not answer for a listener that cannot be opened', () => {
  const socket = socketOf(
    kubeGateway(passthrough('wide', '*.example'), https('broken', 'x.example', 'nothing')),
    tlsRoute('wide', 'x.example', 'y.example'),
  );
  assert.deepEqual(chains(socket), ['edge/g/wide|y.example [y.example] tcp', 'closed|x.example [x.example] tcp']);
  assert.deepEqual(socket.chains.at(-1)?.traffic, { kind: 'tcp', destinations: [], origins: [] });
});

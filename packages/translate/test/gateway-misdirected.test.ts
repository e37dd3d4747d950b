import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayListener } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { explainRequest, type MeshState, xdsFromIr } from '../src/index.ts';
import { irOf, objectsOf, stateOf as stateOfAll } from './support/objects.ts';

/** A request belongs to the chain of its authority, not to that of the server name by which its connection came. */

const { gatewayApi, istio, gatewayProxy, keyPair, service } = objectsOf('edge');
const base = [...gatewayProxy('p', 'g', { istio: 'ingressgateway' }), service('a'), keyPair('pair')];

const stateOf = (objects: readonly KubeObject[]): MeshState => stateOfAll([...base, ...objects]);

function listenerOf(state: MeshState): GatewayListener {
  const [listener] = irOf(state, 'edge/p').gateway;
  assert.ok(listener !== undefined);
  return listener;
}

/** What goes over the wire, as text. */
function wire(state: MeshState): string {
  return xdsFromIr(irOf(state, 'edge/p'))
    .map((message) => Buffer.from(message.encode()).toString('latin1'))
    .join('\n');
}

/** The status that a request gets: by the server name of its connection, and its authority. */
function answer(state: MeshState, serverName: string, authority: string): string {
  const explained = explainRequest(state, 'edge/p', [], {
    method: 'GET',
    scheme: 'https',
    target: serverName,
    authority,
    path: '/',
    query: new URLSearchParams(),
    headers: new Map(),
  });
  return /forwarded as TCP|forwarded|\d{3}|not connected/.exec(explained?.outcome ?? '')?.[0] ?? '';
}

const gateway = (listeners: readonly object[]): KubeObject =>
  gatewayApi('Gateway', 'g', {
    gatewayClassName: 'weft',
    listeners: listeners.map((listener) => ({
      port: 443,
      protocol: 'HTTPS',
      tls: { certificateRefs: [{ name: 'pair' }] },
      ...listener,
    })),
  });
const backendRefs = [{ name: 'a', port: 80 }];
const everywhere = gatewayApi('HTTPRoute', 'r', { parentRefs: [{ name: 'g' }], rules: [{ backendRefs }] });

test('Gateway API: the listener with the most specific host has a request; others answer 421, and 404 where nobody has it', () => {
  const state = stateOf([
    gateway([
      { name: 'a', hostname: 'a.example' },
      { name: 'b', hostname: 'B.example' },
      { name: 'wild', hostname: '*.example' },
      { name: 'deep', hostname: '*.deep.example' },
      { name: 'passed', hostname: 'tls.example', protocol: 'TLS', tls: { mode: 'Passthrough' } },
      { name: 'closed', hostname: 'closed.example', tls: { certificateRefs: [{ name: 'nowhere' }] } },
    ]),
    everywhere,
    gatewayApi('TLSRoute', 't', { parentRefs: [{ name: 'g', sectionName: 'passed' }], rules: [{ backendRefs }] }),
    // A host of a route is no listener's name: the request belongs to the listener that the route is at.
    gatewayApi('HTTPRoute', 'named', {
      parentRefs: [{ name: 'g' }],
      hostnames: ['own.example', 'a.example'],
      rules: [{ backendRefs }],
    }),
  ]);
  const expected: readonly (readonly [serverName: string, authority: string, status: string])[] = [
    ['a.example', 'a.example', 'forwarded'],
    ['a.example', 'A.example:443', 'forwarded'],
    ['a.example', 'b.example', '421'],
    ['b.example', 'a.example', '421'],
    ['a.example', 'other.example', '421'],
    ['a.example', 'own.example', '421'],
    ['a.example', 'x.deep.example', '421'],
    ['a.example', 'tls.example', '421'],
    ['a.example', 'unknown.test', '404'],
    ['a.example', 'closed.example', '404'],
    ['other.example', 'closed.example', '404'],
    ['other.example', 'a.example', '421'],
    ['other.example', 'own.example', 'forwarded'],
    ['other.example', 'another.example', 'forwarded'],
    ['other.example', 'x.deep.example', '421'],
    ['other.example', 'tls.example', '421'],
    ['x.deep.example', 'y.deep.example', 'forwarded'],
    ['x.deep.example', 'other.example', '421'],
    ['x.deep.example', 'unknown.test', '404'],
    ['tls.example', 'a.example', 'forwarded as TCP'],
  ];
  assert.deepEqual(
    expected.map(([serverName, authority]) => [serverName, authority, answer(state, serverName, authority)]),
    expected,
  );
});

test('a listener for every host has what no other one has', () => {
  const state = stateOf([gateway([{ name: 'any' }, { name: 'a', hostname: 'a.example' }]), everywhere]);
  assert.equal(answer(state, 'x.test', 'y.test'), 'forwarded');
  assert.equal(answer(state, 'x.test', 'a.example'), '421');
  assert.equal(answer(state, 'a.example', 'x.test'), '421');
  assert.equal(answer(state, 'a.example', 'a.example'), 'forwarded');
  assert.match(wire(state), /x-weft-chain/);
});

test('where a socket has one chain, or no TLS, nothing is asked', () => {
  const one = listenerOf(stateOf([gateway([{ name: 'a', hostname: 'a.example' }]), everywhere]));
  assert.deepEqual(
    one.virtualHosts.map(({ chain }) => chain),
    [undefined],
  );
  const names = ['a', 'b'].map((name) => ({
    name,
    port: 80,
    protocol: 'HTTP',
    hostname: `${name}.example`,
    tls: undefined,
  }));
  const state = stateOf([gateway(names), everywhere]);
  const plain = listenerOf(state);
  assert.deepEqual(
    plain.virtualHosts.map(({ domains, chain }) => [domains[0], chain]),
    [
      ['a.example', undefined],
      ['b.example', undefined],
    ],
  );
  assert.doesNotMatch(wire(state), /x-weft-chain/);
});

test('a TLS listener leaves a name to the HTTPS listener that has it', () => {
  const { chains } = listenerOf(
    stateOf([
      gateway([
        { name: 'a', hostname: 'a.example' },
        { name: 'wild', hostname: '*.example', protocol: 'TLS', tls: { mode: 'Passthrough' } },
      ]),
      gatewayApi('TLSRoute', 't', {
        parentRefs: [{ name: 'g' }],
        hostnames: ['a.example', 'b.example'],
        rules: [{ backendRefs }],
      }),
    ]),
  );
  assert.deepEqual(
    chains.map(({ serverNames }) => serverNames),
    [['a.example'], ['b.example']],
  );
});

const server = (name: string, hosts: readonly string[], fields: object = {}): object => ({
  name,
  hosts,
  port: { number: 443, name, protocol: 'HTTPS' },
  tls: { mode: 'SIMPLE', credentialName: 'pair' },
  ...fields,
});
const istioGateway = (servers: readonly object[]): KubeObject =>
  istio('Gateway', 'g', { selector: { istio: 'ingressgateway' }, servers });
const virtualService = (name: string, hosts: readonly string[]): KubeObject =>
  istio('VirtualService', name, { hosts, gateways: ['g'], http: [{ route: [{ destination: { host: 'a' } }] }] });

test('Istio: the server with the most specific host has a request; others answer 421, and 404 where nobody has it', () => {
  const state = stateOf([
    istioGateway([
      server('a', ['a.example', '*.two.example']),
      server('b', ['./b.example']),
      server('wild', ['*.example']),
      server('empty', ['empty.example']),
      server('passed', ['tls.example'], {
        port: { number: 443, name: 'passed', protocol: 'TLS' },
        tls: { mode: 'PASSTHROUGH' },
      }),
    ]),
    virtualService('v', ['a.example', 'b.example', 'x.two.example', 'other.example']),
    istio('VirtualService', 't', {
      hosts: ['tls.example'],
      gateways: ['g'],
      tls: [{ match: [{ sniHosts: ['tls.example'] }], route: [{ destination: { host: 'a', port: { number: 80 } } }] }],
    }),
  ]);
  const expected: readonly (readonly [serverName: string, authority: string, status: string])[] = [
    ['a.example', 'a.example', 'forwarded'],
    ['a.example', 'x.two.example', 'forwarded'],
    ['a.example', 'b.example', '421'],
    ['a.example', 'other.example', '421'],
    ['a.example', 'tls.example', '421'],
    ['a.example', 'empty.example', '421'],
    ['a.example', 'unknown.test', '404'],
    ['b.example', 'a.example', '421'],
    ['other.example', 'other.example', 'forwarded'],
    ['other.example', 'a.example', '421'],
    ['other.example', 'x.two.example', '421'],
    ['other.example', 'third.example', '404'],
    ['empty.example', 'empty.example', '404'],
  ];
  assert.deepEqual(
    expected.map(([serverName, authority]) => [serverName, authority, answer(state, serverName, authority)]),
    expected,
  );
});

test('what is made grows with the number of listeners, not with its square', () => {
  const made = (count: number): { readonly hosts: number; readonly bytes: number } => {
    const hosts = Array.from({ length: count }, (_, index) => `host-${String(index).padStart(4, '0')}.example`);
    const state = stateOf([
      istioGateway(hosts.map((host, index) => server(`s${String(index).padStart(4, '0')}`, [host]))),
      virtualService('v', hosts),
    ]);
    return { hosts: listenerOf(state).virtualHosts.length, bytes: wire(state).length };
  };
  const [few, many] = [made(100), made(1_000)];
  assert.deepEqual([few.hosts, many.hosts], [100, 1_000]);
  assert.ok(many.bytes < few.bytes * 11, `${many.bytes} bytes for 1,000 listeners, ${few.bytes} for 100`);
});

test('any name of a server of Istio is a value that a header can have', () => {
  const state = stateOf([
    istioGateway([server('ä%~\n', ['a.example']), server('b', ['b.example'])]),
    virtualService('v', ['a.example', 'b.example']),
  ]);
  const text = wire(state);
  assert.match(text, /edge\/g\/~c3a4~25~7e~0a/);
  assert.match(text, /misdirected: a\.example is of edge\/g\//);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { type MeshState, resourceStatus } from '../src/index.ts';
import { irOf, objectsOf, stateOf as stateOfAll, statusOf } from './support/objects.ts';

/** Listeners that want one port in ways that do not go together. */

const { object, gatewayApi, istio, gatewayProxy, keyPair } = objectsOf('edge');

function stateOf(listeners: readonly object[], ...more: readonly KubeObject[]): MeshState {
  const gateway = gatewayApi('Gateway', 'g', { gatewayClassName: 'weft', listeners });
  return stateOfAll([...gatewayProxy('p', 'g', { istio: 'edge' }), keyPair('pair'), gateway, ...more]);
}

function opened(state: MeshState): readonly number[] {
  return irOf(state, 'edge/p').gateway.map(({ listen }) => listen.port);
}

/** What is opened, and the condition `Conflicted` of each listener. */
function outcome(...listeners: readonly object[]): {
  readonly ports: readonly number[];
  readonly conflicts: readonly string[];
} {
  const state = stateOf(listeners);
  return {
    ports: opened(state),
    conflicts: statusOf(state, 'gateway', 'g').listeners.map(({ conditions }) => {
      const found = conditions.find(({ type }) => type === 'Conflicted');
      return `${found?.status} ${found?.reason}: ${found?.message}`;
    }),
  };
}

const http = (name: string, port: number, hostname?: string): object => ({
  name,
  port,
  protocol: 'HTTP',
  ...(hostname === undefined ? {} : { hostname }),
});
const free = 'False NoConflicts: no other listener has its place';

test('two protocols on a port: neither is opened, each names the other, and other ports are', () => {
  const https = { name: 'b', port: 80, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'pair' }] } };
  assert.deepEqual(outcome(http('a', 80), https, http('c', 8080)), {
    ports: [8080],
    conflicts: [
      'True ProtocolConflict: listener b has protocol HTTPS on port 80',
      'True ProtocolConflict: listener a has protocol HTTP on port 80',
      free,
    ],
  });
});

test('one host name twice on a port: neither is opened, another name on the port is', () => {
  assert.deepEqual(outcome(http('a', 80, 'x.example'), http('b', 80, 'X.example'), http('c', 80, 'y.example')), {
    ports: [80],
    conflicts: [
      'True HostnameConflict: listener b has the same host on port 80',
      'True HostnameConflict: listener a has the same host on port 80',
      free,
    ],
  });
});

test("a port of a proxy that both kinds of Gateway ask for is Gateway API's, and the Gateway of Istio says so", () => {
  const gateway = istio('Gateway', 'i', {
    selector: { istio: 'edge' },
    servers: [80, 8080].map((number) => ({ port: { number, name: `p${number}`, protocol: 'TCP' }, hosts: ['*'] })),
  });
  const forBoth = istio('VirtualService', 'v', {
    hosts: ['*'],
    gateways: ['i'],
    tcp: [{ route: [{ destination: { host: 'a', port: { number: 1 } } }] }],
  });
  const said = (state: MeshState): readonly string[] =>
    [...resourceStatus(state).values()]
      .filter(({ origin }) => origin.kind === 'Gateway')
      .flatMap(({ conditions }) => conditions.filter(({ type }) => type === 'Conflicted'))
      .map(({ message }) => message);
  const both = stateOf([http('a', 80)], gateway, forBoth);
  assert.deepEqual(opened(both), [80, 8080]);
  assert.deepEqual(said(both), [
    'taken already: port 80 (servers[0]) by Gateway edge/g, as the Gateway API goes first',
  ]);
  assert.deepEqual(said(stateOf([http('a', 81)], gateway, forBoth)), []);
});

test('a port of a Gateway of Istio that a proxy does not open, as it listens there for another one, is said', () => {
  const gateway = istio('Gateway', 'i', {
    selector: { istio: 'edge' },
    servers: [80, 8080].map((number) => ({ port: { number, name: `p${number}`, protocol: 'HTTP' }, hosts: ['*'] })),
  });
  const forAll = istio('VirtualService', 'v', {
    hosts: ['*'],
    gateways: ['i'],
    http: [{ route: [{ destination: { host: 'a', port: { number: 1 } } }] }],
  });
  const mapped = object('weft.dev/v1alpha1', 'Proxy', 'p', {
    spec: { serviceAccount: 'p', role: 'gateway', gateway: { ports: [{ port: 80, listenPort: 8080 }] } },
  });
  const said = (state: MeshState): readonly string[] =>
    [...resourceStatus(state).values()]
      .filter(({ origin }) => origin.kind === 'Gateway' && origin.name === 'i')
      .flatMap(({ conditions }) => conditions.filter(({ type }) => type === 'Conflicted'))
      .map(({ reason, message }) => `${reason}: ${message}`);
  assert.deepEqual(said(stateOf([], gateway, forAll)), []);
  assert.deepEqual(said(stateOf([], gateway, forAll, mapped)), [
    'PlaceTaken: taken already: port 8080 (servers[1]) by port 80, for which Proxy edge/p listens there',
  ]);
});

test('a listener of a protocol that is not supported is in the way of none: UDP has ports of its own', () => {
  const dns = ['TCP', 'UDP'].map((protocol) => ({ name: protocol.toLowerCase(), port: 53, protocol }));
  assert.deepEqual(outcome(...dns), { ports: [53], conflicts: [free, free] });
});

test('a place that the Proxy gives to one port is not taken by the port of its number, which says so', () => {
  const mapped = object('weft.dev/v1alpha1', 'Proxy', 'p', {
    spec: { serviceAccount: 'p', role: 'gateway', gateway: { ports: [{ port: 80, listenPort: 8080 }] } },
  });
  const programmed = (state: MeshState): readonly string[] =>
    statusOf(state, 'gateway', 'g').listeners.map(({ name, conditions }) => {
      const found = conditions.find(({ type }) => type === 'Programmed');
      return `${name} ${found?.status} ${found?.reason}`;
    });
  const both = stateOf([http('a', 80), http('b', 8080)], mapped);
  assert.deepEqual(
    irOf(both, 'edge/p').gateway.map(({ port, listen }) => [port, listen.port]),
    [[80, 8080]],
  );
  assert.deepEqual(programmed(both), ['a True Programmed', 'b False Pending']);
  const alone = stateOf([http('b', 8080)], mapped);
  assert.deepEqual(opened(alone), [8080]);
  assert.deepEqual(programmed(alone), ['b True Programmed']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayListener } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { irOf, objectsOf, stateOf } from './support/objects.ts';

/** What is not opened, or leads nowhere, is answered by nobody else. */

const { gatewayApi, istio, gatewayProxy, keyPair, service } = objectsOf('edge');
const base = [...gatewayProxy('p', 'g', { istio: 'ingressgateway' }), service('a'), keyPair('pair')];

/** The socket of the gateway with these objects. */
function listenerWith(...objects: readonly KubeObject[]): GatewayListener | undefined {
  return irOf(stateOf([...base, ...objects]), 'edge/p').gateway[0];
}

function chains(listener: GatewayListener | undefined): readonly string[] {
  return (listener?.chains ?? []).map(
    ({ serverNames, tls, traffic }) =>
      `${serverNames.join(',')} ${tls === undefined ? 'passed' : 'ended'} ${traffic.kind === 'tcp' ? `${traffic.destinations.length} destinations` : 'http'}`,
  );
}

test('a listener without its certificate leaves its name to no other listener of the port', () => {
  const listener = listenerWith(
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
  );
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
  const listener = listenerWith(
    istio('Gateway', 'g', { selector: { istio: 'ingressgateway' }, servers }),
    virtualService,
  );
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
  const listener = listenerWith(
    istio('Gateway', 'g', { selector: { istio: 'ingressgateway' }, servers }),
    virtualService,
  );
  assert.deepEqual(chains(listener), [
    'tcp.example ended 0 destinations',
    'none.example passed 0 destinations',
    '*.example ended http',
  ]);
});

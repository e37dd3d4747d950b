import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, object, reviews, to } from './test-support.ts';

const toNobody = object('VirtualService', 'a', {
  hosts: ['reviews'],
  http: [
    {
      match: [{ uri: { prefix: '/a' } }],
      route: [to('nobody')],
      mirrors: [{ destination: { host: 'no.example.com' } }],
    },
    { route: [to('reviews.shop', { port: { number: 81 } })] },
  ],
});

test('hosts and ports that no Service or ServiceEntry of the files declares', () => {
  assert.deepEqual(findingsOf([reviews, toNobody]), [
    'a spec.http[0].route[0].destination.host: "nobody": the host is in none of these files',
    'a spec.http[1].route[0].destination.port.number: 81: Service shop/reviews has no such port',
    'a spec.http[0].mirrors[0].destination.host: "no.example.com": the host is in none of these files',
  ]);
});

test('nothing is said where the files do not tell, or not all of them could be read', () => {
  assert.deepEqual(findingsOf([toNobody]), []);
  assert.deepEqual(
    findingsOf([reviews, toNobody], { complete: false }).filter((line) => line.includes('none of these files')),
    [],
  );
});

test('wildcards of ServiceEntries are hosts; services of the mesh are only missed beside other Services', () => {
  const entry = object('ServiceEntry', 'e', {
    hosts: ['*.example.com'],
    ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    resolution: 'NONE',
    location: 'MESH_EXTERNAL',
  });
  const rule = (name: string, host: string): string => object('DestinationRule', name, { host });
  assert.deepEqual(
    findingsOf([entry, rule('a', 'a.example.com'), rule('b', 'b.example.org'), rule('c', 'cache'), rule('d', '*.com')]),
    ['b spec.host: "b.example.org": the host is in none of these files'],
  );
});

test('what a Sidecar lets its workloads see', () => {
  const sidecar = object('Sidecar', 's', {
    egress: [
      { hosts: ['./*', '*/reviews.shop.svc.cluster.local', 'other/*.svc.cluster.local', 'shop/gone.example.com'] },
    ],
  });
  assert.deepEqual(
    findingsOf([reviews, sidecar]).filter((line) => line.includes('no service')),
    [
      's spec.egress[0].hosts[2]: "other/*.svc.cluster.local": it stands for no service of these files',
      's spec.egress[0].hosts[3]: "shop/gone.example.com": it stands for no service of these files',
    ],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate, type WorkloadIr } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { MeshState, resourceStatus, workloadIr } from '../src/index.ts';

/** What a Sidecar asks for and its proxy cannot have is in its status. */

function object(apiVersion: string, kind: string, name: string, namespace: string, spec: object): KubeObject {
  const metadata = { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion, kind, metadata, spec } as KubeObject;
}

const service = (name: string, namespace: string): KubeObject =>
  object('v1', 'Service', name, namespace, { selector: { app: name }, ports: [{ name: 'http', port: 80 }] });

function outcome(
  proxy: object,
  sidecar: KubeObject,
  ...more: readonly KubeObject[]
): { readonly ir: WorkloadIr; readonly notYet: readonly string[]; readonly unresolved: readonly string[] } {
  const state = new MeshState();
  const objects = [
    object('weft.dev/v1alpha1', 'Proxy', 'w', 'shop', { serviceAccount: 'w', ...proxy }),
    object('networking.istio.io/v1', 'WorkloadEntry', 'w', 'shop', { address: '10.0.0.1', labels: { app: 'w' } }),
    sidecar,
    ...more,
  ];
  state.apply(objects.map((value) => ({ value })));
  const ir = workloadIr(state, 'shop/w', ['x.example', 'two', 'two:8080', 'two:80']);
  assert.ok(ir !== undefined);
  assert.deepEqual(validate(ir), []);
  const conditions = [...resourceStatus(state).values()]
    .filter(({ origin }) => origin.kind === 'Sidecar')
    .flatMap((status) => status.conditions);
  const said = (type: string, status: string): readonly string[] =>
    conditions.filter((each) => each.type === type && each.status === status).map(({ message }) => message);
  return { ir, notYet: said('NotYetSupported', 'True'), unresolved: said('ResolvedRefs', 'False') };
}

const sidecar = (spec: object, namespace = 'shop'): KubeObject =>
  object('networking.istio.io/v1', 'Sidecar', 's', namespace, { egress: [{ hosts: ['*/*'] }], ...spec });

test('two ingress listeners that come to one socket of the Proxy: the first has it, the other says so', () => {
  const { ir, notYet } = outcome(
    { inbound: [{ name: 'http', port: 15_001, appPort: 8080 }] },
    sidecar({
      ingress: [
        { port: { number: 8080, name: 'a', protocol: 'HTTP' } },
        { port: { number: 15_001, name: 'b', protocol: 'HTTP' }, defaultEndpoint: '127.0.0.1:9999' },
      ],
    }),
  );
  assert.deepEqual(
    ir.inbound.map(({ listen, app }) => [listen.port, app.port]),
    [[15_001, 8080]],
  );
  assert.match(notYet.join(), /spec\.ingress\[1\]\.port\.number/);
});

test('an egress listener for a service that the Proxy has an upstream for is not opened, and says so', () => {
  const { ir, notYet } = outcome(
    { upstreams: [{ host: 'a', port: 80, listenPort: 19_080 }] },
    sidecar({
      egress: [
        {
          port: { number: 80, name: 'a', protocol: 'HTTP' },
          bind: '127.0.0.9',
          hosts: ['./a.shop.svc.cluster.local'],
        },
      ],
    }),
    service('a', 'shop'),
  );
  assert.deepEqual(
    ir.upstreams.map(({ listen }) => listen.port),
    [19_080],
  );
  assert.match(notYet.join(), /spec\.egress\[0\]\.hosts/);
});

test('an egress listener for several hosts is one more address of the HTTP proxy, for the port that it is for', () => {
  const ports = [80, 8080].map((number) => ({ name: `http-${number}`, port: number }));
  const { ir, notYet } = outcome(
    {},
    sidecar({
      egress: [
        { port: { number: 8080, name: 'a', protocol: 'HTTP' }, captureMode: 'NONE', hosts: ['./*'] },
        { port: { number: 5432, name: 'b', protocol: 'TCP' }, captureMode: 'NONE', hosts: ['./*'] },
      ],
    }),
    object('v1', 'Service', 'two', 'shop', { selector: { app: 'two' }, ports }),
  );
  assert.equal(ir.httpProxy?.listen, undefined);
  assert.deepEqual(ir.httpProxy?.alsoAt, [{ address: '127.0.0.1', port: 8080 }]);
  assert.deepEqual(
    ir.httpProxy?.virtualHosts
      .map(({ authority, routes }) => [authority, routes?.routes.map(({ action }) => action)])
      .map(([authority, actions]) => `${authority} ${JSON.stringify(actions ?? 'none').match(/outbound\|\d+/)?.[0]}`),
    ['two outbound|8080', 'two:80 undefined', 'two:8080 outbound|8080', 'x.example undefined'],
  );
  assert.match(notYet.join(), /spec\.egress\[1\]\.hosts \(several need a port of HTTP, .*: this one is of TCP\)/);
});

test('the egress proxy of a Sidecar for all is looked for where the Sidecar is', () => {
  const { ir, unresolved } = outcome(
    { httpProxy: { port: 15_080 } },
    sidecar({ outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'egress' } } }, 'weft-system'),
    service('egress', 'weft-system'),
  );
  assert.deepEqual(
    ir.clusters.map(({ name }) => name),
    ['outbound|80||egress.weft-system.svc.cluster.local'],
  );
  assert.deepEqual(unresolved, []);
});

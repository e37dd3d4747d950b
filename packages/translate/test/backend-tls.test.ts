import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutboundCluster } from '@weft/ir';
import type { KubeObject } from '@weft/resources';
import { typeUrls } from '@weft/xds-types';
import { type MeshState, proxyMessages, resourceStatus } from '../src/index.ts';
import { keyPairData } from './golden/key-pair-data.ts';
import { irOf, objectsOf, stateOf as stateOfAll, statusOf } from './support/objects.ts';

/** What BackendTLSPolicies come to, which of several counts, and what is said about it. */

const { object, gatewayApi, istio, gatewayProxy, keyPair } = objectsOf('shop');
let created = 0;

const pem = Buffer.from(keyPairData()['tls.crt'] ?? '', 'base64').toString('utf8');
const configMap = (name: string, data: object): KubeObject => object('v1', 'ConfigMap', name, { data });
const ca = (name: string): object => ({ group: '', kind: 'ConfigMap', name });

/** A policy that is younger than the one made before. */
function policy(name: string, validation: object, target: object = {}): KubeObject {
  created += 1;
  const spec = {
    targetRefs: [{ group: '', kind: 'Service', name: 'pay', ...target }],
    validation: { hostname: 'pay.example.com', ...validation },
  };
  const creationTimestamp = new Date(Date.parse('2026-01-01T00:00:00Z') + created * 1_000).toISOString();
  return gatewayApi('BackendTLSPolicy', name, spec, { creationTimestamp });
}

const ports = [
  { name: 'http-secure', port: 443, protocol: 'TCP' },
  { name: 'unsaid', port: 444, protocol: 'TCP' },
  { name: 'grpc', port: 445, protocol: 'TCP' },
  { name: 'tls', port: 446, protocol: 'TCP' },
];

const base: readonly KubeObject[] = [
  object('weft.dev/v1alpha1', 'Proxy', 'web', {
    spec: {
      serviceAccount: 'web',
      upstreams: ports.map(({ port }) => ({ host: 'pay', port, listenPort: 15_000 + port })),
    },
  }),
  object('weft.dev/v1alpha1', 'Proxy', 'lone', { spec: { serviceAccount: 'lone' } }),
  ...gatewayProxy('edge-1', 'edge'),
  object('v1', 'Service', 'pay', { spec: { selector: { app: 'pay' }, ports } }),
  configMap('roots', { 'ca.crt': `some text\n${pem}` }),
  configMap('empty', {}),
  configMap('nonsense', { 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
  gatewayApi('HTTPRoute', 'pay', {
    parentRefs: [{ name: 'edge' }],
    rules: [{ backendRefs: [{ name: 'pay', port: 443 }] }],
  }),
];

const gateway = (tls?: object): KubeObject =>
  gatewayApi('Gateway', 'edge', {
    gatewayClassName: 'weft',
    ...(tls === undefined ? {} : { tls }),
    listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }],
  });

function stateOf(...more: readonly KubeObject[]): MeshState {
  const hasGateway = more.some(({ kind }) => kind === 'Gateway');
  return stateOfAll([...base, ...(hasGateway ? [] : [gateway()]), ...more]);
}

function clusterOf(state: MeshState, proxy: string, port = 443): OutboundCluster | undefined {
  return irOf(state, `shop/${proxy}`).clusters.find((cluster) => cluster.port === port);
}

function secretsOf(state: MeshState, proxy: string): readonly string[] {
  return proxyMessages(state, `shop/${proxy}`, irOf(state, `shop/${proxy}`))
    .filter(({ typeUrl }) => typeUrl === typeUrls.secret)
    .map(({ name }) => name);
}

/** Conditions of a policy at each ancestor, as `Gateway edge: Accepted=True Accepted`. */
function said(state: MeshState, name: string): readonly string[] {
  return statusOf(state, 'policy', name).ancestors.flatMap(({ ref, conditions }) =>
    conditions.map(({ type, status: holds, reason }) => `${ref.kind} ${ref.name}: ${type}=${holds} ${reason}`),
  );
}

const valid = { caCertificateRefs: [ca('roots')] };

test('gateways and sidecars speak TLS, verify the name, and no other proxy is given the authorities', () => {
  const state = stateOf(policy('p', valid));
  for (const proxy of ['web', 'edge-1']) {
    assert.deepEqual(clusterOf(state, proxy)?.tls, {
      kind: 'originate',
      origination: {
        sni: 'pay.example.com',
        subjectAltNames: [],
        roots: { kind: 'secret', name: 'ca-certificates://ConfigMap/shop/roots' },
        certificate: undefined,
      },
    });
    assert.deepEqual(secretsOf(state, proxy), ['ca-certificates://ConfigMap/shop/roots'], proxy);
  }
  assert.deepEqual(secretsOf(state, 'lone'), []);
  assert.deepEqual(said(state, 'p'), [
    'Gateway edge: Accepted=True Accepted',
    'Gateway edge: ResolvedRefs=True ResolvedRefs',
    'Service pay: Accepted=True Accepted',
    'Service pay: ResolvedRefs=True ResolvedRefs',
  ]);
});

test('what is spoken inside of TLS is what the port declares, else what ALPN finds', () => {
  const state = stateOf(policy('p', valid));
  assert.deepEqual(
    ports.map(({ port }) => clusterOf(state, 'web', port)?.protocol),
    ['http1', 'http-by-alpn', 'http2', 'tcp'],
  );
});

test('only certificates of a ConfigMap or Secret are sent, in the order of the references, and changes of them arrive', () => {
  const refs = [ca('roots'), { group: '', kind: 'Secret', name: 'more' }];
  const state = stateOf(
    policy('p', { caCertificateRefs: refs }),
    object('v1', 'Secret', 'more', { data: { ...keyPairData(), 'ca.crt': keyPairData()['tls.crt'] } }),
  );
  assert.deepEqual(secretsOf(state, 'web'), ['ca-certificates://ConfigMap/shop/roots,Secret/shop/more']);
  const textOf = (): string => {
    const message = proxyMessages(state, 'shop/web', irOf(state, 'shop/web')).find(
      ({ typeUrl }) => typeUrl === typeUrls.secret,
    );
    return Buffer.from(message?.encode() ?? []).toString('latin1');
  };
  const before = textOf();
  assert.match(before, /BEGIN CERTIFICATE/);
  assert.doesNotMatch(before, /some text|PRIVATE KEY/);
  state.apply([{ value: configMap('roots', { 'ca.crt': 'gone' }) }]);
  assert.deepEqual(secretsOf(state, 'web'), ['ca-certificates://Secret/shop/more'], 'what is left is still verified');
  assert.deepEqual(said(state, 'p').slice(0, 2), [
    'Gateway edge: Accepted=True Accepted',
    'Gateway edge: ResolvedRefs=False InvalidCACertificateRef',
  ]);
});

test('names and URIs take the place of the host name in the check, not in the server name', () => {
  const subjectAltNames = [
    { type: 'URI', uri: 'spiffe://example.com/pay' },
    { type: 'Hostname', hostname: 'other.example.com' },
  ];
  const { tls } = clusterOf(stateOf(policy('p', { ...valid, subjectAltNames })), 'web') ?? {};
  assert.ok(tls?.kind === 'originate');
  assert.deepEqual(
    [tls.origination.sni, tls.origination.subjectAltNames],
    ['pay.example.com', ['spiffe://example.com/pay', 'other.example.com']],
  );
});

test('without an authority that can be used nothing is sent, and the status says why', () => {
  const cases: readonly (readonly [object, string, string])[] = [
    [{ caCertificateRefs: [ca('nowhere')] }, 'NoValidCACertificate', 'InvalidCACertificateRef'],
    [{ caCertificateRefs: [ca('empty')] }, 'NoValidCACertificate', 'InvalidCACertificateRef'],
    [{ caCertificateRefs: [ca('nonsense')] }, 'NoValidCACertificate', 'InvalidCACertificateRef'],
    [
      { caCertificateRefs: [{ group: 'example.com', kind: 'Bundle', name: 'roots' }] },
      'NoValidCACertificate',
      'InvalidKind',
    ],
    [{ wellKnownCACertificates: 'example.com/ours' }, 'Invalid', 'ResolvedRefs'],
  ];
  for (const [validation, accepted, resolved] of cases) {
    const state = stateOf(policy('p', validation));
    assert.equal(clusterOf(state, 'web'), undefined, accepted);
    assert.equal(clusterOf(state, 'edge-1'), undefined, accepted);
    const holds = resolved === 'ResolvedRefs' ? 'True' : 'False';
    assert.deepEqual(said(state, 'p').slice(0, 2), [
      `Gateway edge: Accepted=False ${accepted}`,
      `Gateway edge: ResolvedRefs=${holds} ${resolved}`,
    ]);
    assert.equal(irOf(state, 'shop/edge-1').gateway.length, 1, 'the listener stays open for what it can still do');
  }
});

test('the policy of a port comes before that of the Service, the oldest before the others', () => {
  const system = { wellKnownCACertificates: 'System' };
  const state = stateOf(
    policy('whole', system),
    policy('port', valid, { sectionName: 'http-secure' }),
    policy('late-whole', valid),
    policy('late-port', system, { sectionName: 'http-secure' }),
    policy('no-port', valid, { sectionName: 'nowhere' }),
    policy('no-service', valid, { name: 'nobody' }),
    policy('no-kind', valid, { group: 'example.com', kind: 'Queue' }),
  );
  const rootsOf = (port: number): unknown => {
    const { tls } = clusterOf(state, 'web', port) ?? {};
    return tls?.kind === 'originate' ? tls.origination.roots.kind : tls;
  };
  assert.deepEqual([rootsOf(443), rootsOf(444)], ['secret', 'system']);
  const accepted = (name: string): readonly string[] => said(state, name).filter((line) => line.includes('Accepted='));
  assert.deepEqual(accepted('whole').at(-1), 'Service pay: Accepted=True Accepted');
  assert.deepEqual(accepted('port').at(-1), 'Service pay: Accepted=True Accepted');
  for (const name of ['late-whole', 'late-port']) {
    assert.deepEqual(accepted(name), [
      'Gateway edge: Accepted=False Conflicted',
      'Service pay: Accepted=False Conflicted',
    ]);
  }
  assert.deepEqual(accepted('no-port').at(-1), 'Service pay: Accepted=False TargetNotFound');
  assert.deepEqual(accepted('no-service'), ['Service nobody: Accepted=False TargetNotFound']);
  assert.deepEqual(accepted('no-kind'), ['Queue pay: Accepted=False Invalid']);
});

test('a policy goes before the TLS of a DestinationRule, of which the rest holds, and the rule says so', () => {
  const rule = istio('DestinationRule', 'pay', {
    host: 'pay',
    trafficPolicy: { tls: { mode: 'DISABLE' }, loadBalancer: { simple: 'RANDOM' } },
  });
  const state = stateOf(rule, policy('p', valid));
  const cluster = clusterOf(state, 'web');
  assert.equal(cluster?.tls.kind, 'originate');
  assert.equal(cluster?.loadBalancer.kind, 'random');
  const conflicted = (): string | undefined =>
    [...resourceStatus(state).values()]
      .find(({ origin }) => origin.kind === 'DestinationRule')
      ?.conditions.find(({ type }) => type === 'Conflicted')?.reason;
  assert.equal(conflicted(), 'BackendTLSPolicyWins');
  state.apply([{ value: undefined, previous: policy('p', valid) }]);
  assert.equal(conflicted(), undefined);
  assert.equal(clusterOf(state, 'web')?.tls.kind, 'disabled');
});

test('a Gateway shows its certificate to backends with a policy, sidecars show none', () => {
  const state = stateOf(
    policy('p', valid),
    keyPair('client'),
    gateway({ backend: { clientCertificateRef: { name: 'client' } } }),
  );
  assert.deepEqual(secretsOf(state, 'edge-1'), ['ca-certificates://ConfigMap/shop/roots', 'kubernetes://shop/client']);
  assert.deepEqual(secretsOf(state, 'web'), ['ca-certificates://ConfigMap/shop/roots']);
});

test('a Gateway whose certificate for backends cannot be used says so, and sends them nothing', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ name: 'nowhere' }, 'InvalidClientCertificateRef'],
    [{ name: 'roots', kind: 'ConfigMap', group: '' }, 'InvalidClientCertificateRef'],
    [{ name: 'client', namespace: 'other' }, 'RefNotPermitted'],
  ];
  for (const [clientCertificateRef, reason] of cases) {
    const state = stateOf(policy('p', valid), gateway({ backend: { clientCertificateRef } }));
    assert.equal(clusterOf(state, 'edge-1'), undefined);
    assert.equal(clusterOf(state, 'web')?.tls.kind, 'originate', 'sidecars have nothing to do with it');
    const { conditions } = statusOf(state, 'gateway', 'edge');
    const reasons = Object.fromEntries(conditions.map((each) => [each.type, `${each.status} ${each.reason}`]));
    assert.equal(reasons['ResolvedRefs'], `False ${reason}`);
    assert.equal(reasons['Accepted'], 'True Accepted');
  }
});

test('a policy for a ServiceEntry, or for one port of it, holds for all of its hosts, at sidecars and gateways', () => {
  const entry = (name: string, hosts: readonly string[]): KubeObject =>
    object('networking.istio.io/v1', 'ServiceEntry', name, {
      spec: {
        hosts,
        location: 'MESH_EXTERNAL',
        resolution: 'DNS',
        subjectAltNames: ['spiffe://elsewhere/pay'],
        ports: [
          { number: 80, name: 'http-secure', protocol: 'HTTP' },
          { number: 81, name: 'http', protocol: 'HTTP' },
        ],
      },
    });
  const hosts = ['a.example.org', '*.b.example.org'];
  const rule = object('networking.istio.io/v1', 'DestinationRule', 'outside', {
    spec: { host: 'a.example.org', trafficPolicy: { tls: { mode: 'DISABLE' } } },
  });
  const at = { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'outside' };
  const istio = object('networking.istio.io/v1', 'Gateway', 'istio', {
    spec: {
      selector: { 'gateway.networking.k8s.io/gateway-name': 'edge' },
      servers: [{ port: { number: 8080, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
    },
  });
  const route = object('networking.istio.io/v1', 'VirtualService', 'outside', {
    spec: {
      hosts: ['*'],
      gateways: ['istio'],
      http: [{ route: [{ destination: { host: 'a.example.org', port: { number: 80 } } }] }],
    },
  });
  const state = stateOf(
    ...[entry('outside', hosts), rule, istio, route],
    object('weft.dev/v1alpha1', 'Proxy', 'caller', { spec: { serviceAccount: 'caller', httpProxy: { port: 15_080 } } }),
    policy('p', valid, { ...at, sectionName: 'http-secure' }),
    policy('late', { wellKnownCACertificates: 'System' }, { ...at, sectionName: 'http-secure' }),
    policy('no-port', valid, { ...at, sectionName: 'nowhere' }),
    policy('no-entry', valid, { ...at, name: 'nobody' }),
  );
  const tlsOf = (proxy: string, observed: readonly string[], host: string, port: number): unknown => {
    const ir = irOf(state, `shop/${proxy}`, observed);
    const tls = ir.clusters.find((cluster) => cluster.host === host && cluster.port === port)?.tls;
    return tls?.kind === 'originate' ? [tls.origination.sni, tls.origination.subjectAltNames] : tls?.kind;
  };
  const said443 = ['pay.example.com', []];
  assert.deepEqual(tlsOf('caller', ['a.example.org'], 'a.example.org', 80), said443);
  assert.deepEqual(tlsOf('caller', ['x.b.example.org'], 'x.b.example.org', 80), said443);
  assert.deepEqual(tlsOf('caller', ['a.example.org:81'], 'a.example.org', 81), 'disabled');
  assert.deepEqual(tlsOf('edge-1', [], 'a.example.org', 80), said443);
  const accepted = (name: string): readonly string[] => said(state, name).filter((line) => line.includes('Accepted='));
  assert.deepEqual(accepted('p'), ['ServiceEntry outside: Accepted=True Accepted']);
  assert.deepEqual(accepted('late'), ['ServiceEntry outside: Accepted=False Conflicted']);
  assert.deepEqual(accepted('no-port'), ['ServiceEntry outside: Accepted=False TargetNotFound']);
  assert.deepEqual(accepted('no-entry'), ['ServiceEntry nobody: Accepted=False TargetNotFound']);
  const conflicted = [...resourceStatus(state).values()]
    .find(({ origin }) => origin.kind === 'DestinationRule')
    ?.conditions.find(({ type }) => type === 'Conflicted');
  assert.equal(conflicted?.reason, 'BackendTLSPolicyWins');
  // A Service of the same name is another target.
  assert.equal(clusterOf(state, 'web')?.tls.kind, 'auto');
});

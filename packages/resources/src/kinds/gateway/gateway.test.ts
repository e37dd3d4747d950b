import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../../describe-violation.ts';
import { validateObject, warningsFor } from '../../validate-object.ts';
import type { KubeGateway } from './gateway.ts';

const group = 'gateway.networking.k8s.io';

function judge(kind: string, body: object): ReturnType<typeof validateObject> {
  return validateObject({ apiVersion: `${group}/v1`, kind, metadata: { name: 'a' }, ...body });
}

function problems(kind: string, spec: object): string[] {
  return (judge(kind, { spec }).violations ?? []).map(describeViolation);
}

const gateway = (...listeners: readonly object[]) => ({
  gatewayClassName: 'weft',
  listeners: listeners.map((listener, index) => ({ name: `l${index}`, port: 80 + index, ...listener })),
});

const http = { protocol: 'HTTP' };
const certificateRefs = [{ name: 'certificate' }];

test('a Gateway gets every default', () => {
  const { object } = judge('Gateway', {
    spec: {
      ...gateway({ protocol: 'HTTPS', tls: { certificateRefs } }),
      addresses: [{ value: '10.0.0.1' }],
      allowedListeners: {},
      tls: {
        frontend: { default: { validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }] } } },
      },
    },
  });
  const { spec, status } = object as KubeGateway;
  assert.deepEqual(spec, {
    gatewayClassName: 'weft',
    listeners: [
      {
        name: 'l0',
        port: 80,
        protocol: 'HTTPS',
        tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'certificate' }] },
        allowedRoutes: { namespaces: { from: 'Same' } },
      },
    ],
    addresses: [{ type: 'IPAddress', value: '10.0.0.1' }],
    allowedListeners: { namespaces: { from: 'None' } },
    tls: {
      frontend: {
        default: {
          validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'ca' }], mode: 'AllowValidOnly' },
        },
      },
    },
  });
  assert.deepEqual(
    status?.conditions?.map(({ type, reason }) => [type, reason]),
    [
      ['Accepted', 'Pending'],
      ['Programmed', 'Pending'],
    ],
  );
});

test('listeners that nobody could serve are refused, each where it stands', () => {
  assert.deepEqual(
    problems(
      'Gateway',
      gateway(
        { ...http, tls: { certificateRefs } },
        { protocol: 'HTTPS', tls: { mode: 'Passthrough' } },
        { protocol: 'TLS' },
        { protocol: 'TCP', hostname: 'a.com' },
        { protocol: 'TLS', tls: {} },
        { ...http, port: 0, name: 'A_' },
        { ...http, hostname: '1.*' },
        { protocol: 'a b' },
      ),
    ),
    [
      'spec.listeners[5].name: Invalid value: "A_" is not a name of lower case letters, digits, `-` and `.` that begins and ends with a letter or digit',
      'spec.listeners[5].port: Invalid value: 0 should be greater than or equal to 1',
      'spec.listeners[6].hostname: Invalid value: "1.*" is not a host name in lower case such as shop.example.com or *.example.com',
      'spec.listeners[7].protocol: Invalid value: "a b" is not HTTP, HTTPS, TLS, TCP, UDP, or a domain and a name such as example.com/proto',
      'spec.listeners[0].tls: Forbidden: a listener of protocol HTTP has no TLS',
      'spec.listeners[1].tls.mode: Invalid value: "Passthrough": HTTPS ends at the Gateway',
      'spec.listeners[2].tls: Required value: a listener of protocol TLS needs it',
      'spec.listeners[3].hostname: Forbidden: nothing in TCP names a host',
      'spec.listeners[4].tls.certificateRefs: Required value: TLS cannot end here without a certificate',
    ],
  );
  assert.deepEqual(problems('Gateway', { gatewayClassName: '', listeners: [] }), [
    'spec.gatewayClassName: Required value: has 0 characters, at least 1 are allowed',
    'spec.listeners: Required value: has 0 items, at least 1 are allowed',
  ]);
  assert.deepEqual(problems('Gateway', gateway({ ...http, name: 'a' }, { ...http, name: 'a' })), [
    'spec.listeners[1].name: Duplicate value: "a" is there more than once',
  ]);
});

test('a listener may be of a protocol of somebody else', () => {
  assert.deepEqual(problems('Gateway', gateway({ protocol: 'example.com/proto', tls: { certificateRefs } })), []);
});

test('a selector of namespaces is checked, though the CRD does not', () => {
  const selector = {
    matchLabels: { 'a b': 'c' },
    matchExpressions: [
      { key: 'a', operator: 'Equals' },
      { key: '-', operator: 'In' },
      { key: 'a', operator: 'Exists', values: ['b'] },
      { key: 'a', operator: 'NotIn', values: ['b c'] },
    ],
  };
  const [first = '', ...others] = problems(
    'Gateway',
    gateway({ ...http, allowedRoutes: { namespaces: { from: 'Selector', selector } } }),
  );
  const place = 'spec.listeners[0].allowedRoutes.namespaces.selector';
  assert.equal(
    first,
    `${place}.matchLabels["a b"]: Invalid value: "a b": not a valid label key`.replace('["a b"]', '[a b]'),
  );
  assert.deepEqual(
    others.map((line) => line.replace(`${place}.`, '')),
    [
      'matchExpressions[0].operator: Unsupported value: "Equals" is not one of In, NotIn, Exists, DoesNotExist',
      'matchExpressions[1].key: Invalid value: "-": not a valid label key',
      'matchExpressions[1].values: Required value: operator In compares with values',
      'matchExpressions[2].values: Forbidden: operator Exists compares with nothing',
      'matchExpressions[3].values[0]: Invalid value: "b c": not a valid label value',
    ],
  );
});

test('addresses are of their type and there once', () => {
  assert.deepEqual(
    problems('Gateway', {
      ...gateway(http),
      addresses: [
        { value: 'a.com' },
        { type: 'Hostname', value: 'A' },
        { value: '::1' },
        { type: 'IPAddress', value: '::1' },
        { type: 'example.com/pool', value: 'north' },
        {},
      ],
    }),
    [
      'spec.addresses[0].value: Invalid value: "a.com": not an IP address',
      'spec.addresses[1].value: Invalid value: "A": not a host name',
      'spec.addresses[3].value: Duplicate value: "::1" is there more than once',
    ],
  );
});

test('what a Gateway can hardly mean is warned of', () => {
  const { object } = judge('Gateway', {
    spec: gateway(
      { protocol: 'HTTPS', port: 443 },
      { ...http, port: 443 },
      { protocol: 'TLS', port: 443, hostname: 'a.com', tls: { mode: 'Passthrough' } },
      { ...http, allowedRoutes: { namespaces: { from: 'Selector' } } },
    ),
  });
  assert.ok(object);
  assert.deepEqual(warningsFor(object).map(describeViolation), [
    'spec.listeners[0].tls: Required value: HTTPS cannot be served without a certificate',
    'spec.listeners[1].port: Conflict: listener l0 speaks HTTPS on port 443, which does not go together',
    'spec.listeners[3].allowedRoutes.namespaces.selector: Required value: without it no namespace is chosen',
  ]);
});

test('a ListenerSet has listeners like a Gateway, and its parent by default is one', () => {
  const { object } = judge('ListenerSet', {
    spec: { parentRef: { name: 'edge' }, listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }] },
  });
  assert.deepEqual((object as unknown as { spec: { parentRef: object } }).spec.parentRef, {
    group,
    kind: 'Gateway',
    name: 'edge',
  });
  assert.deepEqual(
    problems('ListenerSet', {
      parentRef: { name: 'edge' },
      listeners: [
        { name: 'a', port: 80, protocol: 'HTTP' },
        { name: 'b', port: 80, protocol: 'HTTP' },
      ],
    }),
    ['spec.listeners[1]: Conflict: listener a has the same port, protocol and hostname'],
  );
});

test('a GatewayClass names its controller by a domain and a path', () => {
  assert.deepEqual(problems('GatewayClass', { controllerName: 'weft', description: 'x'.repeat(65) }), [
    'spec.controllerName: Invalid value: "weft" is not a domain and a path such as weft.dev/gateway-controller',
    'spec.description: Too long: has 65 characters, at most 64 are allowed',
  ]);
});

test('a ReferenceGrant says from where and to what', () => {
  assert.deepEqual(problems('ReferenceGrant', { from: [], to: [{ group: 'A', kind: 'Service' }] }), [
    'spec.from: Required value: has 0 items, at least 1 are allowed',
    'spec.to[0].group: Invalid value: "A" is not an API group such as gateway.networking.k8s.io, or nothing for the core group',
  ]);
  assert.deepEqual(
    problems('ReferenceGrant', {
      from: [{ group, kind: 'HTTPRoute' }],
      to: [{ group: '', kind: 'Service', name: 'a' }],
    }),
    ['spec.from[0].namespace: Required value: the field is missing'],
  );
});

test('a deprecated version is warned of, and what to write in its place', () => {
  const spec = {
    targetRefs: [{ group: '', kind: 'Service', name: 'a' }],
    validation: { hostname: 'a.com', wellKnownCACertificates: 'System' },
  };
  const raw = { apiVersion: `${group}/v1alpha3`, kind: 'BackendTLSPolicy', metadata: { name: 'a' }, spec };
  const { object } = validateObject(raw);
  assert.ok(object);
  const [warning] = warningsFor(object);
  assert.deepEqual(
    [warning?.path, warning?.message, warning?.fix],
    ['apiVersion', 'BackendTLSPolicy v1alpha3 is deprecated', `Use ${group}/v1.`],
  );
  assert.deepEqual(warningsFor({ ...object, apiVersion: `${group}/v1` }), []);
});

test('a BackendTLSPolicy says for what, by which name, and by whose word', () => {
  const target = { group: '', kind: 'Service', name: 'a' };
  assert.deepEqual(problems('BackendTLSPolicy', { targetRefs: [], validation: { hostname: '*.a.com' } }), [
    'spec.targetRefs: Required value: has 0 items, at least 1 are allowed',
    'spec.validation.hostname: Invalid value: "*.a.com" is not a host name in lower case such as shop.example.com',
    'spec.validation.caCertificateRefs: Required value: nothing says which authorities are trusted',
  ]);
  assert.deepEqual(
    problems('BackendTLSPolicy', {
      targetRefs: [target],
      validation: {
        hostname: 'a.com',
        wellKnownCACertificates: 'Mozilla',
        subjectAltNames: [{ type: 'URI', uri: 'a' }],
      },
    }),
    [
      'spec.validation.wellKnownCACertificates: Invalid value: "Mozilla" is not System, or a domain and a name such as example.com/roots',
      'spec.validation.subjectAltNames[0].uri: Invalid value: "a" is not a URI such as spiffe://example.org/a',
    ],
  );
});

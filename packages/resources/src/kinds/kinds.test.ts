import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeViolation } from '../describe-violation.ts';
import type { KubeObject } from '../object.ts';
import { kindFor, kindForResource, kinds } from '../registry.ts';
import { parseApiVersion, validateChange, validateObject } from '../validate-object.ts';
import { dataSizeMaxBytes } from './core/data-validation.ts';

function make(apiVersion: string, kind: string, body: object): KubeObject {
  return { apiVersion, kind, metadata: { name: 'a' }, ...body };
}

function problems(object: KubeObject): string[] {
  return (validateObject(object).violations ?? []).map(describeViolation);
}

function valid(object: KubeObject): KubeObject {
  const { object: judged, violations } = validateObject(object);
  assert.deepEqual(violations, undefined);
  return judged as KubeObject;
}

test('names of kinds are told apart, and each is found by kind and by plural in each version', () => {
  const names = new Set<string>();
  for (const kind of kinds) {
    for (const version of kind.versions) {
      assert.equal(kindFor(kind.group, version, kind.kind), kind);
      assert.equal(kindForResource(kind.group, version, kind.plural), kind);
    }
    for (const name of [kind.plural, kind.singular, ...kind.shortNames].map((name) => `${name}.${kind.group}`)) {
      assert.ok(!names.has(name) || kind.plural === kind.singular, name);
      names.add(name);
    }
    assert.equal(kind.plural, kind.plural.toLowerCase());
  }
  assert.equal(kindFor('', 'v2', 'Service'), undefined);
});

test('columns can be printed for an object with nothing but a name', () => {
  for (const kind of kinds) {
    const [version = 'v1'] = kind.versions;
    const apiVersion = kind.group === '' ? version : `${kind.group}/${version}`;
    const object = make(apiVersion, kind.kind, {
      spec: { template: {}, hosts: [] },
      endpoints: [],
      roleRef: { kind: 'Role', name: 'r' },
      involvedObject: {},
    });
    assert.ok(kind.columns.some(({ priority }) => priority === 0));
    for (const column of kind.columns) {
      const cell = column.value(object);
      assert.ok(
        cell === undefined || ['string', 'number', 'boolean'].includes(typeof cell),
        `${kind.kind} ${column.name}`,
      );
    }
  }
});

test('a service is judged as Kubernetes judges it', () => {
  assert.deepEqual(problems(make('v1', 'Service', { spec: {} })), [
    'spec.ports: Required value: a service needs a port',
  ]);
  assert.deepEqual(
    problems(
      make('v1', 'Service', {
        spec: {
          clusterIP: 'x',
          externalIPs: ['y'],
          selector: { a: 'b c' },
          sessionAffinityConfig: { clientIP: {} },
          ports: [
            { port: 80, targetPort: 'TOO-LONG-A-NAME-FOR-A-PORT' },
            { name: 'b', port: 80, targetPort: 0 },
          ],
        },
      }),
    ),
    [
      'spec.sessionAffinityConfig: Forbidden: sessionAffinity is not ClientIP',
      'spec.ports[0].name: Required value: a service with several ports needs a name for each',
      'spec.ports[0].targetPort: Invalid value: "TOO-LONG-A-NAME-FOR-A-PORT": not a port name',
      'spec.ports[1].port: Duplicate value: "80/TCP" is there more than once',
      'spec.ports[1].targetPort: Invalid value: 0: port must be between 1-65535',
      'spec.clusterIP: Invalid value: "x": not an IP address',
      'spec.externalIPs[0]: Invalid value: "y": not an IP address',
      'spec.selector.a: Invalid value: "b c": not a valid label value',
    ],
  );
  assert.deepEqual(problems(make('v1', 'Service', { spec: { type: 'ExternalName', clusterIP: '10.0.0.1' } })), [
    'spec.externalName: Required value: a service of type ExternalName needs it',
    'spec.clusterIP: Forbidden: a service of type ExternalName has no address',
  ]);
  assert.deepEqual(problems(make('v1', 'Service', { spec: { clusterIP: 'None' } })), []);
});

test('a name that becomes a DNS name begins with a letter', () => {
  const named = (kind: string, name: string): KubeObject => ({ ...make('v1', kind, {}), metadata: { name } });
  assert.match(
    problems({ ...named('Service', '1a'), spec: { ports: [{ port: 1 }] } } as KubeObject)[0] ?? '',
    /RFC|name/,
  );
  assert.deepEqual(problems(named('ServiceAccount', '1a.b')), []);
  assert.equal(problems(named('Namespace', 'a.b')).length, 1);
  assert.equal(problems(named('Namespace', 'a'.repeat(64))).length, 1);
  assert.deepEqual(problems({ ...named('ClusterRole', 'system:a'), apiVersion: 'rbac.authorization.k8s.io/v1' }), []);
});

test('metadata is judged: namespace, owners, finalizers, annotations', () => {
  const owner = { apiVersion: 'v1', kind: 'Service', name: 'x', uid: 'u', controller: true };
  const object = make('v1', 'Namespace', {});
  assert.deepEqual(
    problems({
      ...object,
      metadata: {
        name: 'a',
        namespace: 'b',
        ownerReferences: [owner, { ...owner, uid: '' }],
        finalizers: ['not a name'],
        annotations: { big: 'x'.repeat(262_145) },
      },
    }),
    [
      'metadata.namespace: Forbidden: a Namespace is in no namespace',
      'metadata.annotations: Too long: the annotations have 262148 bytes together, at most 262144 are allowed',
      'metadata.ownerReferences[1].uid: Required value: it is empty',
      'metadata.ownerReferences[1].controller: Conflict: Service x is the controller already',
      'metadata.finalizers[0]: Invalid value: "not a name": not the name of a finalizer',
    ],
  );
  assert.deepEqual(problems({ ...object, metadata: {} as KubeObject['metadata'] }), [
    'metadata.name: Required value: an object needs a name',
  ]);
  assert.deepEqual(problems({ ...object, metadata: { generateName: 'a-' } as KubeObject['metadata'] }), []);
});

test('a namespace gets the label that selectors choose it by', () => {
  assert.deepEqual(valid(make('v1', 'Namespace', {})).metadata.labels, { 'kubernetes.io/metadata.name': 'a' });
});

test('secrets and config maps have real keys, a limited size and what their type needs', () => {
  assert.deepEqual(problems(make('v1', 'Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'a/b': '' } })), [
    'data[a/b]: Invalid value: "a/b": not a valid key',
    'data[tls.key]: Required value: a secret of type kubernetes.io/tls needs it',
  ]);
  assert.deepEqual(problems(make('v1', 'ConfigMap', { data: { a: '1' }, binaryData: { a: 'eA==', b: '!' } })), [
    'binaryData.b: Invalid value: the value is not base64 (RFC 4648 §4)',
    'binaryData.a: Duplicate value: "a" is there more than once',
  ]);
  assert.match(
    problems(make('v1', 'ConfigMap', { data: { a: 'x'.repeat(dataSizeMaxBytes + 1) } }))[0] ?? '',
    /the values have 1048577 bytes/,
  );
});

test('what is immutable stays', () => {
  const change = (before: KubeObject, after: KubeObject): string[] =>
    validateChange(valid(after), valid(before)).map(describeViolation);
  const secret = (body: object): KubeObject => make('v1', 'Secret', body);
  assert.deepEqual(change(secret({ type: 'a' }), secret({ type: 'b' })), [
    'type: Forbidden: it is a and cannot be changed',
  ]);
  assert.deepEqual(change(secret({ immutable: true, data: { a: 'eA==' } }), secret({ data: {} })), [
    'immutable: Forbidden: it is true and cannot be taken back',
    'data: Forbidden: the object is immutable',
  ]);
  const binding = (name: string): KubeObject =>
    make('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    });
  assert.deepEqual(change(binding('a'), binding('b')), ['roleRef: Forbidden: it cannot be changed']);
  const slice = (addressType: string): KubeObject =>
    make('discovery.k8s.io/v1', 'EndpointSlice', { addressType, endpoints: [] });
  assert.deepEqual(change(slice('IPv4'), slice('IPv6')), ['addressType: Forbidden: it is IPv4 and cannot be changed']);
  const service = (clusterIP: string): KubeObject =>
    make('v1', 'Service', { spec: { clusterIP, ports: [{ port: 1 }] } });
  assert.equal(change(service('10.0.0.1'), service('10.0.0.2')).length, 1);
  assert.deepEqual(change(service('10.0.0.1'), service('10.0.0.1')), []);
  assert.deepEqual(
    validateChange({ ...service(''), metadata: { name: 'b' } }, service('')).map(({ path }) => path),
    ['metadata.name'],
  );
});

test('endpoint slices hold addresses of their type', () => {
  assert.deepEqual(
    problems(
      make('discovery.k8s.io/v1', 'EndpointSlice', {
        addressType: 'IPv4',
        endpoints: [{ addresses: ['::1', '1.2.3.4'] }, { addresses: [] }],
        ports: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      }),
    ),
    [
      'endpoints[0].addresses[0]: Invalid value: "::1": not an address of type IPv4',
      'endpoints[1].addresses: Required value: an endpoint needs an address',
      'ports[1].name: Duplicate value: "a" is there more than once',
    ],
  );
});

test('roles and bindings are judged as Kubernetes judges them', () => {
  const rbac = 'rbac.authorization.k8s.io/v1';
  assert.deepEqual(
    problems(
      make(rbac, 'Role', {
        rules: [
          { verbs: [], apiGroups: [''], resources: ['services'] },
          { verbs: ['get'], nonResourceURLs: ['/metrics'] },
          { verbs: ['get'] },
        ],
      }),
    ),
    [
      'rules[0].verbs: Required value: a rule allows at least one action',
      'rules[1].nonResourceURLs: Forbidden: a Role is for the resources of its namespace',
      'rules[2].apiGroups: Required value: a rule names groups and resources',
      'rules[2].resources: Required value: a rule names groups and resources',
    ],
  );
  assert.deepEqual(
    problems(
      make(rbac, 'ClusterRoleBinding', {
        roleRef: { apiGroup: 'x', kind: 'Role', name: '' },
        subjects: [
          { kind: 'ServiceAccount', name: 'a' },
          { kind: 'User', name: 'u', namespace: 'n' },
        ],
      }),
    ),
    [
      'roleRef.apiGroup: Unsupported value: "x" is not one of rbac.authorization.k8s.io',
      'roleRef.kind: Unsupported value: "Role" is not one of ClusterRole',
      'roleRef.name: Required value: the name is empty',
      'subjects[0].namespace: Required value: a service account has a namespace',
      'subjects[1].namespace: Forbidden: a User has no namespace',
    ],
  );
});

test('a proxy does not listen twice in one place', () => {
  const proxy = make('weft.dev/v1alpha1', 'Proxy', {
    spec: {
      serviceAccount: 'reviews',
      httpProxy: { port: 15001 },
      inbound: [
        { name: 'http', port: 9080, appPort: 9080 },
        { name: 'http', port: 15001, appPort: 9081 },
      ],
      upstreams: [
        { host: 'ratings', port: 9080, listenPort: 15002 },
        { host: 'ratings', port: 9080, listenAddress: 'x', listenPort: 15002 },
      ],
    },
  });
  assert.deepEqual(problems(proxy), [
    'spec.inbound[0].appPort: Conflict: the workload cannot listen where its proxy does',
    'spec.inbound[1].name: Duplicate value: "http" is there more than once',
    'spec.inbound[1].port: Conflict: 127.0.0.1:15001 is taken by spec.httpProxy.port already',
    'spec.upstreams[1].host: Duplicate value: "ratings:9080" is there more than once',
    'spec.upstreams[1].listenAddress: Invalid value: "x": not an IP address',
  ]);
});

test('a proxy has what its role has, and nothing of the other one', () => {
  const proxy = (spec: object) => make('weft.dev/v1alpha1', 'Proxy', { spec: { serviceAccount: 'edge', ...spec } });
  const ports = [
    { port: 80, listenPort: 8080 },
    { port: 443, listenPort: 8443 },
  ];
  valid(proxy({ role: 'gateway', gateway: { address: '127.0.0.2', ports } }));
  valid(proxy({ role: 'gateway' }));
  assert.deepEqual(problems(proxy({ gateway: { ports } })), [
    'spec.gateway: Forbidden: only a proxy of role gateway has it',
  ]);
  assert.deepEqual(
    problems(
      proxy({
        role: 'gateway',
        gateway: { address: 'edge', ports: [...ports, { port: 81, listenPort: 8080 }] },
        httpProxy: { port: 15001 },
        inbound: [{ name: 'http', port: 9080, appPort: 9081 }],
        upstreams: [{ host: 'ratings', port: 9080, listenPort: 15002 }],
      }),
    ),
    [
      'spec.httpProxy: Forbidden: a proxy of role gateway serves no workload of its own',
      'spec.inbound: Forbidden: a proxy of role gateway serves no workload of its own',
      'spec.upstreams: Forbidden: a proxy of role gateway serves no workload of its own',
      'spec.gateway.address: Invalid value: "edge": not an IP address',
      'spec.gateway.ports[2].listenPort: Conflict: 8080 is where port 80 is listened on',
    ],
  );
});

test('a workload may listen on a Unix socket, which has a file', () => {
  const at = (appAddress: string) =>
    make('weft.dev/v1alpha1', 'Proxy', {
      spec: { serviceAccount: 'a', inbound: [{ name: 'http', port: 15001, appAddress, appPort: 80 }] },
    });
  valid(at('unix:///run/app.sock'));
  for (const address of ['unix://run/app.sock', 'unix://@abstract', 'unix://', `unix:///${'x'.repeat(107)}`]) {
    const [problem = '', ...others] = problems(at(address));
    assert.match(problem, /^spec\.inbound\[0\]\.appAddress: .*: not an absolute path of at most 107 bytes$/);
    assert.deepEqual(others, []);
  }
});

test('a proxy names the Unix sockets that it may open by their paths, each once', () => {
  const named = (...unixSockets: readonly string[]) =>
    make('weft.dev/v1alpha1', 'Proxy', { spec: { serviceAccount: 'a', role: 'gateway', unixSockets } });
  valid(named('/run/a.sock', '/run/b.sock'));
  assert.deepEqual(problems(named('/run/a.sock', 'unix:///run/b.sock', '/run/a.sock', `/${'x'.repeat(107)}`)), [
    'spec.unixSockets[1]: Invalid value: "unix:///run/b.sock": not an absolute path of at most 107 bytes',
    'spec.unixSockets[2]: Duplicate value: "/run/a.sock" is there more than once',
    // Long values are cut off.
    `spec.unixSockets[3]: Invalid value: "/${'x'.repeat(78)}…: not an absolute path of at most 107 bytes`,
  ]);
});

test('a proxy gets its defaults', () => {
  const proxy = valid(make('weft.dev/v1alpha1', 'Proxy', { spec: { serviceAccount: 'a', httpProxy: { port: 1 } } }));
  assert.deepEqual((proxy as KubeObject & { spec: unknown }).spec, {
    serviceAccount: 'a',
    engine: 'weft',
    role: 'sidecar',
    draining: false,
    httpProxy: { address: '127.0.0.1', port: 1 },
    inbound: [],
    upstreams: [],
  });
});

test('versions are split from groups', () => {
  assert.deepEqual(parseApiVersion('v1'), { group: '', version: 'v1' });
  assert.deepEqual(parseApiVersion('weft.dev/v1alpha1'), { group: 'weft.dev', version: 'v1alpha1' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateObject } from './validate-object.ts';
import { violationsMax } from './violation.ts';

function problems(raw: unknown): string[] {
  return (validateObject(raw).violations ?? []).map(({ path, code, message }) => `${path} ${code} ${message}`);
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'reviews', namespace: 'default', creationTimestamp: null },
  spec: { selector: { app: 'reviews' }, ports: [{ name: 'http', port: 9080 }] },
  status: { loadBalancer: {} },
};

test('a valid object comes back with the defaults of its kind and without nulls', () => {
  const { object } = validateObject(service);
  assert.deepEqual(object, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'reviews', namespace: 'default' },
    spec: {
      selector: { app: 'reviews' },
      ports: [{ name: 'http', port: 9080, protocol: 'TCP', targetPort: 9080 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  });
});

test('without defaults the object comes back as it was written', () => {
  const { object } = validateObject(service, { withDefaults: false });
  assert.deepEqual(object, { ...service, metadata: { name: 'reviews', namespace: 'default' } });
});

test('an unknown kind is named with the nearest one', () => {
  assert.deepEqual(problems({ apiVersion: 'v1', kind: 'Servce', metadata: { name: 'x' } }), [
    'kind UnknownKind there is no kind "Servce", did you mean Service?',
  ]);
});

test('a kind of another group names the group it is in', () => {
  const [violation] = validateObject({ apiVersion: 'weft.dev/v1', kind: 'WorkloadEntry' }).violations ?? [];
  assert.equal(violation?.path, 'apiVersion');
  assert.match(violation?.fix ?? '', /networking\.istio\.io\/v1/);
});

test('all mistakes are reported at once, with paths', () => {
  assert.deepEqual(
    problems({
      ...service,
      metadata: { name: 'Reviews', labels: { 'a b': 'x' } },
      spec: {
        ports: [
          { name: 'http', prot: 1, port: 0 },
          { name: 'http', port: 80 },
        ],
        selectr: {},
      },
    }),
    [
      'spec.ports[0].port FieldValueInvalid 0: port must be between 1-65535',
      'spec.ports[0].prot UnknownField unknown field "prot", did you mean "port"?',
      'spec.selectr UnknownField unknown field "selectr", did you mean "selector"?',
      'metadata.name FieldValueInvalid "Reviews": not a valid name',
      'metadata.labels[a b] FieldValueInvalid "a b": not a valid label key',
      'spec.ports[1].name FieldValueDuplicate "http" is there more than once',
    ],
  );
});

test('wrong types say what was there and how to write it', () => {
  const { violations = [] } = validateObject({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', labels: { version: 1 } },
    spec: { ports: [{ port: '80' }], type: 'ClusterIp', publishNotReadyAddresses: 'true', selector: [] },
  });
  assert.deepEqual(
    violations.map(({ path, code, message, fix }) => [path, code, message, fix]),
    [
      [
        'metadata.labels.version',
        'FieldValueTypeInvalid',
        'must be a string, not the number 1',
        'Put the value in quotes.',
      ],
      [
        'spec.ports[0].port',
        'FieldValueTypeInvalid',
        'must be a number, not the string "80"',
        'Write the value without quotes.',
      ],
      ['spec.selector', 'FieldValueTypeInvalid', 'must be an object, not a list', 'Write an object.'],
      [
        'spec.type',
        'FieldValueNotSupported',
        '"ClusterIp" is not one of ClusterIP, NodePort, LoadBalancer, ExternalName',
        'Did you mean ClusterIP?',
      ],
      [
        'spec.publishNotReadyAddresses',
        'FieldValueTypeInvalid',
        'must be true or false, not the string "true"',
        'Write the value without quotes.',
      ],
    ],
  );
});

test('what is no object at all is refused', () => {
  assert.equal(problems('x').length, 1);
  assert.equal(problems(null).length, 1);
  assert.equal(problems([]).length, 1);
  assert.deepEqual(problems({}), [
    'apiVersion FieldValueRequired the field is missing',
    'kind FieldValueRequired the field is missing',
  ]);
});

test('secrets get their plain text encoded and their type filled in', () => {
  const { object } = validateObject({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data: { a: 'eA==' },
    stringData: { b: 'y' },
  });
  assert.deepEqual(object, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    type: 'Opaque',
    data: { a: 'eA==', b: 'eQ==' },
  });
});

test('the values of a secret are never repeated in a message', () => {
  const text = JSON.stringify(
    validateObject({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: 'hunter2!' },
      stringData: { b: 4711 },
    }),
  );
  const whole = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: 'hunter2', stringData: 4711 };
  assert.doesNotMatch(JSON.stringify(validateObject(whole)), /hunter2|4711/);
  assert.match(text, /data.a/);
  assert.match(text, /stringData.b/);
  assert.doesNotMatch(text, /hunter2|4711/);
});

test('a flood of mistakes is cut off, quickly', () => {
  const spec = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`selectr${index}`, 1]));
  const { violations = [] } = validateObject({ ...service, spec });
  assert.equal(violations.length, violationsMax + 1);
  assert.equal(violations.at(-1)?.message, 'there are more than 100 mistakes, and these are the first');
  const ports = Array.from({ length: 50_000 }, () => ({ port: 1, name: 'A B' }));
  assert.equal(validateObject({ ...service, spec: { ports } }).violations?.length, violationsMax + 1);
});

test('a key that programs take for the prototype is refused, wherever it is', () => {
  const secret = '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"__proto__":{"a":1}}}';
  assert.deepEqual(problems(JSON.parse(secret)), ['data.__proto__ FieldValueForbidden no name of anything']);
});

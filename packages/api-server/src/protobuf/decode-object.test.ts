import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeKubernetesObject } from './decode-object.ts';
import { WireReader } from './wire-reader.ts';

type Content = Buffer | string | number;

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}

/** One field: a number as a varint, text and bytes with their length. */
function field(number: number, content: Content): Buffer {
  if (typeof content === 'number') {
    return Buffer.concat([varint(number << 3), varint(content)]);
  }
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const magic = Buffer.from('k8s\0');

function object(apiVersion: string, kind: string, ...fields: readonly Buffer[]): Buffer {
  const envelope = [
    field(1, join(field(1, apiVersion), field(2, kind))),
    field(2, join(...fields)),
    field(3, ''),
    field(4, ''),
  ];
  return join(magic, ...envelope);
}

const decode = (bytes: Buffer, depth = 32): unknown => decodeKubernetesObject(bytes, depth);

test('a Service as Go writes it becomes what its JSON would be', () => {
  const time = join(field(1, 1_767_225_600), field(2, 0));
  const metadata = join(
    ...[field(1, 'web'), field(2, ''), field(3, 'default'), field(5, ''), field(7, 0), field(8, '')],
    field(9, time),
    field(11, join(field(1, 'app'), field(2, 'web'))),
    field(11, join(field(1, 'empty'), field(2, ''))),
  );
  const port = (number: number, target: Buffer): Buffer =>
    join(field(1, 'http'), field(2, 'TCP'), field(3, number), field(4, target), field(5, 0));
  const spec = join(
    field(1, port(80, join(field(1, 0), field(2, 8080), field(3, '')))),
    field(1, port(81, join(field(1, 1), field(2, 0), field(3, 'grpc')))),
    field(1, port(82, join(field(1, 0), field(2, 0), field(3, '')))),
    ...[field(3, ''), field(4, 'ClusterIP'), field(13, 0), field(20, 0)],
  );
  const status = field(1, '');
  assert.deepEqual(decode(object('v1', 'Service', field(1, metadata), field(2, spec), field(3, status))), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web',
      namespace: 'default',
      deletionTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web', empty: '' },
    },
    spec: {
      ports: [
        { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 },
        { name: 'http', protocol: 'TCP', port: 81, targetPort: 'grpc' },
        { name: 'http', protocol: 'TCP', port: 82 },
      ],
      type: 'ClusterIP',
      allocateLoadBalancerNodePorts: false,
    },
    status: { loadBalancer: {} },
  });
});

test('bytes become base64, micro times keep their digits, extra values are lists, DeleteOptions have any version', () => {
  const data = join(field(1, 'k'), field(2, Buffer.of(0, 255)));
  assert.deepEqual(decode(object('v1', 'Secret', field(2, data))), {
    apiVersion: 'v1',
    kind: 'Secret',
    data: { k: 'AP8=' },
  });
  const renewTime = join(field(1, 1_767_225_600), field(2, 5_000));
  const spec = join(field(1, ''), field(2, 15), field(4, renewTime), field(5, 0));
  assert.deepEqual(decode(object('coordination.k8s.io/v1', 'Lease', field(2, spec))), {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    spec: {
      holderIdentity: '',
      leaseDurationSeconds: 15,
      renewTime: '2026-01-01T00:00:00.000005Z',
      leaseTransitions: 0,
    },
  });
  const extra = field(5, join(field(1, 'scopes'), field(2, join(field(1, 'a'), field(1, 'b')))));
  const review = join(field(2, join(field(3, 'bob'), extra)), field(3, join(field(1, 0), field(4, 0))));
  assert.deepEqual(decode(object('authorization.k8s.io/v1', 'SubjectAccessReview', review)), {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: 'bob', extra: { scopes: ['a', 'b'] } },
  });
  const options = [field(1, 0), field(2, field(1, 'uid')), field(3, 0), field(4, 'Foreground')];
  assert.deepEqual(decode(object('networking.istio.io/v1', 'DeleteOptions', ...options)), {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
    preconditions: { uid: 'uid' },
    orphanDependents: false,
    propagationPolicy: 'Foreground',
  });
});

test('a list that must be there is there also when it is empty', () => {
  assert.deepEqual(decode(object('discovery.k8s.io/v1', 'EndpointSlice', field(4, 'IPv4'))), {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    endpoints: [],
  });
});

test('managed fields are read as the JSON that they hold', () => {
  const entry = join(field(1, 'kubectl'), field(7, field(1, '{"f:data":{}}')));
  const decoded = decode(object('v1', 'ConfigMap', field(1, field(17, entry)))) as { metadata: unknown };
  assert.deepEqual(decoded.metadata, { managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:data': {} } }] });
});

test('what the tables do not know, and what is malformed, is refused', () => {
  const refused = (bytes: Buffer, message: RegExp, depth = 32): void => {
    assert.throws(() => decode(bytes, depth), { name: 'ProtobufError', message });
  };
  refused(Buffer.from('{}'), /four bytes/);
  refused(object('v1', 'Pod'), /v1 Pod has no protobuf form here; fix: send JSON/);
  refused(object('v1', 'Service', field(2, field(99, 'x'))), /Service\.spec has a field 99/);
  refused(object('v1', 'Service', field(2, 5)), /Service\.spec is written as another type/);
  refused(object('v1', 'Service', field(1, field(1, Buffer.of(0xff)))), /UTF-8/);
  refused(object('v1', 'Secret', field(2, join(field(1, '__proto__'), field(2, 'x')))), /__proto__/);
  refused(object('v1', 'Secret', field(2, field(3, 'x'))), /no pair of key and value/);
  refused(object('v1', 'Service', field(1, field(8, field(9, 'x')))), /creationTimestamp has a field 9/);
  refused(object('v1', 'Service', field(1, field(8, field(1, 'x')))), /is no time/);
  refused(object('v1', 'ConfigMap', field(1, field(17, field(7, field(1, '{'))))), /is no JSON/);
  refused(object('v1', 'Service', field(1, field(17, field(7, '')))), /nested too deep/, 2);
  refused(join(magic, field(1, join(field(1, 'v1'), field(2, 'Secret'))), field(3, 'gzip')), /encoded once more/);
  const whole = object('v1', 'Service', field(1, field(1, 'web')));
  // Beginning with the content: an envelope without content is an object without fields.
  for (let end = whole.indexOf('web') - 4; end < whole.length - 4; end += 1) {
    assert.throws(() => decode(whole.subarray(0, end)), { name: 'ProtobufError' }, String(end));
  }
});

test('numbers that are too long, fields that are none and other wire types are refused', () => {
  const reader = (...bytes: readonly number[]): WireReader => new WireReader(Buffer.from(bytes));
  assert.throws(() => reader(...Array<number>(11).fill(0x80)).varint(), /more than ten bytes/);
  assert.throws(() => reader(0x80).varint(), /ends within/);
  assert.throws(() => reader(0x02).tag(), /field 0/);
  assert.throws(() => reader(0x0d).tag(), /wire type 5/);
  assert.throws(() => reader(0x05, 1).bytes(), /5 bytes follow where 1/);
  const negative = object('v1', 'Service', field(1, Buffer.concat([varint(7 << 3), varint(-1)])));
  assert.deepEqual((decode(negative) as { metadata: unknown }).metadata, { generation: -1 });
});

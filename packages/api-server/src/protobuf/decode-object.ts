import { configMap, event, namespace, secret, service, serviceAccount } from './core-messages.ts';
import {
  binding,
  clusterRole,
  endpointSlice,
  lease,
  recordedEvent,
  role,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  tokenRequest,
  tokenReview,
} from './group-messages.ts';
import { type Field, inner, type Message, message, text } from './message.ts';
import { deleteOptions } from './meta-messages.ts';
import { ProtobufError, textOf, WireReader } from './wire-reader.ts';

/** Kinds that can be read, by `<apiVersion> <kind>`. Others have no protobuf form: their clients send JSON. */
const messages: ReadonlyMap<string, Message> = new Map([
  ['v1 Namespace', namespace],
  ['v1 Service', service],
  ['v1 ServiceAccount', serviceAccount],
  ['v1 Secret', secret],
  ['v1 ConfigMap', configMap],
  ['v1 Event', event],
  ['events.k8s.io/v1 Event', recordedEvent],
  ['coordination.k8s.io/v1 Lease', lease],
  ['discovery.k8s.io/v1 EndpointSlice', endpointSlice],
  ['rbac.authorization.k8s.io/v1 Role', role],
  ['rbac.authorization.k8s.io/v1 ClusterRole', clusterRole],
  ['rbac.authorization.k8s.io/v1 RoleBinding', binding],
  ['rbac.authorization.k8s.io/v1 ClusterRoleBinding', binding],
  ['authentication.k8s.io/v1 TokenRequest', tokenRequest],
  ['authentication.k8s.io/v1 TokenReview', tokenReview],
  ['authentication.k8s.io/v1 SelfSubjectReview', selfSubjectReview],
  ['authorization.k8s.io/v1 SubjectAccessReview', subjectAccessReview],
  ['authorization.k8s.io/v1 LocalSubjectAccessReview', subjectAccessReview],
  ['authorization.k8s.io/v1 SelfSubjectAccessReview', selfSubjectAccessReview],
  ['authorization.k8s.io/v1 SelfSubjectRulesReview', selfSubjectRulesReview],
]);

/** `runtime.Unknown`: type, content, and how the content is encoded. */
const envelope = message({
  typeMeta: inner(1, message({ apiVersion: text(1), kind: text(2) })),
  raw: { number: 2, type: 'bytes', shape: 'optional' },
  contentEncoding: text(3),
  contentType: text(4),
});

/** First bytes of every object that Kubernetes writes as protobuf (`k8s` and a zero). */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0);

/**
 * Reads an object of `application/vnd.kubernetes.protobuf`, as the typed clients of Go send it, into what its JSON form would be.
 * A field that the tables do not have is refused, because it would be lost.
 * @throws ProtobufError.
 */
export function decodeKubernetesObject(bytes: Uint8Array, maxDepth: number): Record<string, unknown> {
  if (!magic.every((byte, index) => bytes[index] === byte)) {
    throw new ProtobufError('it does not begin with the four bytes that mark an object of Kubernetes');
  }
  const outer = decodeMessage(bytes.subarray(magic.length), envelope, { depth: 2, path: 'envelope' }, rawBytes);
  const { apiVersion = '', kind = '' } = (outer['typeMeta'] ?? {}) as {
    readonly apiVersion?: string;
    readonly kind?: string;
  };
  if (outer['contentEncoding'] !== undefined || outer['contentType'] !== undefined) {
    throw new ProtobufError('its content is encoded once more, which is not supported');
  }
  // Options of a delete come in the version of whatever is deleted.
  const type = kind === 'DeleteOptions' ? deleteOptions : messages.get(`${apiVersion} ${kind}`);
  if (type === undefined) {
    throw new ProtobufError(`${apiVersion} ${kind} has no protobuf form here; fix: send JSON`);
  }
  const raw = outer['raw'] instanceof Uint8Array ? outer['raw'] : new Uint8Array();
  const content = decodeMessage(raw, type, { depth: maxDepth, path: kind }, base64);
  return { apiVersion, kind, ...content };
}

type BytesForm = (bytes: Uint8Array) => unknown;
const rawBytes: BytesForm = (bytes) => bytes;
const base64: BytesForm = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');

/** How deep messages may still nest, and where this one stands. */
interface Position {
  readonly depth: number;
  readonly path: string;
}

function decodeMessage(
  bytes: Uint8Array,
  type: Message,
  { depth, path }: Position,
  form: BytesForm,
): Record<string, unknown> {
  if (depth <= 0) {
    throw new ProtobufError(`${path} is nested too deep`);
  }
  const result: Record<string, unknown> = {};
  for (const { name, shape } of type.byNumber.values()) {
    if (shape === 'needed') {
      result[name] = [];
    }
  }
  const reader = new WireReader(bytes);
  while (!reader.atEnd) {
    const tag = reader.tag();
    const field = type.byNumber.get(tag.field);
    if (field === undefined) {
      throw new ProtobufError(`${path} has a field ${tag.field} that this server does not know; fix: send JSON`);
    }
    const at = { depth: depth - 1, path: `${path}.${field.name}` };
    const numeric = field.shape !== 'map' && (field.type === 'integer' || field.type === 'flag');
    if ((tag.type === 'varint') !== numeric) {
      throw new ProtobufError(`${at.path} is written as another type`);
    }
    if (field.shape === 'ignored') {
      reader.bytes();
    } else if (field.shape === 'map') {
      result[field.name] ??= {};
      const map = result[field.name] as Record<string, unknown>;
      const [key, value] = decodeEntry(reader.bytes(), field, at, form);
      if (key === '__proto__') {
        throw new ProtobufError(`${at.path} has the key "__proto__", which is not accepted`);
      }
      map[key] = value;
    } else {
      add(result, field, decodeValue(reader, field, at, form));
    }
  }
  return result;
}

function add(result: Record<string, unknown>, field: Field & { readonly name: string }, value: unknown): void {
  if (field.shape === 'list' || field.shape === 'needed') {
    result[field.name] ??= [];
    (result[field.name] as unknown[]).push(value);
  } else if (field.shape === 'optional' || (value !== undefined && value !== '' && value !== 0 && value !== false)) {
    result[field.name] = value;
  }
}

function decodeEntry(bytes: Uint8Array, field: Field, at: Position, form: BytesForm): [string, unknown] {
  const reader = new WireReader(bytes);
  let key = '';
  let value: unknown;
  while (!reader.atEnd) {
    const tag = reader.tag();
    if (tag.type !== 'length' || tag.field > 2) {
      throw new ProtobufError(`${at.path} has an entry that is no pair of key and value`);
    }
    if (tag.field === 1) {
      key = textOf(reader.bytes());
    } else {
      value = decodeValue(reader, field, at, form);
    }
  }
  return [key, typeof value === 'object' && value !== null && 'items' in value ? value.items : (value ?? '')];
}

function decodeValue(reader: WireReader, { type }: Field, at: Position, form: BytesForm): unknown {
  switch (type) {
    case 'integer':
      return integerOf(reader.varint(), at);
    case 'flag':
      return reader.varint() !== 0n;
    case 'text':
      return textOf(reader.bytes());
    case 'bytes':
      return form(reader.bytes());
    case 'time':
      return timeOf(reader.bytes(), at, 0);
    case 'microTime':
      return timeOf(reader.bytes(), at, 6);
    case 'intOrString':
      return intOrStringOf(reader.bytes(), at);
    case 'json':
      return jsonOf(reader.bytes(), at);
    default:
      return decodeMessage(reader.bytes(), type, at, form);
  }
}

function integerOf(value: bigint, { path }: Position): number {
  const signed = Number(BigInt.asIntN(64, value));
  if (!Number.isSafeInteger(signed)) {
    throw new ProtobufError(`${path} has more digits than JSON can carry`);
  }
  return signed;
}

/** Numbers and texts of a message that is not worth a table. */
function scalarsOf(bytes: Uint8Array, { path }: Position): ReadonlyMap<number, bigint | string> {
  const found = new Map<number, bigint | string>();
  const reader = new WireReader(bytes);
  while (!reader.atEnd) {
    const { field, type } = reader.tag();
    if (field > 3) {
      throw new ProtobufError(`${path} has a field ${field} that this server does not know`);
    }
    found.set(field, type === 'varint' ? reader.varint() : textOf(reader.bytes()));
  }
  return found;
}

/** Seconds and nanoseconds since 1970 as RFC 3339; undefined for a time that was never set. */
function timeOf(bytes: Uint8Array, at: Position, digits: 0 | 6): string | undefined {
  const scalars = scalarsOf(bytes, at);
  const [seconds = 0n, nanos = 0n] = [scalars.get(1), scalars.get(2)];
  if (bytes.length === 0) {
    return undefined;
  }
  const ms = typeof seconds === 'bigint' ? Number(BigInt.asIntN(64, seconds)) * 1000 : Number.NaN;
  const time = new Date(ms);
  if (Number.isNaN(time.getTime()) || typeof nanos !== 'bigint' || nanos >= 1_000_000_000n) {
    throw new ProtobufError(`${at.path} is no time`);
  }
  const fraction = digits === 0 ? '' : `.${String(nanos / 1000n).padStart(6, '0')}`;
  return time.toISOString().replace(/\.\d{3}Z$/, `${fraction}Z`);
}

/** `util.intstr.IntOrString`: which of the two, the number, the text. */
function intOrStringOf(bytes: Uint8Array, at: Position): number | string {
  const scalars = scalarsOf(bytes, at);
  const value = scalars.get(1) === 1n ? (scalars.get(3) ?? '') : (scalars.get(2) ?? 0n);
  return typeof value === 'bigint' ? integerOf(value, at) : value;
}

function jsonOf(bytes: Uint8Array, at: Position): unknown {
  const value = scalarsOf(bytes, at).get(1);
  try {
    return value === undefined ? undefined : (JSON.parse(String(value)) as unknown);
  } catch {
    throw new ProtobufError(`${at.path} is no JSON`);
  }
}

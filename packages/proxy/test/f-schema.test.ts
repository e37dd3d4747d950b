import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import * as accessLog from '../src/runtime-config/wire/access-log-schema.ts';
import * as cluster from '../src/runtime-config/wire/cluster-schema.ts';
import * as core from '../src/runtime-config/wire/core-schema.ts';
import * as endpoint from '../src/runtime-config/wire/endpoint-schema.ts';
import * as hashPolicy from '../src/runtime-config/wire/hash-policy-schema.ts';
import * as healthCheck from '../src/runtime-config/wire/health-check-schema.ts';
import * as manager from '../src/runtime-config/wire/http-connection-manager-schema.ts';
import * as httpFilter from '../src/runtime-config/wire/http-filter-schema.ts';
import * as listener from '../src/runtime-config/wire/listener-schema.ts';
import * as balancing from '../src/runtime-config/wire/load-balancing-schema.ts';
import * as matchPredicate from '../src/runtime-config/wire/match-predicate-schema.ts';
import * as matcher from '../src/runtime-config/wire/matcher-schema.ts';
import * as outlierDetection from '../src/runtime-config/wire/outlier-detection-schema.ts';
import * as retry from '../src/runtime-config/wire/retry-schema.ts';
import * as route from '../src/runtime-config/wire/route-schema.ts';
import type { AnyMessage, Field } from '../src/runtime-config/wire/schema.ts';
import * as session from '../src/runtime-config/wire/stateful-session-schema.ts';
import * as subset from '../src/runtime-config/wire/subset-schema.ts';
import * as tls from '../src/runtime-config/wire/tls-schema.ts';

/** The `.proto` files that the generated types are made from: the schemas must agree with them to the last field. */
const protos = join(
  dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')),
  'deps/envoy-api',
);
const schemas: AnyMessage[] = [
  accessLog,
  balancing,
  cluster,
  core,
  endpoint,
  hashPolicy,
  healthCheck,
  httpFilter,
  manager,
  listener,
  matcher,
  matchPredicate,
  outlierDetection,
  retry,
  route,
  session,
  subset,
  tls,
].flatMap((module) => Object.values(module).filter((value) => 'byNumber' in value));

interface ProtoField {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly repeated: boolean;
  readonly oneof: string | undefined;
}

/** Fields of each message of one `.proto` text, by the name of the message within its package. */
function parseProto(text: string): Map<string, ProtoField[]> {
  const plain = text
    .replaceAll(/\/\/[^\n]*/g, '')
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replaceAll(/\[(?:[^[\]]|\[[^\]]*\])*\]/g, '');
  const messages = new Map<string, ProtoField[]>();
  const stack: { readonly kind: string; readonly name: string }[] = [];
  const path = (): string =>
    stack
      .filter(({ kind }) => kind === 'message')
      .map(({ name }) => name)
      .join('.');
  for (const [, before = '', end] of plain.matchAll(/([^;{}]*)([;{}])/g)) {
    const statement = before.trim().replaceAll(/\s+/g, ' ');
    if (end === '{') {
      const [, kind = 'other', name = ''] = /^(message|enum|oneof) (\w+)/.exec(statement) ?? [];
      stack.push({ kind, name });
      if (kind === 'message') {
        messages.set(path(), []);
      }
    } else if (end === '}') {
      stack.pop();
    } else {
      const top = stack.at(-1);
      const field = /^(repeated )?(map<[^>]+>|[\w.]+) (\w+) = (\d+)/.exec(statement);
      if (field !== null && (top?.kind === 'message' || top?.kind === 'oneof') && !statement.startsWith('option')) {
        const [, repeated, type = '', name = '', number = ''] = field;
        const oneof = top.kind === 'oneof' ? top.name : undefined;
        messages.get(path())?.push({ name, number: Number(number), type, repeated: repeated !== undefined, oneof });
      }
    }
  }
  return messages;
}

/** What Envoy 1.40 has and the protos have not yet: fields by their numbers, or whole messages. */
const newer: Readonly<Record<string, readonly number[] | 'message'>> = {
  'envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig': [3],
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig': [4, 5, 6],
  'envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig.ZoneAwareLbConfig.ForceLocalZone': 'message',
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget': [3],
  'envoy.type.http.v3.Cookie': [4],
  'envoy.type.http.v3.CookieAttribute': 'message',
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSession': [3, 4],
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': [8, 9, 10, 11],
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.OutlierDetection': 'message',
};

function protoOf(schema: AnyMessage): ProtoField[] {
  const [, packageName = '', messageName = ''] = /^(.*\.v3)\.(.*)$/.exec(schema.name) ?? [];
  const folder = join(protos, ...packageName.split('.'));
  assert.ok(existsSync(folder), folder);
  for (const file of readdir(folder)) {
    const fields = parseProto(readFileSync(join(folder, file), 'utf8')).get(messageName);
    if (fields !== undefined) {
      return fields;
    }
  }
  throw new Error(`no proto has ${schema.name}`);
}

function readdir(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.proto'));
}

const wrappers: Readonly<Record<string, string>> = {
  'google.protobuf.BoolValue': 'boolValue',
  'google.protobuf.UInt32Value': 'uint32Value',
  'google.protobuf.UInt64Value': 'uint64Value',
  'google.protobuf.DoubleValue': 'doubleValue',
  'google.protobuf.Duration': 'duration',
  'google.protobuf.Struct': 'struct',
  'google.protobuf.Any': 'any',
};

function kindMatches(field: Field, proto: ProtoField): boolean {
  const type = /^map<string, (.+)>$/.exec(proto.type)?.[1] ?? proto.type;
  const wanted = wrappers[type];
  if (wanted !== undefined) {
    return field.kind === wanted;
  }
  if (type === 'int32') {
    // The same on the wire.
    return field.kind === 'int64';
  }
  if (/^(string|bytes|bool|uint32|int64|uint64|double)$/.test(type)) {
    return field.kind === type;
  }
  const name = field.message?.name;
  return name === undefined ? field.kind === 'enum' : name === type || name.endsWith(`.${type}`);
}

describe('wire schemas', () => {
  it('look at a good number of messages', () => {
    assert.ok(schemas.length > 60, String(schemas.length));
  });

  for (const schema of schemas.filter(({ name }) => name.startsWith('envoy.') && newer[name] !== 'message')) {
    it(`${schema.name} names every field of the proto, with its number, type and oneof`, () => {
      const fields = protoOf(schema);
      const numbers = [...schema.byNumber.keys(), ...schema.unsupported.keys()]
        .filter((number) => newer[schema.name]?.includes(number as never) !== true)
        .sort((a, b) => a - b);
      assert.deepEqual(
        numbers,
        fields.map(({ number }) => number).sort((a, b) => a - b),
      );
      for (const proto of fields) {
        const entry = schema.byNumber.get(proto.number);
        if (entry === undefined) {
          assert.equal(schema.unsupported.get(proto.number), proto.name);
          continue;
        }
        assert.equal(entry.key, proto.name);
        const shape = proto.repeated ? 'repeated' : proto.type.startsWith('map<') ? 'map' : 'single';
        assert.equal(entry.field.shape, shape, proto.name);
        assert.ok(kindMatches(entry.field, proto), `${proto.name}: ${proto.type} as ${entry.field.kind}`);
      }
      for (const group of schema.oneofs) {
        const oneofs = new Set(group.map((key) => fields.find(({ name }) => name === key)?.oneof));
        assert.equal(oneofs.size, 1, group.join());
        assert.ok(!oneofs.has(undefined), group.join());
      }
    });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../registry.ts';
import { type OpenApiSchema, openApiSchema } from './open-api-schema.ts';

function at(schema: OpenApiSchema, path: string): OpenApiSchema {
  return path.split('.').reduce<OpenApiSchema>((here, step) => {
    const next = step === '[]' ? here.items : step === '*' ? here.additionalProperties : here.properties?.[step];
    assert.ok(next, `${path}: nothing at ${step}`);
    return next;
  }, schema);
}

function walk(schema: OpenApiSchema, path: string, visit: (schema: OpenApiSchema, path: string) => void): void {
  visit(schema, path);
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    walk(child, `${path}.${name}`, visit);
  }
  if (schema.items !== undefined) {
    walk(schema.items, `${path}[]`, visit);
  }
  if (schema.additionalProperties !== undefined) {
    walk(schema.additionalProperties, `${path}{}`, visit);
  }
}

function schemaOf(name: string): OpenApiSchema {
  const kind = kinds.find((each) => each.kind === name);
  assert.ok(kind);
  return openApiSchema(kind);
}

const known = new Set([
  ...[
    'type',
    'description',
    'format',
    'enum',
    'default',
    'properties',
    'required',
    'additionalProperties',
    'items',
    'anyOf',
  ],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'],
  ...['pattern', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-list-type'],
  ...['x-kubernetes-list-map-keys', 'x-kubernetes-map-type', 'x-kubernetes-patch-strategy'],
  ...['x-kubernetes-patch-merge-key', 'x-kubernetes-group-version-kind'],
]);

test('every field of every kind has a description, and only keywords of OpenAPI and Kubernetes', () => {
  let fields = 0;
  for (const kind of kinds) {
    walk(openApiSchema(kind), kind.kind, (schema, path) => {
      fields += 1;
      assert.ok((schema.description ?? '').length > 5, `${path} has no description`);
      assert.deepEqual(
        Object.keys(schema).filter((key) => !known.has(key)),
        [],
        path,
      );
      assert.ok(
        schema.type !== undefined || schema['x-kubernetes-int-or-string'] === true,
        `${path} has no type: ${JSON.stringify(schema)}`,
      );
    });
  }
  assert.ok(fields > 1000, `${fields} fields looked at`);
});

test('every pattern ends soon on the worst texts that its bounds let through', () => {
  const tried = new Set<string>();
  for (const kind of kinds) {
    walk(openApiSchema(kind), kind.kind, ({ pattern, maxLength = 100_000 }) => {
      if (pattern === undefined || tried.has(`${pattern} ${maxLength}`)) {
        return;
      }
      tried.add(`${pattern} ${maxLength}`);
      for (const part of ['a', '-', 'a-', 'a.', '1h', 'a:', '/', '%20', '! ']) {
        // What takes exponential time does not come to an end here.
        new RegExp(pattern).test(`${part.repeat(maxLength / part.length - 1)}\u0000`);
      }
    });
  }
  assert.ok(tried.size > 15, `${tried.size} patterns`);
});

test('keys of merged lists are fields of their items', () => {
  let lists = 0;
  for (const kind of kinds) {
    walk(openApiSchema(kind), kind.kind, (schema, path) => {
      const keys = [
        ...(schema['x-kubernetes-list-map-keys'] ?? []),
        schema['x-kubernetes-patch-merge-key'] ?? [],
      ].flat();
      for (const key of keys) {
        lists += 1;
        assert.ok(schema.items?.properties?.[key], `${path}: items have no ${key}`);
      }
    });
  }
  assert.ok(lists > 20);
});

test('the group, version and kind are those asked for', () => {
  const kind = kinds.find((each) => each.kind === 'VirtualService');
  assert.ok(kind);
  assert.deepEqual(openApiSchema(kind, 'v1alpha3')['x-kubernetes-group-version-kind'], [
    { group: 'networking.istio.io', version: 'v1alpha3', kind: 'VirtualService' },
  ]);
});

test('core kinds merge as Kubernetes merges them', () => {
  const service = schemaOf('Service');
  const ports = at(service, 'spec.ports');
  assert.equal(ports['x-kubernetes-patch-merge-key'], 'port');
  assert.equal(ports['x-kubernetes-patch-strategy'], 'merge');
  assert.equal(ports['x-kubernetes-list-type'], 'map');
  assert.deepEqual(ports['x-kubernetes-list-map-keys'], ['port', 'protocol']);
  assert.equal(at(service, 'spec.ports.[].protocol').default, 'TCP');
  assert.equal(at(service, 'spec.selector')['x-kubernetes-map-type'], 'atomic');
  assert.equal(at(service, 'spec.externalIPs')['x-kubernetes-list-type'], 'atomic');
  assert.equal(at(service, 'spec.ports.[].targetPort')['x-kubernetes-int-or-string'], true);
  const owners = at(service, 'metadata.ownerReferences');
  assert.deepEqual(owners['x-kubernetes-list-map-keys'], ['uid']);
  assert.equal(owners['x-kubernetes-patch-merge-key'], 'uid');
  const finalizers = at(service, 'metadata.finalizers');
  assert.equal(finalizers['x-kubernetes-list-type'], 'set');
  assert.equal(finalizers['x-kubernetes-patch-strategy'], 'merge');
  assert.equal(at(schemaOf('ServiceAccount'), 'secrets')['x-kubernetes-patch-merge-key'], 'name');
  assert.equal(at(schemaOf('ClusterRole'), 'rules')['x-kubernetes-list-type'], 'atomic');
  assert.equal(at(schemaOf('Secret'), 'data.*').format, 'byte');
  assert.equal(at(service, 'metadata.creationTimestamp').format, 'date-time');
});

test('objects with free fields say so, others have no additionalProperties', () => {
  const schema = schemaOf('VirtualService');
  assert.equal(at(schema, 'status')['x-kubernetes-preserve-unknown-fields'], true);
  assert.equal(at(schema, 'spec').additionalProperties, undefined);
  assert.equal(at(schema, 'spec.http.[].match.[].headers').additionalProperties?.type, 'object');
});

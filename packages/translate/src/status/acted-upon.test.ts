import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindFor, type OpenApiSchema, openApiSchema } from '@weft/resources';
import { fieldTrees } from './acted-upon.ts';
import { FieldTree } from './field-tree.ts';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
}

/** Follows a path of the allow-list through a schema; undefined when the schema has no such field. */
function follow(schema: SchemaNode, path: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = schema;
  for (const segment of path) {
    if (segment === '[]') {
      node = node?.items;
    } else if (segment === '{}') {
      const values: SchemaNode | boolean | undefined = node?.additionalProperties;
      node = typeof values === 'object' ? values : undefined;
    } else {
      node = node?.properties?.[segment];
    }
  }
  return node;
}

for (const [name, tree] of fieldTrees) {
  test(`every field that ${name} is said to be acted upon by exists`, () => {
    const [group = '', kindName = ''] = name.split('/');
    const kind = ['v1', 'v1beta1', 'v1alpha1', 'v1alpha2']
      .map((version) => kindFor(group, version, kindName))
      .find((found) => found !== undefined);
    assert.ok(kind !== undefined, name);
    const schema = openApiSchema(kind) as OpenApiSchema & SchemaNode;
    for (const path of tree.paths()) {
      assert.ok(follow(schema, path) !== undefined, `${name} has no field ${path.join('.')}`);
    }
  });
}

test('a path that the schema does not have is noticed', () => {
  assert.equal(follow({ properties: { spec: { properties: { a: {} } } } }, ['spec', 'b']), undefined);
});

const tree = new FieldTree({
  'spec.name': true,
  'spec.list[].a': true,
  'spec.map{}': true,
  'spec.map{}.x': true,
  'spec.choice': (value) => value === 'yes',
});

test('fields that are not listed are reported, as high up as nothing below is known', () => {
  const object = {
    spec: {
      name: 'n',
      list: [{ a: 1 }, { a: 1, b: 2 }],
      map: { k: {}, l: { x: 1, y: { z: 2 } } },
      other: { deep: [1] },
    },
  };
  assert.deepEqual(tree.unsupported(object), ['spec.list[1].b', 'spec.map.l.y', 'spec.other']);
});

test('some values of a field can be acted upon and others not', () => {
  assert.deepEqual(tree.unsupported({ spec: { choice: 'yes' } }), []);
  assert.deepEqual(tree.unsupported({ spec: { choice: 'no' } }), ['spec.choice']);
});

test('a field that is there without a value is not reported', () => {
  assert.deepEqual(tree.unsupported({ spec: { other: undefined, list: [] } }), []);
});

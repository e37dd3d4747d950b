import assert from 'node:assert/strict';
import { test } from 'node:test';
import { structureOf } from '../schema/structure.ts';
import { applyStrategicMergePatch, maxComparisons } from './strategic-merge-patch.ts';

const structure = structureOf({
  type: 'object',
  properties: {
    ports: {
      type: 'array',
      items: { type: 'object', properties: { port: { type: 'integer' }, name: { type: 'string' } } },
      'x-kubernetes-patch-merge-key': 'port',
      'x-kubernetes-patch-strategy': 'merge',
    },
    finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
    plain: { type: 'array', items: { type: 'string' } },
    map: { type: 'object', additionalProperties: { type: 'string' } },
    union: { type: 'object', properties: { type: { type: 'string' }, a: { type: 'string' }, b: { type: 'string' } } },
  },
});

const apply = (target: unknown, patch: unknown): unknown => applyStrategicMergePatch(target, patch, structure);

test('lists are merged by key or as sets where the schema says so, and replaced elsewhere', () => {
  assert.deepEqual(
    apply({ ports: [{ port: 80, name: 'http' }, { port: 81 }] }, { ports: [{ port: 80, name: 'web' }, { port: 82 }] }),
    { ports: [{ port: 80, name: 'web' }, { port: 81 }, { port: 82 }] },
  );
  assert.deepEqual(apply({ finalizers: ['a'] }, { finalizers: ['a', 'b'] }), { finalizers: ['a', 'b'] });
  assert.deepEqual(apply({ plain: ['a'] }, { plain: ['b'] }), { plain: ['b'] });
  assert.deepEqual(apply({ map: { a: '1', b: '2' } }, { map: { a: null, c: '3' } }), { map: { b: '2', c: '3' } });
});

test('the directives delete, replace, keep and order', () => {
  const ports = [{ port: 80 }, { port: 81 }, { port: 82 }];
  assert.deepEqual(apply({ ports }, { ports: [{ port: 81, $patch: 'delete' }] }), {
    ports: [{ port: 80 }, { port: 82 }],
  });
  assert.deepEqual(apply({ ports }, { ports: [{ $patch: 'replace' }, { port: 9 }] }), { ports: [{ port: 9 }] });
  assert.deepEqual(apply({ map: { a: '1' } }, { map: { $patch: 'replace', b: '2' } }), { map: { b: '2' } });
  assert.deepEqual(apply({ map: { a: '1' } }, { map: { $patch: 'delete' } }), {});
  assert.deepEqual(apply({ finalizers: ['a', 'b'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] }), {
    finalizers: ['b'],
  });
  assert.deepEqual(
    apply({ union: { type: 'a', a: 'x' } }, { union: { $retainKeys: ['type', 'b'], type: 'b', b: 'y' } }),
    {
      union: { type: 'b', b: 'y' },
    },
  );
  assert.deepEqual(
    apply(
      { ports },
      {
        '$setElementOrder/ports': [{ port: 83 }, { port: 82 }, { port: 80 }],
        ports: [{ port: 83 }, { port: 81, $patch: 'delete' }],
      },
    ),
    { ports: [{ port: 83 }, { port: 82 }, { port: 80 }] },
  );
});

test('a malformed directive is refused with its place', () => {
  for (const [patch, path] of [
    [{ map: { $patch: 'upset' } }, 'map.$patch'],
    [{ ports: [{ name: 'no key' }] }, 'ports[0].port'],
    [{ ports: ['text'] }, 'ports[0]'],
    [{ '$deleteFromPrimitiveList/finalizers': 'a' }, '.$deleteFromPrimitiveList/finalizers'],
    [{ $retainKeys: 'a' }, '.$retainKeys'],
    [{ '$invented/x': [] }, '.$invented/x'],
    ['text', ''],
  ] as const) {
    assert.throws(() => apply({}, patch), { sort: 'malformed', path }, JSON.stringify(patch));
  }
});

test('lists that would take seconds to compare are refused, wherever a patch makes us compare', () => {
  const side = Math.floor(Math.sqrt(maxComparisons / 2));
  const ports = (count: number) => Array.from({ length: count }, (_, index) => ({ port: index }));
  const names = (count: number) => ports(count).map(({ port }) => `${port}`);
  const refused = { sort: 'malformed', message: /too long to be merged/ };
  assert.throws(() => apply({ ports: ports(side + 1) }, { ports: ports(side + 1) }), refused);
  assert.throws(() => apply({ finalizers: names(side + 1) }, { finalizers: names(side + 1) }), refused);
  const long = names(side + 1);
  assert.throws(() => apply({ finalizers: long }, { '$deleteFromPrimitiveList/finalizers': long }), refused);
  assert.throws(() => apply({ ports: ports(side + 1) }, { '$setElementOrder/ports': ports(side + 1) }), refused);
  assert.doesNotThrow(() => apply({ ports: ports(side) }, { ports: ports(side) }));
  assert.doesNotThrow(() => apply({ ports: ports(9_000) }, { ports: [{ $patch: 'replace' }, ...ports(9_000)] }));
  assert.doesNotThrow(() => apply({ plain: names(9_000) }, { plain: names(9_000) }));
});

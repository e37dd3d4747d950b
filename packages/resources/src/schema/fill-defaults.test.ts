import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flag, list, map, object, text } from './fields.ts';
import { fillDefaults } from './fill-defaults.ts';

const item = object('a', { kind: text('b', {}, { default: 'Service' }), name: text('c') });
const withInner = object('j', { inner: object('k', { a: text('l', {}, { default: 'b' }) }, [], { default: {} }) });

const schema = object('d', {
  kept: flag('e'),
  items: list('f', item, {}, { default: [{ name: 'x', kind: 'A' }] }),
  byName: map('g', item),
  inner: object('h', { mode: text('i', {}, { default: '' }) }),
});

test('defaults stand in for what is absent, inside of defaults and lists and maps as well', () => {
  const value = Object.freeze({ byName: { a: {} }, inner: {} });
  assert.deepEqual(fillDefaults(schema, value), {
    byName: { a: { kind: 'Service' } },
    inner: { mode: '' },
    items: [{ name: 'x', kind: 'A' }],
  });
  assert.deepEqual(fillDefaults(withInner, {}), { inner: { a: 'b' } });
  assert.deepEqual(fillDefaults(schema, { items: [] }), { items: [] });
  assert.deepEqual(fillDefaults(schema, { items: [{ kind: 'A' }, {}] }), {
    items: [{ kind: 'A' }, { kind: 'Service' }],
  });
});

test('what is complete comes back as it is', () => {
  const value = { kept: false, items: [{ kind: '', name: 'a' }], extra: { items: [{}] } };
  assert.equal(fillDefaults(schema, value), value);
  const odd: unknown = [null, 1];
  assert.equal(fillDefaults(schema, odd), odd);
});

test('a default is not shared with what it fills', () => {
  const first = fillDefaults(schema, {}) as { items: object[] };
  first.items.push({});
  assert.deepEqual(fillDefaults(schema, {}), { items: [{ name: 'x', kind: 'A' }] });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '@weft/base';
import { typeUrls } from '@weft/xds-types';
import { createSnapshot, encodeResource } from './create-snapshot.ts';
import type { EncodedResource } from './snapshot.ts';

const make = (name: string, text: string): EncodedResource =>
  encodeResource({ typeUrl: typeUrls.cluster, name, value: Buffer.from(text) });

test('equal content has an equal version, wherever and whenever it is made', () => {
  assert.equal(make('a', 'x').version, make('b', 'x').version);
  assert.notEqual(make('a', 'x').version, make('a', 'y').version);
  const aliased = encodeResource({ typeUrl: typeUrls.virtualHost, name: 'a', value: Buffer.from('x'), aliases: ['b'] });
  assert.notEqual(aliased.version, make('a', 'x').version);
});

test('a snapshot shares with the one before what is the same', () => {
  const one = createSnapshot(1, [make('a', 'x'), make('b', 'x')]);
  const two = createSnapshot(2, [make('b', 'x'), make('a', 'x')], one);
  assert.equal(two.resources.get(typeUrls.cluster), one.resources.get(typeUrls.cluster));
  const three = createSnapshot(3, [make('a', 'x'), make('b', 'y')], two);
  assert.notEqual(three.resources.get(typeUrls.cluster), two.resources.get(typeUrls.cluster));
  assert.equal(three.resources.get(typeUrls.cluster)?.get('a'), one.resources.get(typeUrls.cluster)?.get('a'));
});

test('one name twice is a bug of the caller', () => {
  assert.throws(() => createSnapshot(1, [make('a', 'x'), make('a', 'y')]), InvariantError);
});

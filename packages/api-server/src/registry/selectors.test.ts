import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from '../../test/support/memory-registry.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';

const object = configMap('a', { metadata: { labels: { app: 'web', tier: 'front', empty: '' } } });

test('label selectors choose as Kubernetes documents them', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web', true],
    ['app!=web', false],
    ['app!=other', true],
    ['missing!=x', true],
    ['app in (web, db)', true],
    ['app in (db)', false],
    ['app notin (web)', false],
    ['missing notin (web)', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['!app', false],
    ['empty=', true],
    ['empty in ()', true],
    ['app=web,tier=front', true],
    ['app=web,tier in (back,front),!missing', true],
    ['app=web,tier=back', false],
  ];
  for (const [selector, chosen] of cases) {
    assert.equal(parseLabelSelector(selector)(object), chosen, selector);
  }
});

test('a label selector that cannot be read is refused with 400', () => {
  for (const selector of [
    'a b',
    'app in web',
    '-x=1',
    'a=b=c d',
    'app in (a',
    `a=${'x'.repeat(64)}`,
    'x'.repeat(20_000),
  ]) {
    assert.throws(() => parseLabelSelector(selector), { code: 400 }, selector.slice(0, 20));
  }
});

test('field selectors choose by name, namespace and the fields of the kind', () => {
  assert.equal(parseFieldSelector('metadata.name=a', 'configmaps')(object), true);
  assert.equal(parseFieldSelector('metadata.name!=a', 'configmaps')(object), false);
  assert.equal(parseFieldSelector('metadata.name=a,metadata.namespace=other', 'configmaps')(object), false);
  const secret = { ...object, kind: 'Secret', type: 'Opaque' };
  assert.equal(parseFieldSelector('type=Opaque', 'secrets')(secret), true);
});

test('a field that a kind cannot be selected by is refused, with the ones it can', () => {
  assert.throws(() => parseFieldSelector('spec.x=1', 'configmaps'), { code: 400, message: /metadata\.name/ });
  assert.throws(() => parseFieldSelector('metadata.name', 'configmaps'), { code: 400 });
});

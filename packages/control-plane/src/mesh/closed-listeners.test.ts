import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedListeners } from './closed-listeners.ts';

test('a proxy says which of its listeners are closed; what it cannot know, or is no reason, is left out', () => {
  let changes = 0;
  const closed = new ClosedListeners(() => (changes += 1));
  const told = (said: unknown): readonly (readonly [string, string])[] => {
    closed.told('ns/p', said, (name) => name === 'mine');
    return [...closed.of('ns/p')];
  };
  assert.deepEqual(told({ mine: 'cannot bind', 'of-others': 'x' }), [['mine', 'cannot bind']]);
  assert.equal(changes, 1);
  assert.deepEqual(told({ mine: 'cannot bind' }), [['mine', 'cannot bind']]);
  assert.equal(changes, 1, 'nothing new');
  assert.deepEqual(told({ mine: 'x'.repeat(10_000) }), [['mine', 'x'.repeat(500)]]);
  for (const nothing of [{}, null, 'mine', 7, ['mine'], { mine: 1 }, { mine: null }]) {
    assert.deepEqual(told(nothing), []);
  }
  assert.equal(changes, 3);
  told({ mine: 'again' });
  closed.forget('ns/p');
  assert.deepEqual([...closed.of('ns/p')], []);
});

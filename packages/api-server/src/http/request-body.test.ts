import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxYamlLength, parseBody } from './request-body.ts';

const json = (text: string, depth = 64): unknown => parseBody(Buffer.from(text), 'application/json', depth);
const yaml = (text: string, depth = 64): unknown => parseBody(Buffer.from(text), 'application/apply-patch+yaml', depth);

test('JSON and YAML are read into plain values', () => {
  assert.deepEqual(json('{"a":[1,"\\"}{",null],"b":{"a":1}}'), { a: [1, '"}{', null], b: { a: 1 } });
  assert.deepEqual(yaml('a: [1, x]\nb: {c: yes}\n'), { a: [1, 'x'], b: { c: 'yes' } });
  assert.deepEqual(yaml(' {"a": 1}'), { a: 1 });
});

test('a key that stands twice in one object is refused with its path and line', () => {
  assert.throws(() => json('{"a":1,\n"b":{"x":1},\n"a":2}'), { code: 400, message: /"a" stands twice.*line 3/ });
  assert.throws(() => json('{"s":{"p":[1,{"x/y":0,"x/y":1}]}}'), { code: 400, message: /s\.p\[1\]\[x\/y\]: the key/ });
  assert.throws(() => json('{"a":1,"\\u0061":2}'), { code: 400, message: /stands twice/ });
  assert.throws(() => yaml('a: 1\nb: 2\na: 3\n'), { code: 400, message: /line 3/ });
  assert.deepEqual(json('[{"a":1},{"a":"a: a:"}]'), [{ a: 1 }, { a: 'a: a:' }]);
});

test('the key that JavaScript gives a meaning is refused', () => {
  assert.throws(() => json('{"metadata":{"labels":{"__proto__":{"x":1}}}}'), { code: 400, message: /__proto__/ });
  assert.throws(() => yaml('a:\n  __proto__:\n    x: 1\n'), { code: 400, message: /__proto__/ });
});

test('nesting deeper than the limit is refused', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.doesNotThrow(() => json(nested(64)));
  assert.throws(() => json(nested(65)), { code: 400, message: /deeper than 64/ });
  assert.throws(() => json(nested(500_000)), { code: 400 });
  assert.throws(() => yaml(`a: ${nested(65)}`), { code: 400, message: /nested too deep/ });
});

test('what is no JSON, YAML or UTF-8, and aliases, are refused', () => {
  for (const text of ['', '{', '{"a":}', '{"a":1}x', '{"a', 'nope', '"\\']) {
    assert.throws(() => json(text), { code: 400 }, text);
  }
  assert.throws(() => yaml('a: [1\n'), { code: 400 });
  assert.throws(() => yaml('a: &x [1]\nb: *x\n'), { code: 400 });
  assert.throws(() => yaml('a: 1\n---\nb: 2\n'), { code: 400 });
  assert.throws(() => parseBody(Buffer.of(0x22, 0xff, 0x22), 'application/json', 64), { code: 400, message: /UTF-8/ });
});

test('a body of quotes that never end is read in one pass', () => {
  assert.throws(() => json(`"${'\\"'.repeat(500_000)}`), { code: 400 });
  assert.throws(() => json('"'.repeat(999_999)), { code: 400 });
});

test('another media type is refused with those that are read', () => {
  assert.throws(() => parseBody(Buffer.from('<a/>'), 'text/xml', 64), { code: 415, message: /application\/json/ });
});

test('YAML that is not JSON has a lower limit of its own, because it is slow to read', () => {
  assert.doesNotThrow(() => yaml(`a: ${'x'.repeat(maxYamlLength - 10)}`));
  assert.throws(() => yaml(`a: ${'x'.repeat(maxYamlLength)}`), { code: 413 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Listener } from './listener-schema.ts';
import { parseJsonMessage } from './parse-json.ts';
import { Problems } from './problems.ts';
import type { JsonObject } from './schema.ts';

function parse(json: JsonObject): { readonly value: object; readonly problems: readonly string[] } {
  const problems = new Problems();
  const value = parseJsonMessage(Listener, json, problems);
  return { value, problems: problems.lines() };
}

test('JSON names and numbers of enums mean the same as proto names and names of values', () => {
  const proto = parse({ name: 'l', address: { socket_address: { port_value: 1 } }, drain_type: 'MODIFY_ONLY' });
  const json = parse({ name: 'l', address: { socketAddress: { portValue: 1 } }, drainType: 1 });
  assert.deepEqual(json, proto);
  assert.deepEqual(json.problems, []);
});

test('a field that is not supported may hold its zero value, and nothing else', () => {
  assert.deepEqual(parse({ name: 'l', enableMptcp: false }).problems, []);
  assert.match(parse({ name: 'l', enableMptcp: true }).problems.join(), /enable_mptcp: not supported/);
});

test('the same field under both names is refused', () => {
  assert.match(parse({ name: 'l', drainType: 0, drain_type: 'DEFAULT' }).problems.join(), /drain_type: is set twice/);
});

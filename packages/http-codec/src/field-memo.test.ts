import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldMemo } from './field-memo.ts';
import { HeadFields } from './head-fields.ts';
import { hashName, knownHeaderByName } from './known-header.ts';

function fieldsOf(...lines: readonly (readonly [string, string])[]): HeadFields {
  const fields = new HeadFields();
  for (const [name, value] of lines) {
    const start = fields.size;
    const line = Buffer.from(`${name}: ${value}\r\n`, 'latin1');
    fields.append(line, 0, line.length);
    const valueStart = start + name.length + 2;
    const lower = name.toLowerCase();
    fields.mark(
      start,
      start + name.length,
      valueStart,
      valueStart + value.length,
      hashName(lower),
      knownHeaderByName(lower),
    );
  }
  fields.fieldsEnd = fields.size;
  return fields;
}

test('a remembered field reads as `get` does, whatever came before and whatever was edited', () => {
  const heads = [
    fieldsOf(['User-Agent', 'a'], ['X-Own', '1']),
    fieldsOf(['User-Agent', 'a'], ['X-Own', '1']),
    fieldsOf(['user-agent', 'b'], ['x-own', '12']),
    fieldsOf(['X-Own', '1'], ['x-own', '2'], ['User-Agent', 'a'], ['User-Agent', 'b']),
    fieldsOf(),
    fieldsOf(['X-Own', ''], ['User-Agent', 'x'.repeat(5000)]),
    fieldsOf(['X-Own', ''], ['User-Agent', 'x'.repeat(5000)]),
  ];
  const added = fieldsOf(['X-Own', '1']);
  added.add('X-Own', 'more');
  added.add('user-agent', 'ours');
  const replaced = fieldsOf(['User-Agent', 'a'], ['X-Own', '1']);
  replaced.set('x-own', 'other');
  replaced.set('user-agent', 'other');
  const removed = fieldsOf(['User-Agent', 'a'], ['X-Own', '1']);
  removed.remove('x-own');
  removed.remove('user-agent');
  for (const name of ['user-agent', 'x-own', 'absent']) {
    const memo = new FieldMemo(name);
    for (const head of [...heads, added, replaced, removed, ...heads]) {
      assert.equal(memo.valueIn(head), head.get(name));
    }
    assert.equal(memo.valueIn({ get: () => 'elsewhere', forEach: () => {} }), 'elsewhere');
  }
});

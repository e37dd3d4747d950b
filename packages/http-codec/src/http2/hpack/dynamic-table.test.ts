import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@weft/testkit';
import { Column, DynamicTable } from './dynamic-table.ts';

function put(table: DynamicTable, name: string, value: string): boolean {
  const record = table.insert(name.length, value.length, name.length);
  if (record < 0) {
    return false;
  }
  table.bytes.write(`${name}: ${value}\r\n`, table.records[record] as number, 'latin1');
  return true;
}

function lineAt(table: DynamicTable, age: number): string {
  const record = table.recordOf(age);
  const start = table.records[record] as number;
  const length =
    (table.records[record + Column.nameLength] as number) + (table.records[record + Column.valueLength] as number) + 4;
  return table.bytes.toString('latin1', start, start + length);
}

test('an empty table takes no memory of its own', () => {
  const table = new DynamicTable(4096);
  assert.equal(table.bytes.length, 0);
  assert.equal(table.records.length, 0);
});

test('sizes are counted with 32 bytes an entry, and the oldest go first', () => {
  const table = new DynamicTable(100);
  assert.ok(put(table, 'a', '1'));
  assert.ok(put(table, 'b', '2'));
  assert.equal(table.size, 68);
  assert.ok(put(table, 'c', '3'));
  assert.equal(table.size, 68);
  assert.equal(table.count, 2);
  assert.equal(lineAt(table, 0), 'c: 3\r\n');
  assert.equal(lineAt(table, 1), 'b: 2\r\n');
});

test('an entry as large as the table stays alone; a larger one empties it (RFC 7541 §4.4)', () => {
  const table = new DynamicTable(100);
  put(table, 'a', '1');
  assert.ok(put(table, 'name', 'v'.repeat(64)));
  assert.equal(table.count, 1);
  assert.equal(table.size, 100);
  assert.equal(put(table, 'name', 'v'.repeat(65)), false);
  assert.equal(table.count, 0);
  assert.equal(table.size, 0);
});

test('a lower limit evicts at once, 0 all (RFC 7541 §4.3)', () => {
  const table = new DynamicTable(200);
  for (const name of ['a', 'b', 'c', 'd']) {
    put(table, name, '1');
  }
  table.setLimit(70);
  assert.equal(table.count, 2);
  assert.equal(lineAt(table, 1), 'c: 1\r\n');
  table.setLimit(0);
  assert.equal(table.count, 0);
  assert.equal(put(table, '', ''), false);
  table.setLimit(32);
  assert.ok(put(table, '', ''));
});

test('against a list: entries, sizes and bounds of memory hold through growth, wrap and change of limit', () => {
  const random = seededRandom(7);
  const table = new DynamicTable(4096);
  let limit = 4096;
  let model: string[] = [];
  const sizeOf = (line: string) => line.length - 4 + 32;
  for (let step = 0; step < 20_000; step += 1) {
    if (random() < 0.01) {
      limit = Math.floor(random() * 4097);
      table.setLimit(limit);
    } else {
      const name = 'n'.repeat(Math.floor(random() * 10));
      const value = String(step).repeat(Math.floor(random() ** 3 * 120));
      put(table, name, value);
      model.unshift(`${name}: ${value}\r\n`);
    }
    let size = 0;
    let fitting = 0;
    while (fitting < model.length && size + sizeOf(model[fitting] as string) <= limit) {
      size += sizeOf(model[fitting] as string);
      fitting += 1;
    }
    // What lies behind one that does not fit has gone as well.
    model = model.slice(0, fitting);
    assert.equal(table.size, size);
    assert.equal(table.count, model.length);
    assert.ok(table.bytes.length <= 8192 && table.records.length <= 128 * 8);
    if (model.length > 0) {
      const age = Math.floor(random() * model.length);
      assert.equal(lineAt(table, age), model[age]);
    }
  }
});

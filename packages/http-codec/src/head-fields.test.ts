import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadFields } from './head-fields.ts';
import { FieldScanner } from './http1/field-scanner.ts';
import { KnownHeader } from './known-header.ts';
import { OutputBuffer } from './output-buffer.ts';

function fieldsOf(text: string): HeadFields {
  const fields = new HeadFields();
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  fields.append(bytes, 0, bytes.length);
  const end = new FieldScanner().scan(fields.bytes, 0, 0, fields.size, fields, 1000);
  assert.equal(end, bytes.length);
  return fields;
}

function written(fields: HeadFields): string {
  const out = new OutputBuffer();
  fields.writeFields(out);
  let text = '';
  out.flush((bytes, length) => {
    text += bytes.toString('latin1', 0, length);
  });
  return text;
}

const original = 'Host: a\r\nX-One:1\r\nx-ONE:  2  \r\nAccept: */*\r\n';

test('what is not edited goes out byte for byte', () => {
  assert.equal(written(fieldsOf(original)), original);
});

test('values are found by name in any case, several joined', () => {
  const fields = fieldsOf(original);
  assert.equal(fields.get('x-one'), '1,2');
  assert.equal(fields.get('host'), 'a');
  assert.equal(fields.get('nothing'), undefined);
  assert.equal(fields.getKnown(KnownHeader.host, 'host'), 'a');
  assert.equal(fields.has('accept'), true);
});

test('removing takes every line of the name and leaves the others as they were', () => {
  const fields = fieldsOf(original);
  fields.remove('x-one');
  assert.equal(written(fields), 'Host: a\r\nAccept: */*\r\n');
  assert.equal(fields.get('x-one'), undefined);
  assert.equal(fields.has('x-one'), false);
});

test('a replaced value stays where the first line was', () => {
  const fields = fieldsOf(original);
  fields.set('X-One', 'new');
  assert.equal(written(fields), 'Host: a\r\nX-One:new\r\nAccept: */*\r\n');
  assert.equal(fields.get('x-one'), 'new');
});

test('added fields come last, and can be replaced and removed again', () => {
  const fields = fieldsOf(original);
  fields.add('X-New', '1');
  fields.add('x-new', '2');
  assert.equal(fields.get('x-new'), '1,2');
  fields.set('X-NEW', '3');
  assert.equal(written(fields), `${original}X-NEW: 3\r\n`);
  fields.remove('x-new');
  assert.equal(written(fields), original);
});

test('an edited field that is both received and added is one list', () => {
  const fields = fieldsOf(original);
  fields.add('accept', 'text/html');
  assert.equal(fields.get('accept'), '*/*,text/html');
  const lines: string[] = [];
  fields.forEach((name, value) => void lines.push(`${name}=${value}`));
  assert.deepEqual(lines, ['Host=a', 'X-One=1', 'x-ONE=2', 'Accept=*/*', 'accept=text/html']);
});

test('no value can begin a new line, whatever it is made of', () => {
  const fields = fieldsOf('Host: a\r\n');
  fields.add('X-A', 'a\r\nEvil: 1');
  fields.set('host', 'b\nEvil: 2');
  fields.add('X-B', 'Ċ\u{10a}č end');
  assert.equal(written(fields).split('\r\n').length, 4);
  assert.doesNotMatch(written(fields), /\n(?:Evil)|[^\r]\n|\r[^\n]/);
});

test('more fields than there is room for at first', () => {
  const text = Array.from({ length: 500 }, (_, index) => `X-${index}: ${index}\r\n`).join('');
  const fields = fieldsOf(text);
  assert.equal(fields.count, 500);
  fields.remove('x-250');
  assert.equal(written(fields), text.replace('X-250: 250\r\n', ''));
});

test('cleared fields hold nothing of the message before', () => {
  const fields = fieldsOf(original);
  fields.add('x', 'y');
  fields.remove('host');
  fields.clear();
  assert.equal(written(fields), '');
  assert.equal(fields.get('x'), undefined);
  assert.equal(fields.get('accept'), undefined);
});

test('a name that only hashes like a known one is not taken for it', () => {
  // `v'` has the hash of `te`.
  const fields = fieldsOf("v': x\r\nHost: a\r\n");
  assert.equal(fields.idAt(0), KnownHeader.unknown);
  assert.equal(fields.idAt(1), KnownHeader.host);
});

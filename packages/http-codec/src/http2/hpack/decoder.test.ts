import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  block,
  decodeBlock,
  huffman,
  indexed,
  integer,
  literal,
  newDecoder,
  sizeUpdate,
  string,
} from '../../../test/hpack-blocks.ts';
import { HeadFields } from '../../head-fields.ts';
import { KnownHeader } from '../../known-header.ts';
import type { FieldSection } from './pseudo-fields.ts';

const get = Buffer.concat([indexed(2), indexed(6), indexed(4)]);

function concat(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

describe('a request', () => {
  test('becomes lines that can be copied into HTTP/1.1, host first', () => {
    const bytes = concat(
      get,
      literal(1, 'a.test:80'),
      literal('x-one', '1', 'indexing'),
      literal('accept', ''),
      indexed(62),
    );
    const { fields, pseudo, result } = decodeBlock(newDecoder(), bytes);
    assert.equal(result, 'ok');
    assert.equal(
      fields.bytes.toString('latin1', fields.fieldsStart, fields.fieldsEnd),
      'host: a.test:80\r\nx-one: 1\r\naccept: \r\nx-one: 1\r\n',
    );
    assert.equal(fields.count, 4);
    assert.equal(fields.get('x-one'), '1,1');
    assert.equal(fields.get('accept'), '');
    assert.equal(fields.getKnown(KnownHeader.host, 'host'), 'a.test:80');
    assert.deepEqual(
      { ...pseudo },
      { method: 'GET', scheme: 'http', authority: 'a.test:80', path: '/', protocol: undefined, status: 0 },
    );
  });

  test('is put behind a start line that is there already', () => {
    const fields = new HeadFields();
    fields.append(Buffer.from('GET / HTTP/1.1\r\n'), 0, 16);
    decodeBlock(newDecoder(), concat(get, literal('a', 'b')), 'request', fields);
    assert.equal(fields.fieldsStart, 16);
    assert.equal(fields.bytes.toString('latin1', 0, fields.size), 'GET / HTTP/1.1\r\na: b\r\n');
  });

  test('gives the same string for the same value of a pseudo field', () => {
    const decoder = newDecoder();
    const bytes = concat(indexed(2), indexed(7), literal(4, '/some/path'), literal(1, 'b.test'));
    const one = decodeBlock(decoder, bytes).pseudo;
    const two = decodeBlock(decoder, bytes).pseudo;
    assert.deepEqual({ ...one }, { ...two });
    assert.equal(one.path, '/some/path');
  });

  test('knows names that came as literals, by index, and from both tables', () => {
    const decoder = newDecoder();
    const first = decodeBlock(
      decoder,
      concat(
        get,
        literal('x-request-id', 'a', 'indexing'),
        literal(62, 'b'),
        literal(28, '3'),
        literal(31, 'text/x', 'indexing'),
      ),
    );
    assert.deepEqual(
      Array.from({ length: 4 }, (_, index) => first.fields.idAt(index)),
      [KnownHeader.xRequestId, KnownHeader.xRequestId, KnownHeader.contentLength, KnownHeader.contentType],
    );
    const second = decodeBlock(decoder, concat(get, indexed(63), indexed(62)));
    assert.deepEqual(second.lines, ['x-request-id: a', 'content-type: text/x']);
    assert.equal(second.fields.idAt(0), KnownHeader.xRequestId);
  });

  test('host beside :authority is dropped when it says the same, in any case', () => {
    const bytes = concat(get, literal(1, 'A.test:80'), literal(38, 'a.TEST:80'), literal('x', 'y'));
    assert.deepEqual(decodeBlock(newDecoder(), bytes).lines, ['host: A.test:80', 'x: y']);
    for (const other of ['b.test:80', 'a.test', 'a.test:8080', 'a.test[80']) {
      const { result, problem } = decodeBlock(newDecoder(), concat(get, literal(1, 'a.test:80'), literal(38, other)));
      assert.deepEqual([result, problem], ['malformed', 'host differs from :authority']);
    }
  });

  test('host without :authority, or with an empty one, stays; twice it is malformed', () => {
    assert.deepEqual(decodeBlock(newDecoder(), concat(get, literal(38, 'a'))).lines, ['host: a']);
    assert.deepEqual(decodeBlock(newDecoder(), concat(get, literal(1, ''), literal(38, 'a'))).lines, ['host: a']);
    assert.equal(decodeBlock(newDecoder(), concat(get, literal(38, 'a'), literal(38, 'a'))).problem, 'host twice');
  });

  test('crumbs of a cookie are joined, from literals and from the table, next to each other or apart', () => {
    const decoder = newDecoder();
    const crumbs = concat(
      get,
      literal(32, 'a=1', 'indexing'),
      literal(32, 'b=2'),
      indexed(62),
      literal(32, `c=${'3'.repeat(100)}`),
      literal('x', 'y'),
    );
    const together = decodeBlock(decoder, crumbs);
    assert.deepEqual(together.lines, [`cookie: a=1; b=2; a=1; c=${'3'.repeat(100)}`, 'x: y']);
    assert.equal(together.fields.count, 2);
    const apart = decodeBlock(decoder, concat(crumbs, indexed(62), indexed(62)));
    assert.deepEqual(apart.lines, [`cookie: a=1; b=2; a=1; c=${'3'.repeat(100)}; a=1; a=1`, 'x: y']);
  });

  test('passes the wish on that a field be never indexed', () => {
    const bytes = concat(
      get,
      literal('x', 'y'),
      literal('token', 's', 'never'),
      literal(32, 'a=1'),
      literal(32, 'b=2', 'never'),
    );
    const { fields } = decodeBlock(newDecoder(), bytes);
    assert.deepEqual(
      Array.from({ length: fields.count }, (_, index) => fields.isNeverIndexed(index)),
      [false, true, true],
    );
  });
});

describe('malformed (RFC 9113 §8.2, §8.3), with the table kept in step', () => {
  const cases: readonly (readonly [string, FieldSection, Buffer, string])[] = [
    ['capital letter in a name', 'request', literal('X-a', 'b'), 'invalid field name'],
    ['the same, Huffman coded', 'request', literal('X-a', 'b', 'plain', true), 'invalid field name'],
    ['empty name', 'request', literal('', 'b'), 'invalid field name'],
    ['colon inside a name', 'request', literal('a:b', 'c'), 'invalid field name'],
    ['only a colon', 'request', literal(':', 'c'), 'invalid field name'],
    ['blank in a name', 'request', literal('a b', 'c'), 'invalid field name'],
    ['CRLF in a name', 'request', literal('a\r\nb', 'c'), 'invalid field name'],
    ['high byte in a name', 'request', literal('a\xe9', 'c'), 'invalid field name'],
    ['NUL in a value', 'request', literal('a', 'b\0c'), 'invalid field value'],
    ['CR in a value', 'request', literal('a', 'b\rc'), 'invalid field value'],
    ['LF in a value', 'request', literal('a', 'b\nc'), 'invalid field value'],
    ['the same, Huffman coded', 'request', literal('a', 'b\nc', 'plain', true), 'invalid field value'],
    ['DEL in a value', 'request', literal('a', 'b\x7f'), 'invalid field value'],
    ['blank before a value', 'request', literal('a', ' b'), 'field value with blank at its edge'],
    ['tab behind a value', 'request', literal('a', 'b\t'), 'field value with blank at its edge'],
    ['a value that is a blank', 'trailers', literal('a', ' '), 'field value with blank at its edge'],
    ['connection', 'request', literal('connection', 'close'), 'connection-specific field'],
    ['keep-alive', 'response', literal('keep-alive', '1'), 'connection-specific field'],
    ['proxy-connection', 'request', literal('proxy-connection', 'close'), 'connection-specific field'],
    ['transfer-encoding by index', 'request', literal(57, 'chunked'), 'connection-specific field'],
    ['transfer-encoding without value', 'request', indexed(57), 'connection-specific field'],
    ['upgrade', 'trailers', literal('upgrade', 'h2c'), 'connection-specific field'],
    ['te: gzip', 'request', literal('te', 'gzip'), 'te other than trailers'],
    ['te: trailers, gzip', 'request', literal('te', 'trailers, gzip'), 'te other than trailers'],
    ['unknown pseudo field', 'request', literal(':test', 'x'), 'unknown pseudo field'],
    [':status in a request', 'request', indexed(8), 'pseudo field that does not belong here'],
    [':path in a response', 'response', indexed(4), 'pseudo field that does not belong here'],
    ['pseudo field in trailers', 'trailers', indexed(2), 'pseudo field that does not belong here'],
    ['two methods', 'request', concat(indexed(2), indexed(3)), 'pseudo field twice'],
    ['two paths', 'request', concat(indexed(4), indexed(4)), 'pseudo field twice'],
    ['two schemes', 'request', concat(indexed(6), indexed(7)), 'pseudo field twice'],
    ['two authorities', 'request', concat(literal(1, 'a'), literal(1, 'a')), 'pseudo field twice'],
    ['two protocols', 'request', concat(literal(':protocol', 'a'), literal(':protocol', 'a')), 'pseudo field twice'],
    ['two statuses', 'response', concat(indexed(8), indexed(9)), 'pseudo field twice'],
    [
      'pseudo field behind another',
      'request',
      concat(literal('a', 'b'), indexed(4)),
      'pseudo field after a regular one',
    ],
    ['method that is no token', 'request', literal(2, 'GET /'), 'invalid field value'],
    ['empty method', 'request', literal(2, ''), 'invalid field value'],
    ['scheme with a colon', 'request', literal(6, 'http://a'), 'invalid field value'],
    ['blank in a path', 'request', literal(4, '/ HTTP/1.1'), 'invalid field value'],
    ['CRLF in a path', 'request', literal(4, '/\r\nx: y'), 'invalid field value'],
    ['fragment in a path', 'request', literal(4, '/#a'), 'invalid field value'],
    ['user in an authority', 'request', literal(1, 'a@b'), 'invalid field value'],
    ['CRLF in an authority', 'request', literal(1, 'a\r\nx: y'), 'invalid field value'],
    ['blank in an authority', 'request', literal(1, 'a b'), 'invalid field value'],
    ['protocol with a blank', 'request', literal(':protocol', 'a b'), 'invalid field value'],
    ['status of two digits', 'response', literal(8, '20'), 'invalid field value'],
    ['status 099', 'response', literal(8, '099'), 'invalid field value'],
    ['status with a sign', 'response', literal(8, '+20'), 'invalid field value'],
  ];
  for (const [what, section, bytes, expected] of cases) {
    test(what, () => {
      const decoder = newDecoder();
      const { result, problem } = decodeBlock(
        decoder,
        concat(bytes, literal('kept', 'after', 'indexing'), literal('b', 'c')),
        section,
      );
      assert.deepEqual([result, problem], ['malformed', expected]);
      assert.deepEqual(decodeBlock(decoder, indexed(62), 'trailers').lines, ['kept: after']);
    });
  }

  test('an entry that is malformed stays so, and so does its name', () => {
    const decoder = newDecoder();
    decodeBlock(decoder, concat(literal('X', 'y', 'indexing'), literal('a', 'b\nc', 'indexing')));
    assert.equal(decodeBlock(decoder, indexed(63), 'trailers').problem, 'invalid field name');
    assert.equal(decodeBlock(decoder, literal(63, 'fine'), 'trailers').problem, 'invalid field name');
    assert.equal(decodeBlock(decoder, indexed(62), 'trailers').problem, 'invalid field value');
    assert.deepEqual(decodeBlock(decoder, literal(62, 'fine'), 'trailers').lines, ['a: fine']);
  });

  test('te: trailers and an empty value are fine', () => {
    const bytes = concat(get, literal('te', 'trailers'), literal('x', ''));
    assert.deepEqual(decodeBlock(newDecoder(), bytes).lines, ['te: trailers', 'x: ']);
  });
});

describe('limits', () => {
  test('maxHeadBytes: names and values to the byte, pseudo fields included', () => {
    const bytes = concat(indexed(2), literal('name', 'v'.repeat(20)));
    assert.equal(decodeBlock(newDecoder({ maxHeadBytes: 34 }), bytes).result, 'ok');
    const { result, problem } = decodeBlock(newDecoder({ maxHeadBytes: 33 }), bytes);
    assert.deepEqual([result, problem], ['too-large', 'head too large']);
  });

  test('maxFields counts lines; crumbs of one cookie are one', () => {
    const lines = concat(get, literal(1, 'a'), literal('a', 'b'), literal(32, 'c=1'), literal(32, 'd=1'));
    assert.equal(decodeBlock(newDecoder({ maxFields: 3 }), lines).result, 'ok');
    assert.deepEqual(decodeBlock(newDecoder({ maxFields: 2 }), lines).problem, 'too many fields');
    assert.deepEqual(decodeBlock(newDecoder({ maxFields: 0 }), concat(get, literal(1, 'a'))).result, 'too-large');
  });

  test('a bomb (one large entry, often) ends at the limit: what is kept stays small and the table in step', () => {
    const decoder = newDecoder();
    const bomb = concat(
      literal('bomb', 'b'.repeat(4000), 'indexing'),
      Buffer.alloc(50_000, 0xbe),
      literal('x', 'y', 'indexing'),
    );
    const fields = new HeadFields();
    const { result } = decodeBlock(decoder, bomb, 'trailers', fields);
    assert.equal(result, 'too-large');
    assert.ok(fields.bytes.length < 256 * 1024, `${fields.bytes.length} bytes`);
    assert.deepEqual(decodeBlock(decoder, indexed(62), 'trailers').lines, ['x: y']);
    assert.deepEqual(decodeBlock(decoder, indexed(63), 'trailers').lines, [`bomb: ${'b'.repeat(4000)}`]);
  });

  test('literals of a head that is too large are read but not kept', () => {
    const decoder = newDecoder({ maxHeadBytes: 1000 });
    const fields = new HeadFields();
    const long = literal('a', 'b'.repeat(900));
    const bytes = concat(...Array.from({ length: 60 }, () => long), literal('x', 'y', 'indexing'));
    assert.equal(decodeBlock(decoder, bytes, 'trailers', fields).result, 'too-large');
    assert.ok(fields.size <= 1100);
    assert.deepEqual(decodeBlock(decoder, indexed(62), 'trailers').lines, ['x: y']);
  });
});

describe('compression errors', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['index 0', indexed(0), 'index 0'],
    ['index beyond the tables', indexed(62), 'index beyond the tables'],
    ['a large index', indexed(100_000), 'index beyond the tables'],
    ['name index beyond the tables', literal(62, 'x'), 'index beyond the tables'],
    ['name index beyond the tables, indexing', literal(70, 'x', 'indexing'), 'index beyond the tables'],
    ['integer that never ends', Buffer.from([0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), 'invalid integer'],
    ['integer cut off', Buffer.from([0xff, 0x80]), 'invalid integer'],
    ['integer above 2^31 - 1', integer(0x80, 7, 2 ** 31 + 126), 'invalid integer'],
    ['name index cut off', Buffer.from([0x7f]), 'invalid integer'],
    ['size update cut off', Buffer.from([0x3f]), 'invalid integer'],
    ['no name', Buffer.from([0x40]), 'truncated'],
    ['no value', Buffer.from([0x44]), 'truncated'],
    ['name longer than the block', Buffer.from([0x40, 0x05, 0x61]), 'truncated'],
    ['value longer than the block', Buffer.from([0x04, 0x05, 0x61]), 'truncated'],
    ['length cut off', Buffer.from([0x04, 0x7f]), 'invalid integer'],
    ['length of 2 GiB', concat(Buffer.from([0x04]), integer(0, 7, 2 ** 31 - 1)), 'truncated'],
    ['Huffman padding of zeros', Buffer.from([0x04, 0x81, 0x00]), 'invalid Huffman code'],
    ['Huffman padding of a byte', Buffer.from([0x04, 0x82, 0x07, 0xff]), 'invalid Huffman code'],
    ['EOS', Buffer.from([0x04, 0x84, 0xff, 0xff, 0xff, 0xff]), 'invalid Huffman code'],
    ['EOS in a name', Buffer.from([0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]), 'invalid Huffman code'],
    ['size update above the announced size', sizeUpdate(4097), 'table size above the announced one'],
    ['size update behind a field', concat(get, sizeUpdate(100)), 'table size update inside a block'],
  ];
  for (const [what, bytes, expected] of cases) {
    test(what, () => {
      const { result, problem } = decodeBlock(newDecoder(), bytes);
      assert.deepEqual([result, problem], ['compression-error', expected]);
    });
  }

  test('they count more than a malformed message or a limit', () => {
    const { result } = decodeBlock(newDecoder({ maxHeadBytes: 1 }), concat(literal('X', 'y'), indexed(0)), 'trailers');
    assert.equal(result, 'compression-error');
  });

  test('an integer may be written with more bytes than it needs, as long as they are few', () => {
    const decoder = newDecoder();
    const two = Buffer.from([0x7f & 0x0f, 0x80, 0x80, 0x80, 0x80, 0x00]);
    assert.equal(decodeBlock(decoder, concat(two, string('x')), 'trailers').result, 'ok', 'name index 15');
  });
});

describe('size of the table', () => {
  test('updates at the beginning of a block, several too', () => {
    const decoder = newDecoder();
    decodeBlock(decoder, literal('a', 'b', 'indexing'), 'trailers');
    assert.deepEqual(decodeBlock(decoder, concat(sizeUpdate(4096), indexed(62)), 'trailers').lines, ['a: b']);
    const emptied = concat(sizeUpdate(0), sizeUpdate(4096), literal('c', 'd', 'indexing'));
    assert.deepEqual(decodeBlock(decoder, emptied, 'trailers').lines, ['c: d']);
    assert.equal(decodeBlock(decoder, indexed(63), 'trailers').result, 'compression-error');
  });

  test('after a lower SETTINGS the next block must begin with an update (RFC 7541 §4.2)', () => {
    const strict = newDecoder();
    decodeBlock(strict, literal('a', 'b', 'indexing'), 'trailers');
    strict.setMaxTableBytes(1000);
    const missing = decodeBlock(strict, indexed(62), 'trailers');
    assert.deepEqual([missing.result, missing.problem], ['compression-error', 'no table size update after SETTINGS']);
    const obeyed = newDecoder();
    decodeBlock(obeyed, literal('a', 'b', 'indexing'), 'trailers');
    obeyed.setMaxTableBytes(1000);
    assert.equal(decodeBlock(obeyed, concat(sizeUpdate(1000), indexed(62)), 'trailers').result, 'ok');
    assert.equal(decodeBlock(obeyed, indexed(62), 'trailers').result, 'ok');
    assert.equal(decodeBlock(obeyed, sizeUpdate(1001), 'trailers').result, 'compression-error');
  });

  test('a larger announced table is used only once the peer says so', () => {
    const decoder = newDecoder({ maxTableBytes: 65_536 });
    decoder.setMaxTableBytes(65_536);
    const large = literal('a', 'b'.repeat(3000), 'indexing');
    decodeBlock(decoder, concat(large, large), 'trailers');
    assert.equal(decodeBlock(decoder, indexed(63), 'trailers').result, 'compression-error');
    const other = newDecoder({ maxTableBytes: 65_536 });
    assert.equal(decodeBlock(other, concat(sizeUpdate(65_536), large, large, indexed(63)), 'trailers').result, 'ok');
  });

  test('an entry may replace the one that lent it its name', () => {
    const decoder = newDecoder();
    const long = 'v'.repeat(3000);
    decodeBlock(decoder, literal('lender', long, 'indexing'), 'trailers');
    assert.deepEqual(decodeBlock(decoder, literal(62, `${long}2`, 'indexing'), 'trailers').lines, [`lender: ${long}2`]);
    assert.deepEqual(decodeBlock(decoder, indexed(62), 'trailers').lines, [`lender: ${long}2`]);
    assert.equal(decodeBlock(decoder, literal(62, 'v'.repeat(5000), 'indexing'), 'trailers').result, 'ok');
    assert.equal(
      decodeBlock(decoder, indexed(62), 'trailers').result,
      'compression-error',
      'too large: the table is empty',
    );
  });
});

test('long values, plain and Huffman coded, grow the head', () => {
  const value = 'value '.repeat(9000).trim();
  const bytes = concat(literal('a', value), literal('b', '1'));
  assert.deepEqual(decodeBlock(newDecoder(), bytes, 'trailers').lines, [`a: ${value}`, 'b: 1']);
  const coded = literal('a', value, 'plain', true);
  assert.deepEqual(decodeBlock(newDecoder(), coded, 'trailers').lines, [`a: ${value}`]);
  assert.ok(huffman(value).length < value.length);
});

test('a block without fields is ok', () => {
  assert.equal(decodeBlock(newDecoder(), Buffer.alloc(0), 'trailers').result, 'ok');
  assert.deepEqual(decodeBlock(newDecoder(), block([]), 'request').lines, []);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decodeBlock,
  encodeRequest,
  fieldsOf,
  literal,
  newDecoder,
  type SampleHead,
} from '../../../test/hpack-blocks.ts';
import { HeadFields } from '../../head-fields.ts';
import { FieldBlock, HpackEncoder } from './encoder.ts';

type Fields = SampleHead['fields'];

const head: SampleHead = { method: 'GET', scheme: 'https', authority: 'a.test', path: '/', fields: [] };

/** Encodes only fields; a copy of the block. */
function encodeFields(encoder: HpackEncoder, fields: HeadFields): Buffer {
  const out = new FieldBlock();
  encoder.begin(out);
  encoder.fields(fields);
  return Buffer.from(out.bytes.subarray(0, out.length));
}

function roundTrip(fields: HeadFields): readonly string[] {
  const { lines, result, problem } = decodeBlock(newDecoder(), encodeFields(new HpackEncoder(), fields), 'trailers');
  assert.equal(result, 'ok', problem);
  return lines;
}

describe('a repeated head', () => {
  const fields: Fields = [
    ['user-agent', 'tester/1.0'],
    ['accept', '*/*'],
    ['accept-encoding', 'gzip, deflate'],
    ['x-custom', 'the same'],
    ['content-length', '12'],
  ];

  test('shrinks to one byte a field from its third time on', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const sample = { ...head, path: '/some/path?with=query', fields };
    const lengths = Array.from({ length: 4 }, () => {
      const bytes = encodeRequest(encoder, sample);
      const { pseudo, lines } = decodeBlock(decoder, bytes);
      assert.equal(pseudo.path, sample.path);
      assert.deepEqual(lines, ['host: a.test', ...fields.map(([name, value]) => `${name}: ${value}`)]);
      return bytes.length;
    });
    assert.equal(lengths[2], 9);
    assert.equal(lengths[3], 9);
    assert.ok((lengths[1] as number) < (lengths[0] as number));
  });

  test('is found in any case of its names, and with edits', () => {
    const encoder = new HpackEncoder();
    encodeFields(encoder, fieldsOf([['user-agent', 'tester/1.0']]));
    assert.equal(encodeFields(encoder, fieldsOf([['User-Agent', 'tester/1.0']])).length, 1);
    const added = new HeadFields();
    added.add('User-Agent', 'tester/1.0');
    assert.equal(encodeFields(encoder, added).length, 1);
    const replaced = fieldsOf([['User-agent', 'other']]);
    replaced.set('user-agent', 'tester/1.0');
    assert.equal(encodeFields(encoder, replaced).length, 1);
  });

  test('is made of the static table where that has the whole field', () => {
    const bytes = encodeRequest(new HpackEncoder(), { ...head, fields: [['accept-encoding', 'gzip, deflate']] });
    assert.equal(bytes.subarray(0, 2).toString('hex'), '8287');
    assert.equal(bytes.subarray(-2).toString('hex'), '8490');
  });
});

describe('what goes into the table', () => {
  test('a value that never repeats does not, but a name is kept to refer to', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const lengths: number[] = [];
    for (let index = 100; index < 300; index += 1) {
      const bytes = encodeFields(
        encoder,
        fieldsOf([
          ['x-request-id', `id-${index}`],
          ['x-unique', `u-${index}`],
        ]),
      );
      lengths.push(bytes.length);
      assert.deepEqual(decodeBlock(decoder, bytes, 'trailers').lines, [
        `x-request-id: id-${index}`,
        `x-unique: u-${index}`,
      ]);
    }
    assert.ok(lengths.every((length, index) => index === 0 || length === lengths[1]));
    const stable = encodeFields(encoder, fieldsOf([['accept', '*/*']]));
    assert.equal(stable[0], 0x40 | 19);
    assert.equal(encodeFields(encoder, fieldsOf([['accept', '*/*']])).length, 1);
  });

  test('secrets never: the name is known, the value is marked', () => {
    const encoder = new HpackEncoder();
    for (const name of ['authorization', 'cookie', 'proxy-authorization', 'set-cookie']) {
      for (let time = 0; time < 3; time += 1) {
        const bytes = encodeFields(encoder, fieldsOf([[name, 'secret']]));
        assert.equal((bytes[0] as number) & 0xf0, 0x10, name);
        const { fields } = decodeBlock(newDecoder(), bytes, 'trailers');
        assert.ok(fields.isNeverIndexed(0));
      }
    }
  });

  test('what came marked as never indexed goes on so, edited or not, though the table knows it', () => {
    const encoder = new HpackEncoder();
    encodeFields(encoder, fieldsOf([['accept', 'secret']]));
    const marked = fieldsOf([['accept', 'secret']]);
    marked.markNeverIndexed();
    assert.equal(encodeFields(encoder, marked).toString('latin1'), '\x1f\x04\x06secret');
    marked.set('accept', 'other');
    assert.equal(encodeFields(encoder, marked).toString('latin1'), '\x1f\x04\x05other');
    marked.clear();
    assert.equal(marked.isNeverIndexed(0), false);
  });

  test('nor a path that came so', () => {
    const bytes = Buffer.concat([literal(4, '/secret', 'never'), literal(':protocol', 'x', 'never')]);
    const { fields, pseudo } = decodeBlock(newDecoder(), bytes);
    assert.equal(fields.targetNeverIndexed, true);
    const encoder = new HpackEncoder();
    const out = new FieldBlock();
    for (let time = 0; time < 3; time += 1) {
      encoder.begin(out);
      encoder.path(pseudo.path ?? '', fields.targetNeverIndexed);
      assert.equal(out.bytes.toString('latin1', 0, out.length), '\x14\x07/secret');
    }
    encoder.begin(out);
    encoder.path('/', true);
    assert.equal(out.bytes.toString('latin1', 0, out.length), '\x14\x01/');
    const copy = new HeadFields();
    copy.copyFrom(fields);
    assert.equal(copy.targetNeverIndexed, true);
    copy.clear();
    assert.equal(copy.targetNeverIndexed, false);
  });

  test('nothing that would take half of the table', () => {
    const encoder = new HpackEncoder();
    const long = fieldsOf([['accept', 'a'.repeat(2100)]]);
    encodeFields(encoder, fieldsOf([['accept', '*/*']]));
    for (let time = 0; time < 3; time += 1) {
      assert.equal((encodeFields(encoder, long)[0] as number) & 0xf0, 0);
    }
    assert.equal(encodeFields(encoder, fieldsOf([['accept', '*/*']])).length, 1);
  });
});

describe('fields of the connection', () => {
  const dropped = [
    'Host',
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
  ] as const;

  test('are left out, received or added', () => {
    const fields = fieldsOf([...dropped.map((name) => [name, 'x'] as const), ['Kept', 'y']]);
    for (const name of dropped) {
      fields.add(name, 'x');
    }
    assert.deepEqual(roundTrip(fields), ['kept: y']);
  });

  test('te keeps trailers only', () => {
    assert.deepEqual(roundTrip(fieldsOf([['TE', 'trailers']])), ['te: trailers']);
    assert.deepEqual(roundTrip(fieldsOf([['TE', 'gzip;q=0.5, Trailers']])), ['te: trailers']);
    assert.deepEqual(roundTrip(fieldsOf([['TE', 'gzip']])), []);
    assert.deepEqual(roundTrip(fieldsOf([['TE', 'xtrailers']])), []);
    const added = new HeadFields();
    added.add('te', 'trailers');
    assert.deepEqual(roundTrip(added), ['te: trailers']);
  });
});

describe('edits', () => {
  test('removed, replaced and added fields', () => {
    const fields = fieldsOf([
      ['X-One', '1'],
      ['X-Two', '2'],
      ['X-Three', '3'],
    ]);
    fields.remove('x-one');
    fields.set('x-two', 'zwei');
    fields.add('X-Four', '4');
    fields.addClean('x-five', '');
    assert.deepEqual(roundTrip(fields), ['x-two: zwei', 'x-three: 3', 'x-four: 4', 'x-five: ']);
  });

  test('long texts', () => {
    const fields = fieldsOf([['a', '1']]);
    const long = 'w'.repeat(9000);
    fields.set('a', long);
    fields.add(`b${'b'.repeat(200)}`, long);
    assert.deepEqual(roundTrip(fields), [`a: ${long}`, `b${'b'.repeat(200)}: ${long}`]);
  });
});

describe('pseudo fields', () => {
  function responseOf(encoder: HpackEncoder, status: number): Buffer {
    const out = new FieldBlock();
    encoder.begin(out);
    encoder.status(status);
    return Buffer.from(out.bytes.subarray(0, out.length));
  }

  test('every status, and those of the static table in one byte', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    for (let status = 100; status <= 999; status += 1) {
      assert.equal(decodeBlock(decoder, responseOf(encoder, status), 'response').pseudo.status, status);
    }
    for (const status of [200, 204, 206, 304, 400, 404, 500]) {
      assert.equal(responseOf(encoder, status).length, 1);
    }
    responseOf(encoder, 302);
    assert.equal(responseOf(encoder, 302).length, 1);
  });

  test('methods, schemes, paths, authorities and protocols that no table has', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    for (const [method, path, authority] of [
      ['GET', '/', 'a.test'],
      ['POST', '/index.html', 'a.test'],
      ['REPORT', '/a', 'b.test'],
      ['CONNECT', '/chat', 'a.test'],
      ['GET', '*', 'b.test'],
      ['constructor', '/', '__proto__'],
      ['__proto__', '/toString', 'a.test'],
      ['GET', '/a', 'a.test'],
    ] as const) {
      const out = new FieldBlock();
      encoder.begin(out);
      encoder.method(method);
      encoder.scheme('https');
      encoder.authority(authority);
      encoder.path(path);
      encoder.protocol('websocket');
      const { pseudo } = decodeBlock(decoder, Buffer.from(out.bytes.subarray(0, out.length)));
      assert.deepEqual({ ...pseudo }, { method, scheme: 'https', authority, path, protocol: 'websocket', status: 0 });
    }
  });

  test('an authority is remembered only as long as its entry lives', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    for (let run = 0; run < 50; run += 1) {
      const sample = {
        ...head,
        path: `/p${run % 3}`,
        authority: 'one.test',
        fields: [['accept', `v${run}`.repeat(99)]] as const,
      };
      const { pseudo, result } = decodeBlock(decoder, encodeRequest(encoder, sample));
      assert.deepEqual([result, pseudo.authority, pseudo.path], ['ok', 'one.test', `/p${run % 3}`]);
    }
  });
});

describe('size of the table', () => {
  test('what the peer allows is announced in the next block, at most our own limit', () => {
    const encoder = new HpackEncoder();
    const fields = fieldsOf([['accept', '*/*']]);
    encodeFields(encoder, fields);
    encoder.setPeerMaxTableBytes(65_536);
    assert.equal(encodeFields(encoder, fields).toString('hex'), 'be');
    encoder.setPeerMaxTableBytes(100);
    assert.equal(encodeFields(encoder, fields).subarray(0, 2).toString('hex'), '3f45');
    encoder.setPeerMaxTableBytes(0);
    assert.equal(encodeFields(encoder, fields).toString('latin1'), '\x20\x0f\x04\x03*/*');
    encoder.setPeerMaxTableBytes(4096);
    assert.equal(encodeFields(encoder, fields).subarray(0, 3).toString('hex'), '3fe11f');
  });

  test('lowered and raised between two blocks: both are told (RFC 7541 §4.2)', () => {
    const encoder = new HpackEncoder();
    const decoder = newDecoder();
    const fields = fieldsOf([['accept', '*/*']]);
    decodeBlock(decoder, encodeFields(encoder, fields), 'trailers');
    encoder.setPeerMaxTableBytes(0);
    encoder.setPeerMaxTableBytes(2000);
    decoder.setMaxTableBytes(2000);
    const bytes = encodeFields(encoder, fields);
    assert.equal(bytes.subarray(0, 4).toString('hex'), '203fb10f');
    assert.deepEqual(decodeBlock(decoder, bytes, 'trailers').lines, ['accept: */*']);
    assert.equal(encodeFields(encoder, fields).length, 1);
  });

  test('our own limit: below the default it is told at once, above it only when the peer allows more', () => {
    const fields = fieldsOf([['accept', '*/*']]);
    assert.equal(encodeFields(new HpackEncoder(0), fields).toString('latin1'), '\x20\x0f\x04\x03*/*');
    const large = new HpackEncoder(65_536);
    assert.equal(encodeFields(large, fields)[0], 0x40 | 19);
    large.setPeerMaxTableBytes(16_384);
    assert.equal(encodeFields(large, fields).toString('hex'), '3fe17fbe');
  });
});

test('a block larger than its room grows and shrinks again', () => {
  const encoder = new HpackEncoder();
  const out = new FieldBlock();
  encoder.begin(out);
  encoder.fields(fieldsOf(Array.from({ length: 90 }, (_, index) => [`n${index}`, 'v'.repeat(2000)] as const)));
  assert.ok(out.length > 180_000);
  encoder.begin(out);
  assert.equal(out.bytes.length, 4096);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf } from '../../test/hpack-blocks.ts';
import { exchange, linesOf, responseHead, TestClient, TestServer, taken } from '../../test/http2-peers.ts';
import type { HeadFields } from '../head-fields.ts';
import { OutputBuffer } from '../output-buffer.ts';
import { RequestHead } from '../request-head.ts';
import { ResponseHead } from '../response-head.ts';
import { HeaderNamesReader, HeaderNamesWriter, maxListBytes, namesField } from './header-names.ts';

const carry = { carryHeaderNames: true };

function received(lines: readonly (readonly [string, string])[]): RequestHead {
  const head = fieldsOf(lines, new RequestHead()) as RequestHead;
  head.method = 'GET';
  head.path = '/';
  head.authority = 'a.test';
  return head;
}

/** What is written to HTTP/1.1. */
function written(fields: HeadFields): string[] {
  const out = new OutputBuffer();
  fields.writeFields(out);
  return taken(out).toString('latin1').split('\r\n').slice(0, -1);
}

function carried(
  lines: readonly (readonly [string, string])[],
  settings = carry,
  edit = (_: RequestHead): void => {},
): string[] {
  const client = new TestClient(settings);
  const server = new TestServer(settings);
  const head = received(lines);
  edit(head);
  client.request(head);
  exchange(client, server);
  const [request] = server.requests;
  assert.ok(request !== undefined);
  assert.deepEqual(written(request.head), linesOf(request.head));
  return linesOf(request.head);
}

test('case and order of names, and the place of host, arrive as they were written', () => {
  assert.deepEqual(
    carried([
      ['User-Agent', 'x'],
      ['Accept', '*/*'],
      ['HOST', 'a.test'],
      ['X-lower-and-Upper', '1'],
      ['accept', 'again'],
    ]),
    ['User-Agent: x', 'Accept: */*', 'HOST: a.test', 'X-lower-and-Upper: 1', 'accept: again'],
  );
  assert.deepEqual(
    carried([
      ['Host', 'a.test'],
      ['A', '1'],
    ]),
    ['Host: a.test', 'A: 1'],
  );
  assert.deepEqual(
    carried([
      ['a', '1'],
      ['Host', 'a.test'],
    ]),
    ['a: 1', 'Host: a.test'],
  );
});

test('edits, added fields, cookies in several lines and fields of the hop', () => {
  assert.deepEqual(
    carried(
      [
        ['Cookie', 'a=1'],
        ['Connection', 'keep-alive'],
        ['Gone', 'x'],
        ['Kept', 'x'],
        ['Cookie', 'b=2'],
        ['Host', 'a.test'],
        ['TE', 'deflate'],
      ],
      carry,
      (head) => {
        head.remove('gone');
        head.set('kept', 'y');
        head.add('X-Added', 'z');
        head.addClean('connection', 'upgrade');
      },
    ),
    ['Cookie: a=1; b=2', 'Kept: y', 'Host: a.test', 'X-Added: z'],
  );
});

test('nothing is carried where nothing would be lost, nor to others', () => {
  const writer = new HeaderNamesWriter();
  assert.equal(
    writer.listFor(
      received([
        ['host', 'a.test'],
        ['a', '1'],
      ]),
    ),
    undefined,
  );
  assert.equal(
    writer.listFor(
      received([
        ['host', 'a.test'],
        ['a', '1'],
      ]),
    ),
    undefined,
  );
  assert.equal(
    writer.listFor(
      received([
        ['a', '1'],
        ['host', 'a.test'],
      ]),
    ),
    'a,host,',
  );
  assert.deepEqual(
    carried(
      [
        ['A', '1'],
        ['Host', 'a.test'],
      ],
      { carryHeaderNames: false },
    ),
    ['host: a.test', 'a: 1'],
  );
});

test('a list from a client, by HTTP/1.1 or HTTP/2, is removed unread', () => {
  assert.deepEqual(
    carried([
      ['host', 'a.test'],
      ['a', '1'],
      [namesField, 'HOST,A,'],
    ]),
    ['host: a.test', 'a: 1'],
  );
  const client = new TestClient({ carryHeaderNames: false });
  const server = new TestServer({ carryHeaderNames: false });
  client.request(
    received([
      ['host', 'a.test'],
      ['a', '1'],
      [namesField, 'HOST,A,'],
    ]),
  );
  exchange(client, server);
  assert.deepEqual(linesOf(server.requests[0]?.head ?? assert.fail()), ['host: a.test', 'a: 1']);
});

test('responses too', () => {
  const client = new TestClient(carry);
  const server = new TestServer(carry);
  server.answer = ({ encoder }) => {
    const head = fieldsOf(
      [
        ['Date', 'now'],
        ['ETag', 'x'],
      ],
      new ResponseHead(),
    ) as ResponseHead;
    head.status = 200;
    encoder.encodeHead(head, true);
  };
  const { response } = client.request(received([['Host', 'a.test']]));
  exchange(client, server);
  assert.deepEqual(linesOf(response.head ?? assert.fail()), ['Date: now', 'ETag: x']);
});

test('the same list again costs no new text, and HPACK one byte', () => {
  const client = new TestClient(carry);
  const server = new TestServer(carry);
  server.answer = ({ encoder }) => encoder.encodeHead(responseHead(204), true);
  const lengths: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    client.request(
      received([
        ['Host', 'a.test'],
        ['Accept', '*/*'],
      ]),
    );
    const bytes = taken(client.out);
    lengths.push(bytes.length);
    server.receive(bytes);
    client.receive(taken(server.out));
  }
  // 9 of the frame, then method, scheme, path, authority, accept and the list.
  assert.equal(lengths.at(-1), 9 + 6);
  for (const request of server.requests) {
    assert.deepEqual(linesOf(request.head), ['Host: a.test', 'Accept: */*']);
  }
});

test('a list that does not name exactly the fields changes nothing', () => {
  const lists = [
    '',
    ',',
    'HOST',
    'HOST,A',
    'HOST,A,B,',
    'HOST,',
    'HOST,B,',
    'A,A,',
    'HOST,HOST,',
    'A:,HOST,',
    'HOST,A\u00e4,',
    'HOST,A ,',
    ',HOST,A,',
    'HOST,,A,',
    'X'.repeat(50_000),
    `${'HOST,'.repeat(5000)}`,
  ];
  for (const list of lists) {
    const head = received([
      ['host', 'a.test'],
      ['a', '1'],
      [namesField, list],
    ]);
    new HeaderNamesReader().restore(head);
    assert.deepEqual(linesOf(head), ['host: a.test', 'a: 1'], JSON.stringify(list.slice(0, 30)));
    assert.deepEqual(written(head), ['host: a.test', 'a: 1']);
  }
  const early = received([
    ['host', 'a.test'],
    [namesField, 'HOST,A,'],
    ['a', '1'],
  ]);
  new HeaderNamesReader().restore(early);
  assert.deepEqual(written(early), ['host: a.test', 'a: 1']);
});

test('a joined cookie before host stays with its value', () => {
  const head = received([
    ['host', 'a.test'],
    ['cookie', 'a=1'],
    ['x', '1'],
    ['cookie', 'b=2'],
    ['y', '2'],
  ]);
  head.joinKnown(27, '; ');
  const line = Buffer.from(`${namesField}: Cookie,X,Host,Y,\r\n`);
  const at = head.size;
  head.append(line, 0, line.length);
  head.mark(at, at + namesField.length, at + namesField.length + 2, head.size - 2, 0, 0);
  head.fieldsEnd = head.size;
  new HeaderNamesReader().restore(head);
  assert.deepEqual(written(head), ['Cookie: a=1; b=2', 'X: 1', 'Host: a.test', 'Y: 2']);
  assert.equal(head.get('cookie'), 'a=1; b=2');
  assert.equal(head.get('host'), 'a.test');
  assert.equal(head.get('y'), '2');
});

test('a list that is too long is neither sent nor read', () => {
  const named = (length: number): [string, string][] => [
    ['Host', 'a.test'],
    ['X'.repeat(length - 'Host,,'.length), '1'],
  ];
  const writer = new HeaderNamesWriter();
  assert.equal(writer.listFor(received(named(maxListBytes)))?.length, maxListBytes);
  assert.equal(writer.listFor(received(named(maxListBytes + 1))), undefined);
  for (const [length, first] of [
    [maxListBytes, 'Host: a.test'],
    [maxListBytes + 1, 'host: a.test'],
  ] as const) {
    const pairs = named(length);
    const list = pairs.map(([name]) => `${name},`).join('');
    const head = received([...pairs.map(([name, value]) => [name.toLowerCase(), value] as const), [namesField, list]]);
    new HeaderNamesReader().restore(head);
    assert.equal(linesOf(head)[0], first);
    assert.equal(linesOf(head).length, 2);
  }
});

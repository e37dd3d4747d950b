import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, hasHead, okResponse } from './support/raw-peer.ts';
import { getOnce, SimpleProxy } from './support/simple-proxy.ts';

test('a head of 60 KiB passes, one byte more is refused with 431', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  const frame = getOnce('/', 'X: \r\n').length;
  const fits = getOnce('/', `X: ${'a'.repeat(60 * 1024 - frame)}\r\n`);
  assert.equal(fits.length, 60 * 1024);
  assert.match(await proxy.exchange(fits), /^HTTP\/1\.1 200 /);
  assert.match(await proxy.exchange(fits.replace('X: a', 'X: aa')), /^HTTP\/1\.1 431 /);
  const seen = await proxy.harness.ended(2);
  assert.equal(seen.details, 'http1.headers_too_large');
  assert.equal(seen.flags, 'DPE');
});

test('a head that never ends is refused as soon as it is too long, in however small pieces it comes', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
  const piece = 'b'.repeat(997);
  for (let sent = 0; sent < 62; sent += 1) {
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 431 /);
});

test('100 fields pass, 101 are refused with 431', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  const fields = (count: number): string => Array.from({ length: count }, (_, index) => `X-${index}: 1\r\n`).join('');
  assert.match(await proxy.exchange(getOnce('/', fields(98))), /^HTTP\/1\.1 200 /);
  assert.match(await proxy.exchange(getOnce('/', fields(99))), /^HTTP\/1\.1 431 /);
  assert.equal((await proxy.harness.ended(2)).details, 'http1.too_many_headers');
});

test('long chunk lines, many chunk extensions and long trailers are refused', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: () => {} });
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const refused: readonly (readonly [string, string])[] = [
    [`${head}1;${'e'.repeat(1100)}\r\na\r\n`, 'http1.chunk_line_too_long'],
    [head + `1;${'e'.repeat(1000)}\r\na\r\n`.repeat(17), 'http1.chunk_line_too_long'],
    [`${head}0\r\nX: ${'t'.repeat(9000)}\r\n\r\n`, 'http1.trailers_too_large'],
    [`${head}0\r\n${'X: t\r\n'.repeat(101)}\r\n`, 'http1.too_many_trailers'],
    [`${head}1000000000000\r\n`, 'http1.invalid_chunk'],
  ];
  let count = 0;
  for (const [bytes, details] of refused) {
    const answer = await proxy.exchange(bytes);
    count += 1;
    assert.match(answer, /^HTTP\/1\.1 4(00|31) /, details);
    assert.equal((await proxy.harness.ended(count)).details, details);
  }
});

test('empty lines before a request are skipped, but not many', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  assert.match(await proxy.exchange(`\r\n\r\n${getOnce()}`), /^HTTP\/1\.1 200 /);
  assert.match(await proxy.exchange(`${'\r\n'.repeat(5)}${getOnce()}`), /^HTTP\/1\.1 400 /);
});

test('an upstream that sends an over-long head, or interim responses without end, gives 502', async (t) => {
  for (const response of [
    `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(62 * 1024)}\r\n\r\n`,
    'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20),
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'ICY 200 OK\r\n\r\n',
  ]) {
    const proxy = await SimpleProxy.start(t, {
      onData: (connection) => {
        if (hasHead(connection.received)) {
          connection.received = Buffer.alloc(0);
          connection.socket.write(response);
        }
      },
    });
    const answer = await proxy.exchange(getOnce());
    assert.match(answer.slice(answer.lastIndexOf('HTTP/1.1 ')), /^HTTP\/1\.1 502 /);
    assert.equal((await proxy.harness.ended()).flags, 'UPE');
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectHttp, maxSniffedLineBytes } from './http-inspection.ts';

const inspect = (text: string): string => inspectHttp(Buffer.from(text, 'latin1'));

test('request lines and the HTTP/2 preface are known', () => {
  assert.equal(inspect('GET / HTTP/1.1\r\nhost: a\r\n'), 'http/1.1');
  assert.equal(inspect('POST http://a/b?c=d HTTP/1.0\r\n'), 'http/1.0');
  assert.equal(inspect('OPTIONS * HTTP/1.1\n'), 'http/1.1');
  assert.equal(inspect('CONNECT a:443 HTTP/1.1\r\n'), 'http/1.1');
  assert.equal(inspect('VERSION-CONTROL /x HTTP/1.1\r\n'), 'http/1.1');
  assert.equal(inspect('GET /caf\xc3\xa9 HTTP/1.1\r\n'), 'http/1.1');
  assert.equal(inspect('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0'), 'h2c');
});

test('other protocols are told with their first bytes', () => {
  for (const text of [
    '*1\r\n$4\r\nPING\r\n',
    '\0\0\0\x08\x04\xd2\x16\x2f',
    '\x16\x03\x01',
    '\r\nGET / HTTP/1.1\r\n',
    ' GET',
    'PING\r\n',
    'HELO example.org\r\n',
    'get key\r\n',
    'set key 0 0 5\r\n',
    'GET  / HTTP/1.1\r\n',
    'GET / HTTQ',
    'GET / HTTP/2.0\r\n',
    'GET / HTTP/1.2\r\n',
    'GET / HTTP/1.10',
    'GET / HTTP/1.1 \r\n',
    'PRI * HTTP/2.0\r\n\r\nSN',
    'G\xc3T / HTTP/1.1\r\n',
    `${'M'.repeat(33)} / HTTP/1.1\r\n`,
  ]) {
    assert.equal(inspect(text), 'other', JSON.stringify(text));
  }
});

test('an unfinished line needs more, up to the limit', () => {
  const line = 'DELETE /a HTTP/1.1\r\n';
  for (let cut = 0; cut < line.length - 1; cut += 1) {
    assert.equal(inspect(line.slice(0, cut)), 'need-more');
  }
  for (let cut = 0; cut < 24; cut += 1) {
    assert.equal(inspect('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.slice(0, cut)), 'need-more');
  }
  const longest = `GET /${'a'.repeat(maxSniffedLineBytes - 6)}`;
  assert.equal(inspect(longest), 'need-more');
  assert.equal(inspect(`${longest} HTTP/1.1\r\n`), 'http/1.1');
  assert.equal(inspect(`${longest}a`), 'other');
  assert.equal(inspect('M'.repeat(32)), 'need-more');
});

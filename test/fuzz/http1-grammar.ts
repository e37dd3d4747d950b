/** Random HTTP/1.1 messages: mostly well-formed, with a fault here and there. */

type Random = () => number;

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'REPORT', 'get', 'G ET', ''];
const targets = [
  '/',
  '/a/b?c=d',
  '/%20%zz',
  '*',
  'http://h/x',
  'http://h:80',
  'a',
  '/a b',
  '/\x01',
  '/a#b',
  '//a',
  '/\xe9',
];
const versions = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'HTP/1.1', ''];
const fields = [
  'X-A: 1',
  'X-a:2',
  'X-B:\t 3 \t',
  'Accept: */*',
  'X-Empty:',
  'Cookie: a=b; c="d"',
  'X-High: \xe9\xff',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: keep-alive, X-A',
  'TE: trailers',
  'Expect: 100-continue',
];
const faults = [
  'X : 1',
  ' X: folded',
  'X\x00: 1',
  'X: a\x00b',
  'X: a\rb',
  'X: a\nb',
  'NoColon',
  ': empty',
  'Host: b',
  'Content-Length: 3',
  'Content-Length: 3, 3',
  'Content-Length: +3',
  'Content-Length: 0x3',
  'Content-Length:',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\x0bchunked',
];

function fieldLines(random: Random, faultRate: number): string {
  let text = '';
  const count = Math.floor(random() * 5);
  for (let index = 0; index < count; index += 1) {
    text += `${pick(random, fields)}\r\n`;
  }
  if (random() < faultRate) {
    text += `${pick(random, faults)}${random() < 0.9 ? '\r\n' : '\n'}`;
  }
  return text;
}

function chunkedBody(random: Random): string {
  let text = '';
  for (let count = Math.floor(random() * 3); count >= 0; count -= 1) {
    const size = 1 + Math.floor(random() * 20);
    const extension = pick(random, ['', '', '', ';a', ';a=b', ';a="b;c"', ' ;a', ';', ';a=']);
    const shown = random() < 0.95 ? size : size + 1;
    text += `${shown.toString(16)}${extension}\r\n${'x'.repeat(size)}\r\n`;
  }
  return `${text}${pick(random, ['0', '0', '0', '00', '0;e', '-0', ''])}\r\n${pick(random, ['', '', 'X-T: 1\r\n', 'Host: x\r\n', 'bad trailer\r\n'])}\r\n`;
}

function body(random: Random): { readonly field: string; readonly bytes: string } {
  const kind = random();
  if (kind < 0.5) {
    return { field: '', bytes: '' };
  }
  if (kind < 0.75) {
    const size = Math.floor(random() * 30);
    return { field: `Content-Length: ${random() < 0.9 ? size : `0${size}`}\r\n`, bytes: 'b'.repeat(size) };
  }
  return {
    field: `${pick(random, ['Transfer-Encoding', 'transfer-encoding'])}: ${pick(random, ['chunked', 'Chunked'])}\r\n`,
    bytes: chunkedBody(random),
  };
}

/** Changes one byte, drops one or puts one in, sometimes. */
function mutate(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (random() < 0.8 || bytes.length === 0) {
    return bytes;
  }
  const at = Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.4) {
    bytes[at] = Math.floor(random() * 256);
    return bytes;
  }
  const before = bytes.subarray(0, at);
  return kind < 0.7
    ? Buffer.concat([before, bytes.subarray(at + 1)])
    : Buffer.concat([before, Buffer.from([pick(random, [0, 9, 10, 13, 32, 58, 255])]), bytes.subarray(at)]);
}

/** One to three requests on one connection. */
export function randomRequest(random: Random): Buffer {
  let text = '';
  for (let count = 1 + Math.floor(random() * 2.5); count > 0; count -= 1) {
    const odd = random() < 0.25;
    const method = odd ? pick(random, methods) : pick(random, methods.slice(0, 7));
    const target = odd ? pick(random, targets) : pick(random, targets.slice(0, 2));
    const version = odd ? pick(random, versions) : 'HTTP/1.1';
    const { field, bytes } = body(random);
    text += `${method} ${target} ${version}\r\nHost: a\r\n${fieldLines(random, 0.15)}${field}\r\n${bytes}`;
  }
  return mutate(random, text);
}

/** One response, now and then with something behind it. */
export function randomResponse(random: Random): Buffer {
  const status = pick(random, [
    '200 OK',
    '204 No Content',
    '304 Not Modified',
    '500 ',
    '404',
    '103 Early Hints',
    '99 X',
    '2000 X',
    'abc X',
  ]);
  const version = random() < 0.9 ? 'HTTP/1.1' : pick(random, versions);
  const { field, bytes } = body(random);
  const behind = random() < 0.1 ? 'HTTP/1.1 200 OK\r\n\r\n' : '';
  return mutate(random, `${version} ${status}\r\n${fieldLines(random, 0.15)}${field}\r\n${bytes}${behind}`);
}

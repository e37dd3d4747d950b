import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, hasHead, okResponse } from './support/raw-peer.ts';
import { get, getOnce, SimpleProxy } from './support/simple-proxy.ts';

test('header names keep their case and order, both ways', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering('HTTP/1.1 200 OK\r\nX-ONE: 1\r\nx-Two:2\r\nX-one:  3\r\nContent-Length: 0\r\n\r\n'),
  });
  const answer = await proxy.exchange(
    'GET / HTTP/1.1\r\nX-B: 1\r\nHOST: a\r\nx-A:2\r\nX-b: 3\r\nConnection: close\r\n\r\n',
  );
  assert.match(proxy.origin.received, /^GET \/ HTTP\/1\.1\r\nX-B: 1\r\nHOST: a\r\nx-A:2\r\nX-b: 3\r\n/);
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\nX-ONE: 1\r\nx-Two:2\r\nX-one: {2}3\r\nContent-Length: 0\r\n/);
});

test('a chunked request goes on chunked, its extensions dropped and its trailers kept', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (connection.received.includes('X-Sum: 6\r\n\r\n')) {
        connection.socket.write(okResponse);
      }
    },
  });
  const answer = await proxy.exchange(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;a=b\r\nabc\r\n3;c="d;e"\r\ndef\r\n0\r\nX-Sum: 6\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200/);
  const body = proxy.origin.received.split('\r\n\r\n').slice(1).join('\r\n\r\n');
  assert.doesNotMatch(body, /;/);
  assert.match(body, /0\r\nX-Sum: 6\r\n\r\n$/);
  assert.equal((await proxy.harness.ended()).bytesReceived, 6);
});

test('a response that ends with its connection reaches a 1.1 client chunked', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (hasHead(connection.received)) {
        connection.socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
      }
    },
  });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /transfer-encoding: chunked\r\n/i);
  assert.match(answer, /\r\n\r\n9\r\nall of it\r\n0\r\n\r\n$/);
});

test('trailers of a response are passed on', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: end\r\n\r\n',
    ),
  });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /\r\n\r\n2\r\nok\r\n0\r\nX-T: end\r\n\r\n$/);
});

test('HEAD, 204 and 304 have no body, whatever their fields say', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      const text = connection.received.toString('latin1');
      if (!hasHead(connection.received)) {
        return;
      }
      connection.received = Buffer.alloc(0);
      const status = text.includes('/204') ? '204 No Content' : text.includes('/304') ? '304 Not Modified' : '200 OK';
      connection.socket.write(`HTTP/1.1 ${status}\r\n${status.startsWith('204') ? '' : 'Content-Length: 10\r\n'}\r\n`);
    },
  });
  const client = await proxy.client();
  client.send('HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\n');
  assert.match(client.text, /content-length: 10/i);
  client.send(get('/204'));
  await client.untilText('HTTP/1.1 204');
  client.send(get('/304'));
  await client.untilText('HTTP/1.1 304');
  client.send('HEAD /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.untilEnd();
  assert.equal(client.text.split('HTTP/1.1 ').length, 5);
  assert.ok(client.text.endsWith('\r\n\r\n'));
});

test('an absolute-form target gives the authority, and goes on in origin-form', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  await proxy.exchange('GET http://catalog.shop/books?q=1 HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n');
  assert.match(proxy.origin.received, /^GET \/books\?q=1 HTTP\/1\.1\r\nHost: catalog\.shop\r\n/);
  assert.equal((await proxy.harness.ended()).authority, 'catalog.shop');
});

test('HTTP/1.0 is refused unless it is accepted', async (t) => {
  const strict = await SimpleProxy.start(t, { onData: answering(okResponse) });
  assert.match(await strict.exchange('GET / HTTP/1.0\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 426 /);
  assert.equal((await strict.harness.ended()).details, 'low_version');
  const lenient = await SimpleProxy.start(t, {
    onData: (connection) => void connection.socket.end('HTTP/1.1 200 OK\r\n\r\nold'),
    manager: { acceptHttp10: true },
  });
  const answer = await lenient.exchange('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.doesNotMatch(answer, /chunked/, 'a 1.0 client does not know chunks');
  assert.match(answer, /\r\n\r\nold$/);
});

test('Expect: 100-continue is answered before the body, and not passed on', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (connection.received.includes('hello')) {
        connection.socket.write(okResponse);
      }
    },
  });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n');
  await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('hello');
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.doesNotMatch(proxy.origin.received, /^expect:/im);
});

test('a request that is refused gets no 100 Continue', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), forward: { clusters: [] } });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 503 /);
});

test('interim responses are passed on, 100 is not', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${okResponse}`),
  });
  const answer = await proxy.exchange(getOnce());
  assert.match(answer, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test('fields of the hop are removed, those that Connection names too', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering(
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nConnection: keep-alive, X-Hop\r\nContent-Length: 0\r\n\r\n',
    ),
  });
  const answer = await proxy.exchange(
    'GET / HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\nTE: gzip\r\nKeep-Alive: 3\r\nProxy-Connection: keep-alive\r\nConnection: close, X-Mine\r\n\r\n',
  );
  assert.doesNotMatch(proxy.origin.received, /x-mine|^te:|keep-alive|connection/im);
  assert.doesNotMatch(answer, /x-hop|keep-alive/i);
});

test('a Connection field that names what must not be dropped is refused', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  for (const name of ['X-Forwarded-For', 'Host', 'Content-Length', 'Authorization', 'Cookie']) {
    const answer = await proxy.exchange(`GET / HTTP/1.1\r\nHost: a\r\nConnection: ${name}\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /, name);
  }
  assert.equal((await proxy.harness.ended()).details, 'http1.connection_header_rejected');
});

test('a transfer coding with a tab behind it is refused: some servers read it as another coding', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  for (const value of ['chunked\t', 'chunked \t ']) {
    const answer = await proxy.exchange(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${value}\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 501/);
  }
  assert.equal(proxy.origin.received, '');
});

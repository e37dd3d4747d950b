import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, okResponse } from './support/raw-peer.ts';
import { get, SimpleProxy } from './support/simple-proxy.ts';

test('requests on one client connection share one upstream connection', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  const client = await proxy.client();
  for (let count = 1; count <= 5; count += 1) {
    client.send(get(`/${count}`));
    await client.until((peer) => peer.text.split('HTTP/1.1 200').length === count + 1);
  }
  assert.equal(proxy.origin.connections.length, 1);
});

test('pipelined requests are answered in order, one at a time upstream', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      const text = connection.received.toString('latin1');
      const heads = text.split('\r\n\r\n').slice(0, -1);
      assert.ok(heads.length <= 1, `two requests at once: ${JSON.stringify(text)}`);
      const [head] = heads;
      if (head !== undefined) {
        connection.received = Buffer.alloc(0);
        const path = head.split(' ')[1] ?? '';
        setImmediate(() => connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`));
      }
    },
  });
  const client = await proxy.client();
  const paths = Array.from({ length: 20 }, (_, index) => `/item-${index}`);
  client.send(paths.map((path) => get(path)).join(''));
  await client.untilText('/item-19');
  const bodies = [...client.text.matchAll(/\r\n\r\n(\/item-\d+)/g)].map((match) => match[1]);
  assert.deepEqual(bodies, paths);
});

test('a half-closed client still gets its response', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse) });
  const client = await proxy.client();
  client.send(get());
  client.socket.end();
  await client.untilEnd();
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
});

test('an upstream that says Connection: close is not used again', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'),
  });
  const client = await proxy.client();
  client.send(get());
  await client.untilText('ok');
  client.send(get());
  await client.until((peer) => peer.text.split('\r\nok').length >= 1 && peer.text.split('HTTP/1.1').length === 3);
  assert.equal(proxy.origin.connections.length, 2);
  assert.doesNotMatch(client.text, /connection: close/i, 'the hop to the client is another one');
});

test('a kept connection that the upstream closes meanwhile costs no request', async (t) => {
  let served = 0;
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      served += 1;
      if (connection.received.toString('latin1').split('\r\n\r\n').length > 2) {
        // A second request on a kept connection: reset without an answer.
        connection.socket.resetAndDestroy();
        return;
      }
      connection.socket.write(okResponse);
    },
  });
  const client = await proxy.client();
  client.send(get('/1'));
  await client.untilText('ok');
  client.send(get('/2'));
  await client.until((peer) => peer.text.split('HTTP/1.1 200').length === 3);
  assert.equal(served, 3);
  const seen = await proxy.harness.ended(2);
  assert.equal(seen.code, 200);
  assert.equal(seen.attempts, 1);
});

test('bytes that an upstream sends unasked are never given to a client', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      connection.socket.write(`${okResponse}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
    },
  });
  const client = await proxy.client();
  client.send(get('/1'));
  await client.untilText('ok');
  client.send(get('/2'));
  await client.until((peer) => peer.text.split('HTTP/1.1 200').length === 3);
  assert.doesNotMatch(client.text, /poison/);
});

test('max_requests_per_connection ends the client connection with the last response', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), manager: { maxRequestsPerConnection: 2 } });
  const client = await proxy.client();
  client.send(get() + get() + get());
  await client.untilEnd();
  assert.equal(client.text.split('HTTP/1.1 200').length, 3);
  assert.match(client.text, /connection: close/);
});

test('an idle client connection ends after the idle timeout', async (t) => {
  const proxy = await SimpleProxy.start(t, { onData: answering(okResponse), manager: { idleTimeoutMs: 50 } });
  const client = await proxy.client();
  client.send(get());
  await client.untilEnd();
  assert.match(client.text, /ok$/);
});

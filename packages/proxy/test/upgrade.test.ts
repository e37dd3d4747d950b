import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasHead, okResponse } from './support/raw-peer.ts';
import { SimpleProxy } from './support/simple-proxy.ts';

const ask =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n';

test('a configured upgrade becomes a tunnel, each side may end by itself', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (hasHead(connection.received) && !connection.received.includes('ping')) {
        connection.socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst',
        );
      } else if (connection.received.includes('ping')) {
        connection.socket.write('pong');
      }
    },
    manager: { upgrades: ['websocket'] },
    forward: { timeoutMs: 50 },
  });
  const client = await proxy.client();
  client.send(ask);
  await client.untilText('first');
  assert.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*connection: upgrade\r\n/i);
  assert.match(client.text, /Upgrade: websocket\r\n/);
  assert.match(proxy.origin.received, /Upgrade: websocket\r\n/);
  assert.match(proxy.origin.received, /connection: upgrade\r\n/i);
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.send('ping');
  await client.untilText('pong');
  client.socket.end();
  await proxy.origin.until(() => proxy.origin.connections[0]?.ended === true);
  proxy.origin.connections[0]?.socket.end('last words');
  await client.untilEnd();
  assert.match(client.text, /last words$/);
  const seen = await proxy.harness.ended();
  assert.equal(seen.code, 101);
  assert.equal(seen.upgraded, true);
});

test('bytes that a client sends behind its upgrade request wait for the answer', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (hasHead(connection.received) && !('asked' in connection)) {
        Object.assign(connection, { asked: true });
        assert.doesNotMatch(connection.received.toString(), /early/);
        connection.socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        );
      }
    },
    manager: { upgrades: ['websocket'] },
  });
  const client = await proxy.client();
  client.send(`${ask}early bytes`);
  await proxy.origin.until(() => proxy.origin.received.includes('early bytes'));
});

test('an upgrade that the upstream declines is an ordinary exchange', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => void connection.socket.write(okResponse),
    manager: { upgrades: ['websocket'] },
  });
  const client = await proxy.client();
  client.send(ask);
  await client.untilText('ok');
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.untilEnd();
  assert.equal(client.text.split('HTTP/1.1 200').length, 3);
});

test('an upgrade that is not configured is refused with 403, h2c is ignored where HTTP/2 is not spoken', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => void connection.socket.write(okResponse),
    manager: { codec: 'http1' },
  });
  const client = await proxy.client();
  client.send(ask);
  await client.untilText('HTTP/1.1 403 Forbidden');
  assert.equal((await proxy.harness.ended()).details, 'upgrade_failed');
  const answer = await proxy.exchange(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 200/);
  assert.doesNotMatch(proxy.origin.received, /upgrade|http2/i);
});

test('CONNECT is refused unless it is configured, then it is a tunnel', async (t) => {
  const connect = 'CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n';
  const refusing = await SimpleProxy.start(t, { onData: () => {} });
  const refused = await refusing.client();
  refused.send(connect);
  await refused.untilText('HTTP/1.1 403');
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) => {
      if (connection.received.includes('CONNECT') && !connection.received.includes('hello')) {
        connection.socket.write('HTTP/1.1 200 OK\r\n\r\n');
      } else {
        connection.socket.write('there');
      }
    },
    manager: { upgrades: ['CONNECT'] },
  });
  const client = await proxy.client();
  client.send(connect);
  await client.untilText('HTTP/1.1 200 OK');
  assert.doesNotMatch(client.text, /chunked|content-length/i);
  client.send('hello');
  await client.untilText('there');
  assert.match(proxy.origin.received, /^CONNECT db\.example:5432 HTTP\/1\.1\r\n/);
});

test('a 101 that nobody asked for is refused', async (t) => {
  const proxy = await SimpleProxy.start(t, {
    onData: (connection) =>
      void connection.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  });
  const answer = await proxy.exchange('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 502/);
});

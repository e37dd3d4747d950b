import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BindAddress } from '../src/runtime-config/config.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from './support/configs.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { RawClient } from './support/raw-peer.ts';
import { getOnce } from './support/simple-proxy.ts';
import { tcpTo } from './support/tcp-configs.ts';

/** IPv6, both families on one socket, and Unix sockets, towards clients and towards upstreams. */

function connectTo(options: { path: string } | { host: string; port: number }): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ ...options, allowHalfOpen: true }, () => resolve(new RawClient(socket)));
    socket.once('error', reject);
  });
}

/** A server that says its name and what it hears, on TCP or a Unix socket. */
async function echo(t: TestContext, at: { path: string } | { host: string; port: number }): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) =>
      socket.write(
        String(bytes).startsWith('GET') ? 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello' : `echo ${bytes}`,
      ),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
  t.after(() => server.close());
  return server;
}

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

async function proxy(t: TestContext, address: BindAddress, upstream: BindAddress): Promise<ProxyHarness> {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  const { failedListeners } = await harness.apply(
    runtimeConfig({
      listeners: [
        listener([tcpTo('origin')], { address }),
        listener([chain(httpManager({ useRemoteAddress: true }))], {
          name: 'http',
          address: { kind: 'ip', address: '::1', port: 0 },
        }),
      ],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin'))])])],
      clusters: [cluster('origin', [endpoint(0, { address: upstream })])],
    }),
  );
  assert.deepEqual(failedListeners, []);
  return harness;
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'weft-sockets-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('IPv6 to IPv6; addresses in records have brackets', async (t) => {
  const origin = await echo(t, { host: '::1', port: 0 });
  const harness = await proxy(
    t,
    { kind: 'ip', address: '::1', port: 0 },
    { kind: 'ip', address: '::1', port: portOf(origin) },
  );
  const client = await connectTo({ host: '::1', port: harness.port() });
  client.send('six');
  await client.untilText('echo six');
  client.socket.resetAndDestroy();
  await harness.until(() => harness.tcpEnds.length === 1);
  const record = harness.tcpEnds[0];
  assert.match(record?.downstream.remoteAddress ?? '', /^\[::1\]:\d+$/);
  assert.equal(record?.downstream.localAddress, `[::1]:${harness.port()}`);
  assert.equal(record?.endpoint?.address, `[::1]:${portOf(origin)}`);
  assert.match(record?.upstreamLocalAddress ?? '', /^\[::1\]:\d+$/);
  const http = await connectTo({ host: '::1', port: harness.port('http') });
  http.send(getOnce());
  await http.untilEnd();
  assert.match(http.text, /^HTTP\/1\.1 200 [\s\S]*hello$/);
  assert.equal(harness.requests[0]?.endpoint, `[::1]:${portOf(origin)}`);
});

test('`::` takes IPv6 only, unless it is told to take IPv4 as well, whose addresses are written as IPv4', async (t) => {
  const origin = await echo(t, { host: '127.0.0.1', port: 0 });
  const upstream: BindAddress = { kind: 'ip', address: '127.0.0.1', port: portOf(origin) };
  const only = await proxy(t, { kind: 'ip', address: '::', port: 0 }, upstream);
  const six = await connectTo({ host: '::1', port: only.port() });
  six.send('six');
  await six.untilText('echo six');
  six.close();
  await assert.rejects(connectTo({ host: '127.0.0.1', port: only.port() }));
  const both = await proxy(t, { kind: 'ip', address: '::', port: 0, ipv4Compat: true }, upstream);
  for (const host of ['::1', '127.0.0.1']) {
    const client = await connectTo({ host, port: both.port() });
    client.send('x');
    await client.untilText('echo x');
    client.socket.resetAndDestroy();
  }
  await both.until(() => both.tcpEnds.length === 2);
  const remotes = both.tcpEnds.map(({ downstream }) => downstream.remoteIp).sort();
  assert.deepEqual(remotes, ['127.0.0.1', '::1']);
});

test('a Unix socket on both sides, with the permissions that are asked for', async (t) => {
  const home = await folder(t);
  await echo(t, { path: join(home, 'app.sock') });
  const path = join(home, 'proxy.sock');
  const harness = await proxy(t, { kind: 'pipe', path, mode: 0o600 }, { kind: 'pipe', path: join(home, 'app.sock') });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const client = await connectTo({ path });
  client.send('local');
  await client.untilText('echo local');
  const big = Buffer.alloc(3_000_000, 'b');
  client.send(big);
  await client.until((peer) => peer.received.length > big.length, 20_000);
  client.socket.destroy();
  const http = await connectTo({ host: '::1', port: harness.port('http') });
  http.send(getOnce());
  await http.untilEnd();
  assert.match(http.text, /hello$/);
  assert.equal(harness.requests[0]?.endpoint, join(home, 'app.sock'));
  assert.equal(harness.dataPlane.listeners()[0]?.address, path);
});

test('the socket file of a process that was killed is replaced, one in use and an ordinary file are not', async (t) => {
  const home = await folder(t);
  const origin = await echo(t, { host: '127.0.0.1', port: 0 });
  const upstream: BindAddress = { kind: 'ip', address: '127.0.0.1', port: portOf(origin) };
  const path = join(home, 'left.sock');
  const owner = await echo(t, { path });
  const busy = new ProxyHarness();
  t.after(() => busy.close());
  const apply = (at: string) =>
    busy.apply(
      runtimeConfig({
        listeners: [listener([tcpTo('origin')], { address: { kind: 'pipe', path: at } })],
        clusters: [cluster('origin', [endpoint(0, { address: upstream })])],
      }),
    );
  assert.match((await apply(path)).failedListeners[0]?.reason ?? '', /EADDRINUSE/);
  await new Promise((resolve) => owner.close(resolve));
  const file = join(home, 'notes.txt');
  await writeFile(file, 'keep me');
  assert.match((await apply(file)).failedListeners[0]?.reason ?? '', /EADDRINUSE/);
  assert.equal((await stat(file)).size, 7);
  await abandon(path);
  await proxy(t, { kind: 'pipe', path }, upstream);
  const client = await connectTo({ path });
  client.send('again');
  await client.untilText('echo again');
  client.close();
});

/** Leaves a socket file that nobody listens on. */
async function abandon(path: string): Promise<void> {
  await rm(path, { force: true });
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.throws(() => execFileSync(process.execPath, ['-e', code], { stdio: 'ignore' }));
  assert.ok((await stat(path)).isSocket());
}

test('an address that is not there is reported with the listener', async (t) => {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  const { failedListeners } = await harness.apply(
    runtimeConfig({
      listeners: [
        listener([tcpTo('origin')], { address: { kind: 'ip', address: '2001:db8::1', port: 0 } }),
        listener([tcpTo('origin')], { name: 'pipe', address: { kind: 'pipe', path: '/nowhere/at/all.sock' } }),
      ],
      clusters: [cluster('origin', [])],
    }),
  );
  assert.deepEqual(
    failedListeners.map(({ name }) => name),
    ['listener', 'pipe'],
  );
  assert.match(failedListeners[0]?.reason ?? '', /EADDRNOTAVAIL/);
});

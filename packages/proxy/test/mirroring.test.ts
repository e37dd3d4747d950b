import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { eventually } from '@weft/testkit';
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
import { HttpClient, Origin, received } from './support/http-peers.ts';
import { ProxyHarness } from './support/proxy-harness.ts';

const mirrorTo = (name: string) =>
  ({ cluster: { kind: 'name', name }, fraction: 1_000_000, shadowSuffix: true }) as const;

async function startProxy(
  t: Parameters<typeof Origin.start>[0],
  originPort: number,
  mirrorPort: number,
): Promise<ProxyHarness> {
  const harness = new ProxyHarness();
  t.after(() => harness.close());
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('origin', { mirrors: [mirrorTo('mirror')] }))])])],
      clusters: [cluster('origin', [endpoint(originPort)]), cluster('mirror', [endpoint(mirrorPort)])],
    }),
  );
  return harness;
}

test('a mirror that reads nothing neither slows the request down nor fills the memory: the copy is given up', async (t) => {
  const sockets: Socket[] = [];
  const mirror = createServer((socket) => {
    socket.on('error', () => {});
    socket.pause();
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    mirror.close();
  });
  const address = mirror.address();
  const origin = await Origin.start(t, 'http1', async (request, response) => {
    const { body } = await received(request);
    response.end(String(body.length));
  });
  const harness = await startProxy(t, origin.port, typeof address === 'object' && address !== null ? address.port : 0);
  const size = 24 * 1024 * 1024;
  const answer = await new HttpClient(t, 'http1', harness.port()).ask({ method: 'POST', body: Buffer.alloc(size) });
  assert.equal(answer.body.toString(), String(size));
  const { mirror: counters } = harness.dataPlane.downstreamHttp().manager('test');
  assert.deepEqual(counters, { started: 1, failed: 0, dropped: 1 });
  const [status] = harness.dataPlane.clusters().filter(({ name }) => name === 'mirror');
  assert.equal(status?.requestsActive, 0);
});

test('the copy has the whole body and its trailers, and goes on when the client has its answer', async (t) => {
  let copy: { readonly authority: string; readonly length: number; readonly trailer: unknown } | undefined;
  const mirror = await Origin.start(t, 'http1', async (request, response) => {
    const { authority, body, trailers } = await received(request);
    copy = { authority, length: body.length, trailer: trailers['x-sum'] };
    response.end();
  });
  const origin = await Origin.start(t, 'http1', async (request, response) => {
    await received(request);
    response.end('ok');
  });
  const harness = await startProxy(t, origin.port, mirror.port);
  await new HttpClient(t, 'http1', harness.port()).ask({
    method: 'POST',
    body: Buffer.alloc(50_000),
    trailers: { 'x-sum': '7' },
  });
  await eventually(() => copy !== undefined, { what: 'the copy arrives' });
  assert.deepEqual(copy, { authority: 'a.test-shadow', length: 50_000, trailer: '7' });
  await eventually(() => harness.dataPlane.clusters().every(({ requestsActive }) => requestsActive === 0), {
    what: 'the copy is over',
  });
});

test('a client that gives up takes its copies along', async (t) => {
  let aborted = false;
  const mirror = await Origin.start(t, 'http1', (request) => {
    request.on('error', () => {});
    request.on('close', () => {
      aborted = true;
    });
    request.resume();
  });
  const origin = await Origin.start(t, 'http1', (request) => {
    request.resume();
  });
  const harness = await startProxy(t, origin.port, mirror.port);
  const client = new HttpClient(t, 'http2', harness.port());
  const stream = client.session.request({ ':method': 'POST', ':path': '/', ':authority': 'a' }, { endStream: false });
  stream.on('error', () => {});
  stream.write('begun');
  await eventually(() => mirror.connections > 0 && origin.connections > 0, { what: 'both are reached' });
  stream.close(8);
  await eventually(() => aborted, { what: 'the copy is cut off' });
});

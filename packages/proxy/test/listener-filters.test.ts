import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { writeHeaderV1 } from '../src/proxy-protocol/header-v1.ts';
import { writeHeaderV2 } from '../src/proxy-protocol/header-v2.ts';
import type { FilterChainMatch, ListenerConfig } from '../src/runtime-config/config.ts';
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
import { RawClient, RawOrigin } from './support/raw-peer.ts';
import { getOnce } from './support/simple-proxy.ts';
import { tcpTo } from './support/tcp-configs.ts';

const any: FilterChainMatch = {
  destinationPort: undefined,
  serverNames: [],
  transportProtocol: undefined,
  applicationProtocols: [],
};

const plainHttp = chain(httpManager());

/** An HTTP chain for what is HTTP, TCP for the rest; the HTTP chain says where the client is from. */
async function sniffing(
  t: TestContext,
  overrides: Partial<ListenerConfig> = {},
): Promise<{ readonly harness: ProxyHarness; readonly origin: RawOrigin; readonly port: number }> {
  const origin = await RawOrigin.start(() => {});
  const harness = new ProxyHarness();
  t.after(async () => {
    await harness.close();
    await origin.close();
  });
  await harness.apply(
    runtimeConfig({
      listeners: [
        listener(
          [
            chain(httpManager({ useRemoteAddress: true }), {
              name: 'http',
              match: { ...any, transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.0', 'http/1.1'] },
            }),
          ],
          {
            httpInspector: true,
            tlsInspector: true,
            defaultFilterChain: tcpTo('origin'),
            listenerFiltersTimeoutMs: 100,
            continueOnListenerFiltersTimeout: true,
            ...overrides,
          },
        ),
      ],
      routes: [
        routeTable('routes', [
          virtualHost([
            route(forwardTo(''), { action: { kind: 'direct-response', status: 200, body: Buffer.from('as HTTP') } }),
          ]),
        ]),
      ],
      clusters: [cluster('origin', [endpoint(origin.port)])],
    }),
  );
  return { harness, origin, port: harness.port() };
}

const detected = (harness: ProxyHarness): Record<string, number> =>
  Object.fromEntries(harness.dataPlane.listeners()[0]?.detected ?? []);

/** What is told to the control plane of the only listener: protocols with their counts. */
function seen(harness: ProxyHarness): Record<string, number> {
  const [listener = {}] = Object.values(harness.dataPlane.protocolsSeen().tell(true) ?? {});
  const counts = listener as Readonly<Record<string, readonly [number, number]>>;
  return Object.fromEntries(Object.entries(counts).map(([protocol, [count]]) => [protocol, count]));
}

test('HTTP is served as HTTP, anything else and TLS as TCP, and what was found is counted', async (t) => {
  const { harness, origin, port } = await sniffing(t);
  const http = await RawClient.connect(port);
  http.send(getOnce());
  await http.untilEnd();
  assert.match(http.text, /^HTTP\/1\.1 200 [\s\S]*as HTTP$/);
  const redis = await RawClient.connect(port);
  redis.send('*1\r\n$4\r\nPING\r\n');
  await origin.until(() => origin.received === '*1\r\n$4\r\nPING\r\n');
  redis.socket.resetAndDestroy();
  tlsConnect({ port, host: '127.0.0.1', servername: 'a.example' }).on('error', () => {});
  await origin.until(() => (origin.connections[1]?.received[0] ?? 0) === 0x16);
  origin.connections[1]?.socket.resetAndDestroy();
  await harness.until(() => harness.tcpEnds.length === 2);
  assert.deepEqual(detected(harness), { 'http/1.1': 1, tcp: 1, tls: 1 });
  assert.deepEqual(seen(harness), { http1: 1, tcp: 1, tls: 1 });
  assert.equal(harness.tcpEnds[1]?.downstream.requestedServerName, 'a.example');
  const learnt = harness.logs.filter(({ message }) => message === 'what clients speak was learnt');
  assert.deepEqual(
    learnt.map(({ fields }) => fields?.['protocol']),
    ['http/1.1', 'tcp', 'tls'],
  );
});

test('a server that speaks first is waited for no longer than the timeout', async (t) => {
  const { harness, origin, port } = await sniffing(t);
  const client = await RawClient.connect(port);
  await origin.until(() => origin.connections.length === 1);
  origin.connections[0]?.socket.write('5.7.0-mysql');
  await client.untilText('5.7.0-mysql');
  client.send('login');
  await origin.until(() => origin.received === 'login');
  const [status] = harness.dataPlane.listeners();
  assert.equal(status?.inspectionTimeouts, 1);
  assert.deepEqual(detected(harness), { tcp: 1 });
  assert.deepEqual(seen(harness), { 'server-first': 1 });
  client.socket.resetAndDestroy();
});

test('TLS that comes to a port of plain HTTP is refused, and told of', async (t) => {
  const { harness, port } = await sniffing(t, { httpInspector: false, tlsInspector: false, filterChains: [plainHttp] });
  const client = await RawClient.connect(port);
  client.send(Buffer.from('16030100050100000100', 'hex'));
  await client.untilEnd();
  assert.deepEqual(seen(harness), { tls: 1 });
});

test('a client that stops in the middle of what may become HTTP is TCP after the timeout, with its bytes', async (t) => {
  const { origin, port } = await sniffing(t);
  const client = await RawClient.connect(port);
  client.send('HELO there');
  await origin.until(() => origin.received === 'HELO there');
  client.socket.resetAndDestroy();
});

test('a client that ends its side while it is inspected is served, and may hear an answer', async (t) => {
  const { harness, origin, port } = await sniffing(t, { listenerFiltersTimeoutMs: 0 });
  const client = await RawClient.connect(port);
  client.send('stats');
  client.socket.end();
  await origin.until(() => origin.connections[0]?.ended === true);
  assert.equal(origin.received, 'stats');
  origin.connections[0]?.socket.end('STAT pid 1');
  await client.untilEnd();
  assert.equal(client.text, 'STAT pid 1');
  await harness.until(() => harness.tcpEnds.length === 1);
  const silent = await RawClient.connect(port);
  silent.socket.end();
  await origin.until(() => origin.connections[1]?.ended === true);
  origin.connections[1]?.socket.end('220 hello');
  await silent.untilEnd();
  assert.equal(silent.text, '220 hello');
});

test('without leave to continue, the timeout closes the connection', async (t) => {
  const { harness, port } = await sniffing(t, { continueOnListenerFiltersTimeout: false });
  const client = await RawClient.connect(port);
  await client.untilEnd();
  assert.equal(harness.tcpEnds[0]?.connectionTerminationDetails, 'listener_filters_timeout');
});

const proxied = {
  source: { ip: '192.0.2.7', port: 4711 },
  destination: { ip: '198.51.100.1', port: 443 },
};
const strict = { proxyProtocol: { allowWithoutHeader: false, refusedVersions: [] } } as const;

test('the address of a PROXY protocol header is that of the client, in requests and in logs', async (t) => {
  const { harness, origin, port } = await sniffing(t, strict);
  for (const header of [writeHeaderV1(proxied), writeHeaderV2(proxied)]) {
    const client = await RawClient.connect(port);
    client.send(Buffer.concat([header, Buffer.from('*1\r\nping')]));
    await origin.until(() => origin.connections.at(-1)?.received.toString() === '*1\r\nping');
    client.socket.resetAndDestroy();
  }
  await harness.until(() => harness.tcpEnds.length === 2);
  for (const { downstream } of harness.tcpEnds) {
    assert.equal(downstream.remoteAddress, '192.0.2.7:4711');
    assert.equal(downstream.remoteIp, '192.0.2.7');
    assert.match(downstream.directRemoteAddress ?? '', /^127\.0\.0\.1:\d+$/);
    assert.equal(downstream.localAddress, '198.51.100.1:443');
    assert.equal(downstream.localPort, 443);
  }
});

test('UNKNOWN and LOCAL keep the address of the connection', async (t) => {
  const { harness, origin, port } = await sniffing(t, strict);
  for (const header of [writeHeaderV1(undefined), writeHeaderV2(undefined)]) {
    const client = await RawClient.connect(port);
    client.send(Buffer.concat([header, Buffer.from('*x')]));
    await origin.until(() => origin.connections.at(-1)?.received.toString() === '*x');
    client.socket.resetAndDestroy();
  }
  await harness.until(() => harness.tcpEnds.length === 2);
  assert.ok(harness.tcpEnds.every(({ downstream }) => downstream.remoteIp === '127.0.0.1'));
});

test('what is no header, a malformed or refused one closes the connection with its reason', async (t) => {
  const { harness, port } = await sniffing(t, {
    proxyProtocol: { allowWithoutHeader: false, refusedVersions: [1] },
  });
  const cases = [
    [Buffer.from(getOnce()), 'proxy_protocol_missing'],
    [Buffer.from('PROXY TCP4 1.2.3.4\r\n'), 'proxy_protocol_invalid_line'],
    [writeHeaderV1(proxied), 'proxy_protocol_version'],
    [Buffer.concat([writeHeaderV2(proxied).subarray(0, 13), Buffer.from([0x31, 0, 0])]), 'proxy_protocol_family'],
  ] as const;
  for (const [bytes, reason] of cases) {
    const client = await RawClient.connect(port);
    client.send(bytes);
    await client.untilEnd();
    assert.equal(client.text, '');
    const record = harness.tcpEnds.at(-1);
    assert.equal(record?.connectionTerminationDetails, reason);
    assert.equal(record?.downstream.remoteIp, '127.0.0.1');
  }
  const silent = await RawClient.connect(port);
  await silent.untilEnd();
  assert.equal(harness.tcpEnds.at(-1)?.connectionTerminationDetails, 'proxy_protocol_missing');
});

test('where the header may be missing, a connection without one is taken as it is', async (t) => {
  const { origin, port, harness } = await sniffing(t, {
    proxyProtocol: { allowWithoutHeader: true, refusedVersions: [] },
  });
  const plain = await RawClient.connect(port);
  plain.send('*plain');
  await origin.until(() => origin.received === '*plain');
  const silent = await RawClient.connect(port);
  await origin.until(() => origin.connections.length === 2);
  const named = await RawClient.connect(port);
  named.send(writeHeaderV1(proxied));
  await origin.until(() => origin.connections.length === 3);
  named.send('GET / and no HTTP');
  await origin.until(() => origin.connections[2]?.received.toString() === 'GET / and no HTTP');
  for (const client of [plain, silent, named]) {
    client.socket.resetAndDestroy();
  }
  await harness.until(() => harness.tcpEnds.length === 3);
});

/** Any split: the whole is cut at every place, and once into single bytes. */
test('however the first bytes are cut, the filter gets exactly what the client sent after the header', async (t) => {
  const { harness, origin, port } = await sniffing(t, strict);
  const payload = Buffer.from('*2\r\n$4\r\nECHO\r\n$3\r\nhey\r\n');
  const whole = Buffer.concat([writeHeaderV2(proxied), payload]);
  const cuts = Array.from({ length: whole.length - 1 }, (_, index) => [index + 1]);
  for (const places of [...cuts, Array.from({ length: whole.length - 1 }, (_, index) => index + 1)]) {
    const client = await RawClient.connect(port);
    const before = origin.connections.length;
    let from = 0;
    for (const place of [...places, whole.length]) {
      client.send(whole.subarray(from, place));
      from = place;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await origin.until(() => origin.connections.length === before + 1);
    await origin.until(() => origin.connections.at(-1)?.received.length === payload.length);
    assert.deepEqual(origin.connections.at(-1)?.received, payload, `cut at ${places.join()}`);
    client.socket.resetAndDestroy();
  }
  await harness.until(() => harness.tcpEnds.length === whole.length);
});

import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually, peerSkip } from '@weft/testkit';
import { describeHealth } from '../src/endpoint/endpoint-health.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ProxyHarness } from './support/proxy-harness.ts';
import { staticConfig } from './support/static-config.ts';
import { StockEnvoy } from './support/stock-envoy.ts';

/** Active health checks: the same checks of origins that play the same script, by Envoy and by ours. */

type Turn =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'hang'
  | 'reset';

interface Case {
  readonly name: string;
  readonly check: JsonObject;
  readonly script?: readonly Turn[];
  readonly kind?: 'http' | 'grpc' | 'tcp';
  /** Of the endpoint. */
  readonly endpoint?: JsonObject;
  readonly cluster?: JsonObject;
  readonly flags: string;
}

const ok: Turn = { status: 200 };
const unavailable: Turn = { status: 503 };
const check = (path: string, more: JsonObject = {}, outer: JsonObject = {}): JsonObject => ({
  http_health_check: { path, ...more },
  ...outer,
});
const statuses = (start: number, end: number): JsonObject => ({ start: String(start), end: String(end) });
const hex = (text: string): JsonObject => ({ text: Buffer.from(text).toString('hex') });
const tcp = (send: string, ...receive: string[]): JsonObject => ({
  tcp_health_check: { ...(send === '' ? {} : { send: hex(send) }), receive: receive.map(hex) },
});
const http2Cluster: JsonObject = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

const failed = '/failed_active_hc';
const retriable = { retriable_statuses: [statuses(500, 600)] };
const cases: readonly Case[] = [
  { name: 'passes', check: check('/healthz?x=1', { host: 'books.example' }), script: [ok], flags: 'healthy' },
  {
    name: 'own-method-and-fields',
    check: check('/h', {
      method: 'POST',
      request_headers_to_add: [{ header: { key: 'x-check', value: 'yes' } }],
      request_headers_to_remove: ['user-agent'],
    }),
    script: [ok],
    flags: 'healthy',
  },
  { name: 'fails-at-once', check: check('/'), script: [ok, { status: 500 }], flags: failed },
  {
    name: 'retriable-once',
    check: check('/', retriable),
    script: [ok, unavailable, unavailable, ok],
    flags: 'healthy',
  },
  { name: 'retriable-for-long', check: check('/', retriable), script: [ok, unavailable], flags: failed },
  { name: 'heals', check: check('/'), script: [unavailable, ok], flags: 'healthy' },
  { name: 'first-counts', check: check('/', {}, { healthy_threshold: 100_000 }), script: [ok], flags: 'healthy' },
  {
    name: 'heals-slowly',
    check: check('/', {}, { healthy_threshold: 100_000 }),
    script: [unavailable, ok],
    flags: failed,
  },
  {
    name: 'other-statuses',
    check: check('/', { expected_statuses: [statuses(300, 400), statuses(204, 205)] }),
    script: [{ status: 204 }],
    flags: 'healthy',
  },
  {
    name: 'two-hundred-is-not-expected',
    check: check('/', { expected_statuses: [statuses(300, 400)] }),
    script: [ok],
    flags: failed,
  },
  {
    name: 'service-name',
    check: check('/', { service_name_matcher: { prefix: 'book' } }),
    script: [{ status: 200, headers: { 'x-envoy-upstream-healthchecked-cluster': 'books' } }],
    flags: 'healthy',
  },
  {
    name: 'other-service-name',
    check: check('/', { service_name_matcher: { prefix: 'book' } }),
    script: [{ status: 200, headers: { 'x-envoy-upstream-healthchecked-cluster': 'films' } }],
    flags: failed,
  },
  {
    name: 'degraded',
    check: check('/'),
    script: [{ status: 200, headers: { 'x-envoy-degraded': 'true' } }],
    flags: '/degraded_active_hc',
  },
  {
    name: 'excludes-itself',
    check: check('/'),
    script: [ok, { status: 503, headers: { 'x-envoy-immediate-health-check-fail': 'true' } }],
    flags: '/failed_active_hc/excluded_via_immediate_hc_fail',
  },
  {
    name: 'body',
    check: check('/', { receive: [hex('one'), hex('three')] }),
    script: [{ status: 200, body: 'one two three' }],
    flags: 'healthy',
  },
  {
    name: 'body-in-other-order',
    check: check('/', { receive: [hex('three'), hex('one')] }),
    script: [{ status: 200, body: 'one two three' }],
    flags: failed,
  },
  { name: 'no-answer', check: check('/'), script: [ok, 'hang'], flags: '/failed_active_hc/active_hc_timeout' },
  { name: 'broken', check: check('/'), script: [ok, 'reset'], flags: failed },
  { name: 'broken-at-times', check: check('/'), script: [ok, 'reset', 'reset', ok], flags: 'healthy' },
  { name: 'a-new-connection-each', check: check('/', {}, { reuse_connection: false }), script: [ok], flags: 'healthy' },
  {
    name: 'not-checked',
    check: check('/'),
    script: [unavailable],
    endpoint: { health_check_config: { disable_active_health_check: true } },
    flags: 'healthy',
  },
  {
    name: 'named',
    check: check('/', { host: 'books.example' }),
    script: [ok],
    endpoint: { health_check_config: { hostname: 'this.example' } },
    flags: 'healthy',
  },
  { name: 'tcp-connect', check: { tcp_health_check: {} }, kind: 'tcp', flags: 'healthy' },
  { name: 'tcp-answer', check: tcp('ping', 'PI', 'G'), kind: 'tcp', flags: 'healthy' },
  { name: 'tcp-other-answer', check: tcp('ping', 'pong'), kind: 'tcp', flags: '/failed_active_hc/active_hc_timeout' },
  { name: 'grpc-serving', check: { grpc_health_check: {} }, kind: 'grpc', cluster: http2Cluster, flags: 'healthy' },
  {
    name: 'grpc-not-serving',
    check: { grpc_health_check: { service_name: 'closed', authority: 'books.example' } },
    kind: 'grpc',
    cluster: http2Cluster,
    flags: failed,
  },
  {
    name: 'grpc-unknown',
    check: { grpc_health_check: { service_name: 'unknown' } },
    kind: 'grpc',
    cluster: http2Cluster,
    flags: failed,
  },
];

/** What an origin was asked first, as far as it is the same for both. */
interface Origin {
  readonly port: number;
  readonly asked: string[];
  close(): void;
}

async function listen(server: Server | http.Server | http2.Http2Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}

async function startOrigin({ kind = 'http', script = [ok] }: Case): Promise<Origin> {
  const asked: string[] = [];
  if (kind === 'tcp') {
    const server = createServer((socket) => {
      asked.push('connection');
      socket
        .on('error', () => {})
        .on('data', (bytes) => {
          asked.push(bytes.toString());
          socket.write(bytes.toString().toUpperCase());
        });
    });
    return { port: await listen(server), asked, close: () => server.close() };
  }
  if (kind === 'grpc') {
    const server = http2.createServer();
    const sessions = new Set<http2.ServerHttp2Session>();
    server.on('session', (session) => void sessions.add(session));
    server.on('stream', (stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on('error', () => {});
      stream.on('data', (piece: Buffer) => void pieces.push(piece));
      stream.on('end', () => {
        const body = Buffer.concat(pieces);
        asked.push(
          JSON.stringify([
            headers[':method'],
            headers[':path'],
            headers[':authority'],
            headers['content-type'],
            headers.te,
            body.toString('hex'),
          ]),
        );
        const status = body.includes('unknown') ? '5' : '0';
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
        stream.end(status === '0' ? Buffer.from([0, 0, 0, 0, 2, 8, body.includes('closed') ? 2 : 1]) : Buffer.alloc(0));
      });
    });
    const port = await listen(server);
    const close = (): void => {
      for (const session of sessions) {
        session.destroy();
      }
      server.close();
    };
    return { port, asked, close };
  }
  const server = http.createServer((request, response) => {
    const turn = script[Math.min(asked.length, script.length - 1)] ?? ok;
    const { method, url, headers } = request;
    const fields = Object.entries(headers).sort();
    asked.push(JSON.stringify([method, url, fields]));
    if (turn === 'reset') {
      request.socket.destroy();
    } else if (turn !== 'hang') {
      response.writeHead(turn.status, turn.headers ?? {}).end(turn.body ?? '');
    }
  });
  const port = await listen(server);
  return {
    port,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function clusterOf({ name, check: checked, endpoint = {}, cluster = {} }: Case, port: number): JsonObject {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    ...cluster,
    health_checks: [
      {
        timeout: '0.1s',
        interval: '0.02s',
        no_traffic_interval: '0.02s',
        unhealthy_threshold: 3,
        healthy_threshold: 2,
        ...checked,
      },
    ],
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [
            { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } }, ...endpoint } },
          ],
        },
      ],
    },
  };
}

describe('active health checks', { skip: peerSkip('envoy') }, () => {
  const harness = new ProxyHarness();
  const ours = new Map<string, Origin>();
  const theirs = new Map<string, Origin>();
  let envoy: StockEnvoy;

  before(async () => {
    for (const each of cases) {
      ours.set(each.name, await startOrigin(each));
      theirs.set(each.name, await startOrigin(each));
    }
    const clusters = (origins: ReadonlyMap<string, Origin>): JsonObject[] =>
      cases.map((each) => clusterOf(each, origins.get(each.name)?.port ?? 0));
    await harness.apply(staticConfig({ clusters: clusters(ours) }));
    envoy = await StockEnvoy.start({ static_resources: { clusters: clusters(theirs) } });
  });

  after(async () => {
    await harness.close();
    await envoy?.stop();
    for (const origin of [...ours.values(), ...theirs.values()]) {
      origin.close();
    }
  });

  const ourFlags = (name: string): string => {
    const status = harness.dataPlane.clusters().find((cluster) => cluster.name === name);
    return describeHealth(status?.endpoints[0]?.healthFlags ?? -1);
  };
  const envoyFlags = async (name: string): Promise<string> => {
    const text = await envoy.admin('/clusters');
    return new RegExp(`^${name}::127[^\n]*::health_flags::(.*)$`, 'm').exec(text)?.[1] ?? '';
  };

  for (const { name, script = [], flags } of cases) {
    test(name, async () => {
      const isChecked = flags !== 'healthy' || name !== 'not-checked';
      const enough = isChecked ? script.length + 6 : 0;
      const mine = ours.get(name);
      const envoys = theirs.get(name);
      assert.ok(mine !== undefined && envoys !== undefined);
      await eventually(() => mine.asked.length >= enough && ourFlags(name) === flags, { what: `ours: ${flags}` });
      await eventually(async () => envoys.asked.length >= enough && (await envoyFlags(name)) === flags, {
        what: `Envoy: ${flags}`,
      });
      assert.equal(
        mine.asked[0]?.replaceAll(String(mine.port), 'PORT'),
        envoys.asked[0]?.replaceAll(String(envoys.port), 'PORT'),
      );
    });
  }

  test('what is counted has the same names, and is told of the same endpoints', async () => {
    const stats = await envoy.admin('/stats?filter=health_check');
    for (const { name } of cases.filter(({ flags }) => flags === 'healthy')) {
      const [, healthy = ''] =
        new RegExp(`^cluster\\.${name}\\.health_check\\.healthy: (\\d+)$`, 'm').exec(stats) ?? [];
      const status = harness.dataPlane.clusters().find((cluster) => cluster.name === name);
      assert.equal(`${name} ${status?.healthChecks.healthy}`, `${name} ${name === 'not-checked' ? 0 : healthy}`);
    }
  });
});

/**
 * One Weft proxy from its source with a hand-made configuration, plaintext on both sides; started by `hop-proxies.ts`.
 * `node proxy-process.ts <http1|http2|tcp> <port> <upstream port>` serves until it is told to end. The protocol is what it speaks to the upstream.
 */
import { createLogger, systemClock } from '@weft/base';
import { createDataPlane } from '../../packages/proxy/src/create-data-plane.ts';
import {
  type ConfigParts,
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  noEdits,
  prefixMatch,
  retryPolicy,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from '../../packages/proxy/test/support/configs.ts';

const [protocol, port, upstreamPort] = process.argv.slice(2);
const address = { kind: 'ip', address: '127.0.0.1', port: Number(port) } as const;
const target = endpoint(Number(upstreamPort));

/** What a sidecar does with each record at least: a counter by route and status, and a line of text. */
let lines = '';
const counts = new Map<string, number>();

const dataPlane = createDataPlane({
  clock: systemClock,
  logger: createLogger(),
  random: Math.random,
  secrets: { get: () => undefined, subscribe: () => () => {} },
  onStreamEnd(info) {
    const key = `${info.routeName}|${info.responseCode}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    lines += `${info.method} ${info.path} ${info.responseCode} ${info.endMs - info.startMs} ${info.requestHeaders.get('user-agent')} ${info.requestId} ${info.endpoint?.address}\n`;
    if (lines.length > 65_536) {
      lines = '';
    }
  },
  onTcpStart() {},
  onTcpEnd() {},
  requestVirtualHost: () => Promise.resolve('answered'),
});

function tcpParts(): ConfigParts {
  const filter = {
    kind: 'tcp-proxy',
    statPrefix: 'tcp',
    clusters: [{ cluster: 'up', weight: 1, headers: noEdits }],
    idleTimeoutMs: 3_600_000,
    maxConnectionDurationMs: 0,
    maxConnectAttempts: 1,
    accessLogs: [],
  } as const;
  return { listeners: [listener([chain(filter)], { address })], clusters: [cluster('up', [target])] };
}

function httpParts(upstreamProtocol: 'http1' | 'http2'): ConfigParts {
  const manager = httpManager({ useRemoteAddress: true, normalizePath: true, idleTimeoutMs: 60_000 });
  const routes = [
    route(forwardTo('other'), { match: prefixMatch('/other/') }),
    route(forwardTo('up'), { name: 'all' }),
  ];
  const host = virtualHost(routes, {
    retryPolicy: retryPolicy(['connect-failure', 'reset-before-request'], { numRetries: 2 }),
    includeRequestAttemptCount: true,
  });
  const { upstreamHttp } = cluster('up', []);
  const up = cluster('up', [target], {
    loadBalancer: { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 },
    upstreamHttp: { ...upstreamHttp, protocol: upstreamProtocol },
  });
  return {
    listeners: [listener([chain(manager)], { address })],
    routes: [routeTable('routes', [host])],
    clusters: [up],
  };
}

await dataPlane.apply(
  runtimeConfig(protocol === 'tcp' ? tcpParts() : httpParts(protocol === 'http2' ? 'http2' : 'http1')),
);
// A profile (`--cpu-prof`) is written only by an orderly exit.
process.on('SIGTERM', () => process.exit(0));

/**
 * One Weft proxy with a hand-made configuration: plain HTTP/1.1 in, plain HTTP/1.1 out, started by `http1-hop.ts`.
 * `node http1-proxy-process.ts <upstream port>` prints `{"port":…}` and serves until it is killed.
 */
import { createLogger, systemClock } from '@weft/base';
import { createDataPlane } from '../../packages/proxy/src/create-data-plane.ts';
import {
  chain,
  cluster,
  endpoint,
  forwardTo,
  httpManager,
  listener,
  prefixMatch,
  retryPolicy,
  route,
  routeTable,
  runtimeConfig,
  virtualHost,
} from '../../packages/proxy/test/support/configs.ts';

const upstreamPort = Number(process.argv[2]);

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

await dataPlane.apply(
  runtimeConfig({
    listeners: [listener([chain(httpManager({ useRemoteAddress: true, normalizePath: true, idleTimeoutMs: 60_000 }))])],
    routes: [
      routeTable('routes', [
        virtualHost(
          [route(forwardTo('other'), { match: prefixMatch('/other/') }), route(forwardTo('up'), { name: 'all' })],
          {
            retryPolicy: retryPolicy(['connect-failure', 'reset-before-request'], { numRetries: 2 }),
            includeRequestAttemptCount: true,
          },
        ),
      ]),
    ],
    clusters: [
      cluster('up', [endpoint(upstreamPort)], {
        loadBalancer: { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 },
      }),
    ],
  }),
);
const [bound] = dataPlane.listeners();
process.stdout.write(`${JSON.stringify({ port: bound?.port })}\n`);
// A profile (`--cpu-prof`) is written only by an orderly exit.
process.on('SIGTERM', () => process.exit(0));

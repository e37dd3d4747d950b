/**
 * One Weft proxy that carries TCP, started by `tcp-relay.ts`. `node tcp-proxy-process.ts <upstream port>` prints
 * `{"port":…}` and serves until it is told to end.
 */
import { createLogger, systemClock } from '@weft/base';
import { createDataPlane } from '../../packages/proxy/src/create-data-plane.ts';
import {
  chain,
  cluster,
  endpoint,
  listener,
  noEdits,
  runtimeConfig,
} from '../../packages/proxy/test/support/configs.ts';

const dataPlane = createDataPlane({
  clock: systemClock,
  logger: createLogger(),
  random: Math.random,
  secrets: { get: () => undefined, subscribe: () => () => {} },
  onStreamEnd() {},
  onTcpStart() {},
  onTcpEnd() {},
  requestVirtualHost: () => Promise.resolve('answered'),
});

await dataPlane.apply(
  runtimeConfig({
    listeners: [
      listener([
        chain({
          kind: 'tcp-proxy',
          statPrefix: 'tcp',
          clusters: [{ cluster: 'up', weight: 1, headers: noEdits }],
          idleTimeoutMs: 3_600_000,
          maxConnectionDurationMs: 0,
          maxConnectAttempts: 1,
          accessLogs: [],
        }),
      ]),
    ],
    clusters: [cluster('up', [endpoint(Number(process.argv[2]))])],
  }),
);
const [bound] = dataPlane.listeners();
process.stdout.write(`${JSON.stringify({ port: bound?.port })}\n`);
// A profile (`--cpu-prof`) is written only by an orderly exit.
process.on('SIGTERM', () => process.exit(0));

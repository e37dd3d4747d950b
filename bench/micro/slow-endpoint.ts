/**
 * What one slow endpoint of four does to latency, by balancing policy: requests come at a fixed rate through our proxy, in one process with its upstreams. An
 * endpoint takes 10 ms for a request, the slow one 100 ms. In the first table each serves any number at once (a slow dependency), in the second eight (a slow
 * machine), so that what is too much for it waits there. The first two seconds are not counted.
 *
 * `node bench/micro/slow-endpoint.ts [--rate 400] [--seconds 6]`
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import type { LoadBalancerPolicy } from '../../packages/proxy/src/runtime-config/load-balancing.ts';
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
} from '../../packages/proxy/test/support/configs.ts';
import { ProxyHarness } from '../../packages/proxy/test/support/proxy-harness.ts';

const { values } = parseArgs({
  options: { rate: { type: 'string', default: '400' }, seconds: { type: 'string', default: '6' } },
});
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const FAST_MS = 10;
const SLOW_MS = 100;
/** Until estimates are there. */
const WARM_UP_MS = 2000;

const policies: Readonly<Record<string, LoadBalancerPolicy>> = {
  'round robin': { kind: 'round-robin' },
  random: { kind: 'random' },
  'least request': { kind: 'least-request', choiceCount: 2, activeRequestBias: 1 },
  'peak EWMA': { kind: 'peak-ewma', decayMs: 10_000, defaultLatencyMs: 30 },
};

/** Takes `serviceMs` for a request, and at most `workers` at once. */
async function upstream(serviceMs: number, workers: number): Promise<http.Server> {
  let busy = 0;
  const waiting: http.ServerResponse[] = [];
  const serve = (response: http.ServerResponse): void => {
    busy += 1;
    setTimeout(() => {
      busy -= 1;
      response.end('done');
      const next = waiting.shift();
      if (next !== undefined) {
        serve(next);
      }
    }, serviceMs);
  };
  const server = http.createServer((_, response) => {
    if (busy < workers) {
      serve(response);
    } else {
      waiting.push(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function measure(policy: LoadBalancerPolicy, workers: number): Promise<{ latencies: number[]; slow: number }> {
  const servers = await Promise.all([FAST_MS, FAST_MS, FAST_MS, SLOW_MS].map((ms) => upstream(ms, workers)));
  const began = performance.now();
  let slow = 0;
  servers.at(-1)?.on('request', () => {
    slow += performance.now() - began >= WARM_UP_MS ? 1 : 0;
  });
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const harness = new ProxyHarness();
  await harness.apply(
    runtimeConfig({
      listeners: [listener([chain(httpManager())])],
      routes: [routeTable('routes', [virtualHost([route(forwardTo('c'))])])],
      clusters: [
        cluster(
          'c',
          ports.map((port) => endpoint(port)),
          { loadBalancer: policy },
        ),
      ],
    }),
  );
  const agent = new http.Agent({ keepAlive: true });
  const latencies: number[] = [];
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = performance.now();
      const request = http.get({ host: '127.0.0.1', port: harness.port(), agent });
      request.on('error', reject);
      request.on('response', (response) => {
        response.resume().on('end', () => {
          if (start - began >= WARM_UP_MS) {
            latencies.push(performance.now() - start);
          }
          resolve();
        });
      });
    });
  const pending: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(rate * seconds, Math.floor(((performance.now() - began) / 1000) * rate));
      while (pending.length < due) {
        pending.push(ask());
      }
      if (due === rate * seconds) {
        clearInterval(timer);
        resolve();
      }
    }, 1);
  });
  await Promise.all(pending);
  agent.destroy();
  await harness.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  return { latencies: latencies.sort((a, b) => a - b), slow: (100 * slow) / latencies.length };
}

for (const workers of [Number.POSITIVE_INFINITY, 8]) {
  console.log(`${rate} requests/s, ${workers} at once`);
  for (const [name, policy] of Object.entries(policies)) {
    const { latencies, slow } = await measure(policy, workers);
    const at = (part: number): string =>
      (latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))] ?? 0).toFixed(0).padStart(5);
    console.log(
      `  ${name.padEnd(16)} p50 ${at(0.5)} ms   p90 ${at(0.9)} ms   p99 ${at(0.99)} ms   to the slow one ${slow.toFixed(1)} %`,
    );
  }
}

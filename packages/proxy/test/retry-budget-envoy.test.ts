import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { findPeer } from '@weft/testkit';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';
import { ask, EnvoyBeside } from './support/envoy-beside.ts';

/**
 * `budget_interval` of a retry budget, through stock Envoy and through ours: how many of the requests that fail are tried again when further tries
 * do not come to an end, and so all of them count. What was sent up to nine tenths of the interval ago counts, what is older than it does not.
 */
const INTERVAL_MS = 4_000;
const PERCENT = 10;
const BEFORE = 60;
const FAILING = 9;

/** Fails each path of its own once, and holds what comes again. */
class Origin {
  readonly server: http.Server;
  readonly #seen = new Set<string>();
  held = new Map<string, http.ServerResponse>();

  private constructor() {
    this.server = http.createServer((request, response) => {
      const { url = '' } = request;
      if (!url.includes('fail')) {
        response.end();
      } else if (this.#seen.has(url)) {
        this.held.set(url, response);
      } else {
        this.#seen.add(url);
        response.writeHead(503).end();
      }
    });
  }

  static async start(): Promise<Origin> {
    const origin = new Origin();
    await new Promise<void>((resolve) => origin.server.listen(0, '127.0.0.1', resolve));
    return origin;
  }

  cluster(name: string, budget: JsonObject): JsonObject {
    const address = {
      socket_address: { address: '127.0.0.1', port_value: (this.server.address() as AddressInfo).port },
    };
    return {
      name,
      type: 'STATIC',
      connect_timeout: '2s',
      circuit_breakers: { thresholds: [{ retry_budget: { min_retry_concurrency: 0, ...budget } }] },
      load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    };
  }
}

/** What a budget allows when `before` requests count, and then each of those that fail and their further tries. */
function allowed(before: number): number {
  let counted = before;
  let retries = 0;
  for (let sent = 0; sent < FAILING; sent += 1) {
    counted += 1;
    if (retries < Math.floor((PERCENT / 100) * counted)) {
      retries += 1;
      counted += 1;
    }
  }
  return retries;
}

describe('a retry budget over an interval', { skip: findPeer('envoy') === undefined && 'no Envoy' }, () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
  const budgets: Readonly<Record<string, JsonObject>> = {
    window: { budget_percent: { value: PERCENT }, budget_interval: `${INTERVAL_MS / 1_000}s` },
    'in-flight': { budget_percent: { value: PERCENT }, budget_interval: '0s' },
  };
  let origin: Origin;
  let sides: EnvoyBeside;
  let number = 0;

  before(async () => {
    origin = await Origin.start();
    sides = await EnvoyBeside.start(
      Object.keys(budgets).map((name) => ({
        match: { prefix: `/${name}/` },
        route: { cluster: name, timeout: '0s', retry_policy: { retry_on: '5xx', num_retries: 1 } },
      })),
      Object.entries(budgets).map(([name, budget]) => origin.cluster(name, budget)),
    );
  });

  after(async () => {
    agent.destroy();
    await sides?.close();
    origin?.server.closeAllConnections();
    origin?.server.close();
  });

  /** How many of the failing requests, one after the other, are tried again. */
  async function retried(port: number, name: string): Promise<number> {
    const answers: Promise<unknown>[] = [];
    const paths: string[] = [];
    for (let sent = 0; sent < FAILING; sent += 1) {
      number += 1;
      const path = `/${name}/fail-${number}`;
      let answered = false;
      answers.push(
        ask(port, path, {}, agent).then(() => {
          answered = true;
        }),
      );
      while (!answered && !origin.held.has(path)) {
        await pause(2);
      }
      paths.push(path);
    }
    const held = paths.flatMap((path) => origin.held.get(path) ?? []);
    for (const response of held) {
      response.end();
    }
    await Promise.all(answers);
    return held.length;
  }

  /** Good requests, and after a while failing ones. undefined: the machine was too slow for it to mean something. */
  async function after60(
    port: number,
    name: string,
    waitMs: number,
    doneWithinMs: number,
  ): Promise<number | undefined> {
    const started = performance.now();
    await Promise.all(Array.from({ length: BEFORE }, () => ask(port, `/${name}/good`, {}, agent)));
    const burstMs = performance.now() - started;
    await pause(waitMs);
    const failing = performance.now();
    const count = await retried(port, name);
    const isOnTime =
      waitMs > INTERVAL_MS ? performance.now() - failing < doneWithinMs : performance.now() - started < doneWithinMs;
    return isOnTime && burstMs < INTERVAL_MS / 2 ? count : undefined;
  }

  async function onBoth(name: string, waitMs: number): Promise<readonly number[]> {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const counts = await Promise.all(
        [sides.envoyPort, sides.ourPort].map((port) => after60(port, name, waitMs, 0.9 * INTERVAL_MS)),
      );
      if (counts.every((count) => count !== undefined)) {
        return counts;
      }
      await pause(INTERVAL_MS * 1.1);
    }
    throw new Error('the machine was too slow five times');
  }

  it('requests of the interval count, whether they are over or not', async () => {
    const expected = allowed(BEFORE);
    assert.ok(expected > allowed(0) + 4, `${expected}`);
    assert.deepEqual(await onBoth('window', INTERVAL_MS / 2), [expected, expected], 'Envoy, ours');
  });

  it('requests before the interval do not', async () => {
    assert.deepEqual(await onBoth('window', INTERVAL_MS * 1.1), [allowed(0), allowed(0)], 'Envoy, ours');
  });

  it('without an interval those that are under way count', async () => {
    const counts = await onBoth('in-flight', 0);
    assert.equal(counts[0], counts[1]);
    assert.ok((counts[0] ?? 0) <= 1, String(counts));
  });
});

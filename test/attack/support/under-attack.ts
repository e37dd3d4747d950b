import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { type AttackedProxy, type AttackedProxyOptions, startAttackedProxy } from './attacked-proxy.ts';
import { GoodClient } from './good-client.ts';

const mib = 1024 * 1024;
/** Requests that the good client has sent before the attack begins and, at least, while it lasts. */
const requestsBefore = 20;
const requestsWhile = 100;
const successShare = 0.99;

export interface Attack extends Omit<AttackedProxyOptions, 'originPort'> {
  /** The good client speaks HTTP/2 as well. */
  readonly http2?: boolean;
  /** How much more memory the proxy may take than before, MiB. */
  readonly mayGrowMib: number;
  /** Runs the attack; when it resolves the good client has to have been served all the while. */
  attack(proxy: AttackedProxy): Promise<void>;
}

/** Answers `ok`, or 8 MiB for `/big` and 1 MiB for `/medium`. */
async function startOrigin(t: TestContext): Promise<number> {
  const bodies = new Map([
    ['/big', Buffer.alloc(8 * mib, 'x')],
    ['/medium', Buffer.alloc(mib, 'x')],
  ]);
  const server: Server = createServer(
    { keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 },
    (request, response) => {
      request.resume();
      request.on('end', () => response.end(bodies.get(request.url ?? '') ?? 'ok'));
      request.on('error', () => {});
    },
  );
  server.on('clientError', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * Runs an attack on a proxy process while a client that behaves goes on: over 99 % of its requests succeed, memory stays within
 * bounds, and no defect shows.
 */
export async function underAttack(t: TestContext, attack: Attack): Promise<AttackedProxy> {
  const { mayGrowMib, attack: run, http2 = false, ...options } = attack;
  const proxy = await startAttackedProxy(t, { ...options, originPort: await startOrigin(t) });
  const good = new GoodClient(proxy.port, http2);
  good.start();
  const sentAtLeast = async (count: number): Promise<void> => {
    while (good.sent < count) {
      await pause(10);
    }
  };
  await sentAtLeast(requestsBefore);
  const before = await proxy.residentBytes();
  let peak = before;
  const watch = setInterval(() => {
    void proxy.residentBytes().then((bytes) => {
      peak = Math.max(peak, bytes);
    });
  }, 50);
  try {
    await run(proxy);
    await sentAtLeast(requestsBefore + requestsWhile);
  } catch (error) {
    await good.stop();
    throw error;
  } finally {
    clearInterval(watch);
  }
  const result = await good.stop();
  const grownMib = Math.round((peak - before) / mib);
  t.diagnostic(`good client: ${result.succeeded} of ${result.sent}; memory of the proxy grew by ${grownMib} MiB`);
  const failures = JSON.stringify([...result.failures]);
  assert.ok(proxy.isRunning(), `the proxy ended: ${proxy.output()}`);
  assert.ok(result.succeeded > result.sent * successShare, `${result.succeeded} of ${result.sent}: ${failures}`);
  assert.ok(grownMib <= mayGrowMib, `memory grew by ${grownMib} MiB, at most ${mayGrowMib} were expected`);
  assert.equal(await proxy.stat('weft_unhandled_errors_total'), 0, proxy.output());
  assert.equal(await proxy.stat('weft_connection_faults_total'), 0, proxy.output());
  return proxy;
}

/** Not for synchronisation: attackers take their time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A connection of an attacker; `answer` is what came back, its first 64 KiB. */
export interface Attacker {
  readonly socket: Socket;
  answer: string;
  closed: boolean;
  readonly ended: Promise<void>;
}

/** Connections that an attacker opened; all are destroyed when the test ends. */
export async function openAttackers(t: TestContext, port: number, count: number): Promise<Attacker[]> {
  const attackers: Attacker[] = [];
  t.after(() => {
    for (const { socket } of attackers) {
      socket.destroy();
    }
  });
  while (attackers.length < count) {
    const batch = Math.min(200, count - attackers.length);
    attackers.push(...(await Promise.all(Array.from({ length: batch }, () => openAttacker(port)))));
  }
  return attackers;
}

export function openAttacker(port: number): Promise<Attacker> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const attacker: Attacker = { socket, answer: '', closed: false, ended: promise };
    socket.on('data', (bytes) => {
      if (attacker.answer.length < 65_536) {
        attacker.answer += bytes.toString('latin1');
      }
    });
    const over = (): void => {
      attacker.closed = true;
      end();
      resolve(attacker);
    };
    socket.on('end', over);
    socket.on('close', over);
    socket.on('error', () => {});
    socket.once('connect', () => resolve(attacker));
  });
}

/** How many requests were logged with a detail. */
export async function loggedWith(proxy: AttackedProxy, details: string, flags?: string): Promise<number> {
  const logged = await proxy.logged();
  return logged.filter((entry) => entry.details === details && (flags === undefined || entry.flags === flags)).length;
}

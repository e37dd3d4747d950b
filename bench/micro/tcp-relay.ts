/**
 * Bytes per CPU second that a TCP proxy relays: Weft from its source, Envoy and HAProxy, as far as they are installed, round by round in turn.
 * Clients write 64 KB at a time as fast as they are let; the upstream reads and drops. CPU is the kernel's account of the proxy's process.
 *
 * With `--ping` each connection sends 64 bytes and waits for them to come back: the figure is then the CPU of one such round. With `--among`
 * one more connection does that while the others send all they can, and it is also told how long its rounds took.
 *
 * `node bench/micro/tcp-relay.ts [--rounds N] [--seconds N] [--connections N] [--down | --ping | --among] [--only weft] [--cpu-prof]`
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPeer } from '@weft/testkit';
import { type Contender, contender } from '../load/contender.ts';
import { tcpUnitBytes } from '../load/native-loads.ts';
import { startHaproxy } from '../load/peer-proxies.ts';
import { printTable } from '../load/report.ts';
import { costRounds, type Load } from '../load/rounds.ts';
import type { Running } from '../load/running.ts';
import { startEnvoyHop, startSourceProxy } from './hop-proxies.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '4' },
    /** The upstream sends and the clients read. */
    down: { type: 'boolean', default: false },
    ping: { type: 'boolean', default: false },
    among: { type: 'boolean', default: false },
    only: { type: 'string' },
    'cpu-prof': { type: 'boolean', default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'weft-tcp-relay-'));
const piece = Buffer.alloc(tcpUnitBytes, 'x');
const question = Buffer.alloc(64, 'q');
const sinkBuffer = Buffer.allocUnsafe(256 * 1024);
let sunk = 0;

function pump(socket: Socket): void {
  while (socket.writable && socket.write(piece)) {}
  if (socket.writable) {
    socket.once('drain', () => pump(socket));
  }
}

function onreadOf(answer: () => void): { buffer: Buffer; callback: (length: number) => boolean } {
  return {
    buffer: sinkBuffer,
    callback: (length) => {
      sunk += length;
      answer();
      return true;
    },
  };
}

/** The upstream, in this process: sends for ever, sends back, or reads and drops. */
function startUpstream(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    if (values.down) {
      pump(socket);
    } else if (values.ping) {
      socket.pipe(socket);
    } else {
      socket.on('data', (bytes) => {
        if (bytes[0] === question[0]) {
          socket.write(bytes);
        } else {
          sunk += bytes.length;
        }
      });
    }
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onread = onreadOf(() => values.ping && socket.write(question));
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** How long rounds among bulk took, ms, by proxy. */
const roundsMs = new Map<string, number[]>();

/** One round after the other on a connection of its own, until it is closed. */
async function startRounds(port: number, took: number[]): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let began = performance.now();
  socket.on('data', () => {
    took.push(performance.now() - began);
    began = performance.now();
    socket.write(question);
  });
  socket.write(question);
  return socket;
}

/** Work is counted in pieces of 64 KiB, with `--ping` in rounds. */
async function load({ port, proxy }: Contender, seconds: number): Promise<Load> {
  const before = { bytes: sunk, at: performance.now() };
  const sockets: Socket[] = [];
  for (let index = 0; index < Number(values.connections); index += 1) {
    const socket = await open(port);
    sockets.push(socket);
    if (values.ping) {
      socket.write(question);
    } else if (!values.down) {
      pump(socket);
    }
  }
  if (values.among) {
    const took = roundsMs.get(proxy) ?? [];
    roundsMs.set(proxy, took);
    sockets.push(await startRounds(port, took));
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const work = (sunk - before.bytes) / (values.ping ? question.length : piece.length);
  const elapsed = (performance.now() - before.at) / 1000;
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.resetAndDestroy();
  }
  return { work, seconds: elapsed, errors: 0 };
}

const contenders: Contender[] = [];

async function enter(name: 'weft' | 'envoy' | 'haproxy', start: () => Promise<Running>): Promise<void> {
  const wanted = values.only === undefined || values.only.split(',').includes(name);
  if (wanted && (name === 'weft' || findPeer(name) !== undefined)) {
    contenders.push(contender(name, undefined, [await start()]));
  }
}

try {
  const hop = { folder, protocol: 'tcp', upstreamPort: await startUpstream() } as const;
  await enter('weft', () => startSourceProxy({ ...hop, cpuProfile: values['cpu-prof'] }));
  await enter('envoy', () => startEnvoyHop(hop));
  await enter('haproxy', () => startHaproxy(hop));
  const costs = await costRounds(contenders, {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpWork: 10_000,
    say: (line) => void process.stderr.write(`  ${line}\n`),
    load,
  });
  const perCpuSecond = (us: number): string => (piece.length / us).toFixed(0);
  printTable(
    values.ping
      ? ['proxy', 'CPU µs/round', 'spread', 'rounds/s']
      : ['proxy', 'MB per CPU s', 'spread', 'pieces of 64 KiB/s'],
    [...costs].map(
      ([
        { proxy },
        {
          cpuUsPerRequest,
          cpuUsSpread: [least, most],
          rps,
        },
      ]) => [
        proxy,
        ...(values.ping
          ? [cpuUsPerRequest.toFixed(1), `${least.toFixed(1)}–${most.toFixed(1)}`]
          : [perCpuSecond(cpuUsPerRequest), `${perCpuSecond(most)}–${perCpuSecond(least)}`]),
        String(Math.round(rps)),
      ],
    ),
  );
  for (const [proxy, took] of roundsMs) {
    took.sort((a, b) => a - b);
    const parts = [0.5, 0.9, 0.99].map((share) => (took[Math.floor(took.length * share)] ?? Number.NaN).toFixed(1));
    process.stdout.write(
      `  ${proxy}: a round among bulk ${parts.join(' / ')} ms (median, 90 %, 99 % of ${took.length})\n`,
    );
  }
  for (const { stop } of contenders) {
    await stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

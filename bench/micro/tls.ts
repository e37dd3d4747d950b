/**
 * What TLS costs the proxy, on native handles and through Node's streams: a small message, 64 KB, a handshake (full and resumed), an idle connection.
 * Both ends are ours and in one process, so each figure is that of the client's and the server's side together; CPU is the process's own
 * account, user and system.
 *
 * `taskset -c 1 node --expose-gc bench/micro/tls.ts [--messages N] [--bulk N] [--handshakes N] [--idle N] [--way native|streams]`
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { findNativeTls } from '../../packages/proxy/src/tls/native-tls.ts';
import { TestCa } from '../../packages/proxy/test/support/test-ca.ts';
import { type End, TlsPair } from '../../packages/proxy/test/support/tls-pair.ts';
import { sidecarNodeFlags } from '../load/start-sidecar.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    bulk: { type: 'string', default: '5000' },
    handshakes: { type: 'string', default: '1500' },
    idle: { type: 'string', default: '2000' },
    way: { type: 'string' },
  },
});

const ways = ['native', 'streams'] as const;
const way = values.way ?? '';
if (way === '') {
  for (const name of ways) {
    const args = ['--expose-gc', ...sidecarNodeFlags, ...process.argv.slice(1), '--way', name];
    execFileSync(process.execPath, args, { stdio: 'inherit' });
  }
  process.exit(0);
}

const ca = await TestCa.create();
const pair = await TlsPair.start(ca, way === 'native' ? findNativeTls() : undefined);

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function print(what: string, figure: string): void {
  process.stdout.write(`${way.padEnd(8)} ${what.padEnd(44)} ${figure}\n`);
}

/** Throws messages to and fro on some connections at a time. @returns µs of CPU for one there and back. */
async function pingPong(size: number, rounds: number, connections: number): Promise<number> {
  const message = Buffer.alloc(size, 'x');
  const ends = await Promise.all(Array.from({ length: connections }, () => pair.both()));
  let left = rounds;
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  const echo = ({ connection }: End, onWhole: () => boolean): void => {
    let got = 0;
    connection.handler = {
      onData: (_bytes, from, to) => {
        got += to - from;
        if (got >= size) {
          got -= size;
          if (onWhole()) {
            connection.output.copy(message, 0, size);
          }
        }
      },
      onEnd() {},
      onClose() {},
      onWritable() {},
    };
  };
  for (const { client, server } of ends) {
    echo(server, () => true);
    echo(client, () => {
      left -= 1;
      if (left === 0) {
        done();
      }
      return left > 0;
    });
  }
  const before = cpuUs();
  for (const { client } of ends) {
    client.connection.output.copy(message, 0, size);
  }
  await finished;
  const used = cpuUs() - before;
  for (const { client, server } of ends) {
    client.connection.destroy();
    server.connection.destroy();
  }
  return used / rounds;
}

async function handshakes(count: number, resume: boolean): Promise<number> {
  const one = async (): Promise<void> => {
    if (!resume) {
      pair.forgetSessions();
    }
    const { client, server } = await pair.both();
    client.connection.output.latin1('?');
    await server.seen.until(() => server.seen.byteLength > 0);
    // Sessions come before it.
    server.connection.output.latin1('!');
    await client.seen.until(() => client.seen.byteLength > 0);
    if (resume && client.connection.tls?.resumed !== true && warm) {
      throw new Error('not resumed');
    }
    client.connection.destroy();
    server.connection.destroy();
    pair.forgetConnections();
  };
  let warm = false;
  for (let index = 0; index < 200; index += 1) {
    await one();
  }
  warm = true;
  const before = cpuUs();
  for (let index = 0; index < count; index += 1) {
    await one();
  }
  return (cpuUs() - before) / count;
}

async function idle(
  count: number,
): Promise<{ readonly rss: number; readonly heap: number; readonly external: number }> {
  const collect = globalThis.gc ?? (() => {});
  const keep: unknown[] = [];
  const measure = (): NodeJS.MemoryUsage => {
    collect();
    collect();
    return process.memoryUsage();
  };
  for (let index = 0; index < 50; index += 1) {
    keep.push(await pair.both());
  }
  pair.forgetConnections();
  const before = measure();
  for (let index = 0; index < count; index += 1) {
    keep.push(await pair.both());
    pair.forgetConnections();
  }
  await new Promise((resolve) => setImmediate(resolve));
  const after = measure();
  return {
    rss: (after.rss - before.rss) / count / 2 / 1024,
    heap: (after.heapUsed - before.heapUsed) / count / 2 / 1024,
    external: (after.external - before.external) / count / 2 / 1024,
  };
}

await pingPong(300, 5000, 16);
print(
  '300 bytes there and back, 64 connections',
  `${(await pingPong(300, Number(values.messages), 64)).toFixed(1)} µs`,
);
print('64 KB there and back, 4 connections', `${(await pingPong(65_536, Number(values.bulk), 4)).toFixed(1)} µs`);
print('full handshake, both sides', `${(await handshakes(Number(values.handshakes), false)).toFixed(0)} µs`);
print('resumed handshake, both sides', `${(await handshakes(Number(values.handshakes), true)).toFixed(0)} µs`);
const memory = await idle(Number(values.idle));
print(
  'idle connection, one end (mean of client and server)',
  `RSS ${memory.rss.toFixed(1)} KB, of it heap ${memory.heap.toFixed(1)} KB, external ${memory.external.toFixed(1)} KB`,
);
await ca.close();
process.exit(0);

/**
 * Bytes per CPU second that a TCP proxy relays: Weft, Envoy (where there is one), HAProxy and nginx in one run, round by round in turn. Clients write
 * 64 KB at a time as fast as they are let; the upstream reads and drops. CPU is the kernel's account of the proxy's process.
 *
 * With `--ping` each connection sends 64 bytes and waits for them to come back: the figure is then the CPU of one such round.
 *
 * `node bench/micro/tcp-relay.ts [--rounds N] [--seconds N] [--connections N] [--down | --ping] [--only weft] [--cpu-prof]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '4' },
    /** The upstream sends and the clients read. */
    down: { type: 'boolean', default: false },
    ping: { type: 'boolean', default: false },
    only: { type: 'string' },
    'cpu-prof': { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const folder = mkdtempSync(join(tmpdir(), 'weft-tcp-relay-'));
const children: ChildProcess[] = [];
/** The proxies have one core, load and upstream (this process) the other. */
const proxyCore = '0';
const piece = Buffer.alloc(64 * 1024, 'x');
const sinkBuffer = Buffer.allocUnsafe(256 * 1024);

interface Contestant {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn('taskset', ['-c', proxyCore, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (open) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function pump(socket: Socket): void {
  while (socket.writable && socket.write(piece)) {}
  if (socket.writable) {
    socket.once('drain', () => pump(socket));
  }
}

let sunk = 0;
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

const question = Buffer.alloc(64, 'q');

/** The upstream: sends for ever, or reads and drops. */
function startUpstream(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    if (values.down) {
      pump(socket);
    } else if (values.ping) {
      socket.pipe(socket);
    } else {
      socket.on('data', (bytes) => {
        sunk += bytes.length;
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

function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 1e4;
}

interface Sample {
  readonly megabytesPerCpuSecond: number;
  readonly megabytesPerSecond: number;
}

async function measure(contestant: Contestant, forSeconds: number): Promise<Sample> {
  const sockets: Socket[] = [];
  for (let index = 0; index < Number(values.connections); index += 1) {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const onread = onreadOf(() => values.ping && made.write(question));
      const made = connect({ port: contestant.port, host: '127.0.0.1', noDelay: true, onread }, () => resolve(made));
      made.on('error', reject);
    });
    sockets.push(socket);
    if (values.ping) {
      socket.write(question);
    } else if (!values.down) {
      pump(socket);
    }
  }
  // The windows of TCP grow first.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = { cpu: cpuUs(contestant.pid), bytes: sunk, at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, forSeconds * 1000));
  const cpu = cpuUs(contestant.pid) - before.cpu;
  const bytes = sunk - before.bytes;
  const elapsed = (performance.now() - before.at) / 1000;
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.resetAndDestroy();
  }
  return { megabytesPerCpuSecond: bytes / cpu, megabytesPerSecond: bytes / 1e6 / elapsed };
}

const envoyBinary = [
  process.env['WEFT_ENVOY'] ?? '',
  join(import.meta.dirname, '../../.tools/envoy/envoy/_bin/envoy'),
].find((path) => path !== '' && existsSync(path));

async function startEnvoy(binary: string, upstream: number): Promise<Contestant> {
  const port = await freePort();
  const file = join(folder, 'envoy.json');
  const address = (at: number): object => ({ socket_address: { address: '127.0.0.1', port_value: at } });
  writeFileSync(
    file,
    JSON.stringify({
      static_resources: {
        listeners: [
          {
            name: 'listener',
            address: address(port),
            filter_chains: [
              {
                filters: [
                  {
                    name: 'tcp',
                    typed_config: {
                      '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
                      stat_prefix: 'tcp',
                      cluster: 'up',
                    },
                  },
                ],
              },
            ],
          },
        ],
        clusters: [
          {
            name: 'up',
            type: 'STATIC',
            load_assignment: {
              cluster_name: 'up',
              endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }],
            },
          },
        ],
      },
    }),
  );
  const child = start(binary, ['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart']);
  await listening(port);
  return { name: 'envoy', port, pid: child.pid ?? 0 };
}

async function startHaproxy(upstream: number): Promise<Contestant> {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const timeouts = 'timeout client 60s\n  timeout server 60s\n  timeout connect 5s';
  writeFileSync(
    file,
    `global\n  nbthread 1\ndefaults\n  mode tcp\n  ${timeouts}\nlisten l\n  bind 127.0.0.1:${port}\n  server s 127.0.0.1:${upstream}\n`,
  );
  const child = start('haproxy', ['-db', '-f', file]);
  await listening(port);
  return { name: 'haproxy', port, pid: child.pid ?? 0 };
}

async function startWeft(upstream: number): Promise<Contestant> {
  const program = join(import.meta.dirname, 'tcp-proxy-process.ts');
  const profile = values['cpu-prof'] ? ['--cpu-prof', '--cpu-prof-dir', process.cwd()] : [];
  // The flags of a sidecar, packages/cli/src/workload/sidecar.ts.
  const flags = ['--max-semi-space-size=1', '--single-threaded', '--no-maglev', '--optimize-for-size'];
  const child = start(process.execPath, [...flags, ...profile, program, String(upstream)]);
  const port = await new Promise<number>((resolve) => {
    child.stdout?.once('data', (text: Buffer) => resolve((JSON.parse(String(text)) as { port: number }).port));
  });
  return { name: 'weft', port, pid: child.pid ?? 0 };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

try {
  const upstream = await startUpstream();
  const wanted = (name: string): boolean => values.only === undefined || values.only.split(',').includes(name);
  const contestants: Contestant[] = [];
  if (wanted('weft')) {
    contestants.push(await startWeft(upstream));
  }
  if (wanted('envoy') && envoyBinary !== undefined) {
    contestants.push(await startEnvoy(envoyBinary, upstream));
  }
  if (wanted('haproxy') && ['/usr/sbin/haproxy', '/usr/bin/haproxy'].some((path) => existsSync(path))) {
    contestants.push(await startHaproxy(upstream));
  }
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  for (const contestant of contestants) {
    await measure(contestant, 1);
  }
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const contestant of contestants) {
      samples.get(contestant.name)?.push(await measure(contestant, seconds));
    }
  }
  for (const [name, list] of samples) {
    const perCpu = list.map((sample) => sample.megabytesPerCpuSecond);
    if (values.ping) {
      const rounds = median(list.map((sample) => sample.megabytesPerSecond)) * (1e6 / question.length);
      process.stdout.write(
        `${name.padEnd(8)} median ${(question.length / median(perCpu)).toFixed(1)} µs of CPU a round, ${rounds.toFixed(0)} rounds/s\n`,
      );
      continue;
    }
    process.stdout.write(
      `${name.padEnd(8)} median ${median(perCpu).toFixed(0)} MB per CPU second (${Math.min(...perCpu).toFixed(0)}–${Math.max(...perCpu).toFixed(0)}), ` +
        `${median(list.map((sample) => sample.megabytesPerSecond)).toFixed(0)} MB/s\n`,
    );
  }
} finally {
  for (const child of children) {
    child.kill('SIGTERM');
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

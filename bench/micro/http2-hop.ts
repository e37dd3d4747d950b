/**
 * CPU per request of one plaintext HTTP/2 hop: Weft, HAProxy and Envoy (where there is one) in one run, round by round in
 * turn, the same static upstream (nginx, h2c) and load (h2load, 100 streams). CPU is the kernel's account of the proxy's
 * process, user and system.
 *
 * `node bench/micro/http2-hop.ts [--rounds N] [--seconds N] [--connections N] [--streams N] [--only weft] [--cpu-prof]`
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '1' },
    streams: { type: 'string', default: '100' },
    only: { type: 'string' },
    'cpu-prof': { type: 'boolean', default: false },
  },
});
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'weft-http2-hop-'));
const children: ChildProcess[] = [];
const ticksPerSecond = 100;
/** The proxies have one core, load and upstream the other: a write that wakes its receiver must not be preempted by it. */
const proxyCore = '0';
const loadCore = '1';

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

function start(core: string, command: string, args: readonly string[]): ChildProcess {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
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
  }
}

async function startUpstream(port: number): Promise<void> {
  const file = join(folder, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 4096; }
http { access_log off; ${temporary} keepalive_requests 1000000000; http2_max_concurrent_streams 1000;
server { listen 127.0.0.1:${port} http2; location / { default_type text/plain; return 200 "${'0123456789'.repeat(10)}"; } } }`,
  );
  start(loadCore, 'nginx', ['-p', folder, '-c', file]);
  await listening(port);
}

async function startHaproxy(port: number, upstream: number): Promise<Contestant> {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 8192
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend f
  bind 127.0.0.1:${port} proto h2
  default_backend b
backend b
  server s 127.0.0.1:${upstream} proto h2
`,
  );
  const child = start(proxyCore, 'haproxy', ['-db', '-f', file]);
  await listening(port);
  return { name: 'haproxy', port, pid: child.pid ?? 0 };
}

const envoyBinary = [
  process.env['WEFT_ENVOY'] ?? '',
  join(import.meta.dirname, '../../.tools/envoy/envoy/_bin/envoy'),
].find((path) => path !== '' && existsSync(path));

/** Envoy of `npm test`'s peers, with the features that ours has on: access log, remote address, path, retries. */
async function startEnvoy(binary: string, port: number, upstream: number): Promise<Contestant> {
  const address = (at: number): object => ({ socket_address: { address: '127.0.0.1', port_value: at } });
  const type = 'type.googleapis.com/envoy.extensions';
  const manager = {
    '@type': `${type}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'bench',
    codec_type: 'AUTO',
    use_remote_address: true,
    normalize_path: true,
    access_log: [
      {
        name: 'file',
        typed_config: {
          '@type': `${type}.access_loggers.file.v3.FileAccessLog`,
          path: join(folder, 'envoy-access.log'),
        },
      },
    ],
    route_config: {
      name: 'routes',
      virtual_hosts: [
        {
          name: 'host',
          domains: ['*'],
          include_request_attempt_count: true,
          retry_policy: { retry_on: 'connect-failure,reset-before-request', num_retries: 2 },
          routes: [
            { match: { prefix: '/other/' }, route: { cluster: 'up' } },
            { match: { prefix: '/' }, route: { cluster: 'up' } },
          ],
        },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${type}.filters.http.router.v3.Router` } }],
  };
  const file = join(folder, 'envoy.json');
  writeFileSync(
    file,
    JSON.stringify({
      static_resources: {
        listeners: [
          {
            name: 'listener',
            address: address(port),
            filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
          },
        ],
        clusters: [
          {
            name: 'up',
            type: 'STATIC',
            lb_policy: 'LEAST_REQUEST',
            typed_extension_protocol_options: {
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
                '@type': `${type}.upstreams.http.v3.HttpProtocolOptions`,
                explicit_http_config: { http2_protocol_options: {} },
              },
            },
            load_assignment: {
              cluster_name: 'up',
              endpoints: [{ lb_endpoints: [{ endpoint: { address: address(upstream) } }] }],
            },
          },
        ],
      },
    }),
  );
  const child = start(proxyCore, binary, ['-c', file, '--concurrency', '1', '-l', 'error', '--disable-hot-restart']);
  await listening(port);
  return { name: 'envoy', port, pid: child.pid ?? 0 };
}

async function startWeft(upstream: number): Promise<Contestant> {
  const program = join(import.meta.dirname, 'http2-proxy-process.ts');
  const profile = values['cpu-prof'] ? ['--cpu-prof', '--cpu-prof-dir', process.cwd()] : [];
  const child = start(proxyCore, process.execPath, [...profile, program, String(upstream)]);
  const port = await new Promise<number>((resolve) => {
    child.stdout?.once('data', (text: Buffer) => resolve((JSON.parse(String(text)) as { port: number }).port));
  });
  return { name: 'weft', port, pid: child.pid ?? 0 };
}

function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}

async function measure(contestant: Contestant, seconds: number): Promise<{ cpuUs: number; rps: number }> {
  const before = cpuUs(contestant.pid);
  const { stdout } = await run('taskset', [
    '-c',
    loadCore,
    'h2load',
    '-t1',
    `-c${values.connections}`,
    `-m${values.streams}`,
    `-D${seconds}`,
    `http://127.0.0.1:${contestant.port}/catalog/items?page=2`,
  ]);
  const used = cpuUs(contestant.pid) - before;
  const requests = Number(/(\d+) 2xx/.exec(stdout)?.[1] ?? 0);
  const bad = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/
    .exec(stdout)
    ?.slice(1)
    .some((n) => n !== '0');
  if (bad !== false || requests === 0) {
    throw new Error(`${contestant.name}: ${stdout}`);
  }
  return { cpuUs: used / requests, rps: requests / seconds };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

const missing = ['h2load', 'nginx', 'haproxy'].filter(
  (name) => !['/usr/bin', '/usr/sbin', '/usr/local/bin'].some((path) => existsSync(join(path, name))),
);
if (missing.length > 0) {
  process.stdout.write(`SKIP: ${missing.join(', ')} not installed\n`);
  process.exit(0);
}

try {
  const upstream = await freePort();
  await startUpstream(upstream);
  const wanted = (name: string): boolean => values.only === undefined || values.only === name;
  const contestants: Contestant[] = [];
  if (wanted('weft')) {
    contestants.push(await startWeft(upstream));
  }
  if (wanted('haproxy')) {
    contestants.push(await startHaproxy(await freePort(), upstream));
  }
  if (envoyBinary !== undefined && wanted('envoy')) {
    contestants.push(await startEnvoy(envoyBinary, await freePort(), upstream));
  }
  const samples = new Map<string, { cpuUs: number; rps: number }[]>(contestants.map(({ name }) => [name, []]));
  for (const contestant of contestants) {
    await measure(contestant, 2);
  }
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const contestant of contestants) {
      samples.get(contestant.name)?.push(await measure(contestant, Number(values.seconds)));
    }
  }
  for (const [name, list] of samples) {
    const cpu = list.map((sample) => sample.cpuUs);
    process.stdout.write(
      `${name.padEnd(8)} CPU/request median ${median(cpu).toFixed(1)} µs (${Math.min(...cpu).toFixed(1)}–${Math.max(...cpu).toFixed(1)}), ` +
        `${Math.round(median(list.map((sample) => sample.rps)))} requests/s\n`,
    );
  }
} finally {
  for (const child of children) {
    child.kill('SIGTERM');
  }
  rmSync(folder, { recursive: true, force: true });
}

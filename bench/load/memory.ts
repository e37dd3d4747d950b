/** Resident memory: at rest, with a few services of a large mesh in use, and for each idle connection. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { eventually, findPeer, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import type { IdleConnectionsOptions } from './clients/idle-connections.ts';
import { clientTlsFiles, type Field, inboundSidecar, plainHop } from './field.ts';
import { wrkLoad } from './native-loads.ts';
import { processCost } from './process-cost.ts';
import { loadCore, type Running } from './running.ts';
import { sidecarPid } from './sidecar-process.ts';
import type { Engine } from './start-sidecar.ts';
import { startHttp1Upstream } from './upstreams.ts';

/** MB are 2^20 bytes, KB 2^10. */
export interface MemoryResult {
  /** Each process {@link restMs} after it came up, without traffic. */
  readonly idle: readonly { readonly process: string; readonly rssMb: number }[];
  /**
   * `firstTrafficMb`: what a sidecar grew by with the first thousand requests, to one service in a mesh that has no other: code, pools, buffers.
   * `addedMb`: what it grew by after that, when the mesh got 1,000 services and its workload called 5 of them.
   */
  readonly services: readonly { readonly proxy: Engine; readonly firstTrafficMb: number; readonly addedMb: number }[];
  /** Growth by one idle client connection that has had one request. */
  readonly perIdleConnection: readonly {
    readonly proxy: Engine;
    readonly transport: 'plain' | 'mtls';
    readonly connections: number;
    readonly kb: number;
  }[];
}

const restMs = 20_000;
const servicesInMesh = 1_000;
const servicesUsed = 5;
const requestsEach = 200;
const settleMs = 8_000;

/** @param connections idle connections for each proxy and transport. */
export async function benchMemory(field: Field, connections: number): Promise<MemoryResult> {
  const engines = (['weft', 'envoy'] as const).filter((engine) => engine === 'weft' || findPeer('envoy') !== undefined);
  const { idle, services } = await sidecarsOfMesh(field, engines);
  const perIdleConnection: MemoryResult['perIdleConnection'][number][] = [];
  const upstream = await startHttp1Upstream(field.folder);
  try {
    for (const transport of ['plain', 'mtls'] as const) {
      for (const proxy of engines) {
        const kb = await idleConnections(field, proxy, transport, connections, upstream);
        field.say(`${proxy}, ${transport}: ${kb.toFixed(1)} KB a connection`);
        perIdleConnection.push({ proxy, transport, connections, kb });
      }
    }
  } finally {
    await upstream.stop();
  }
  return { idle, services, perIdleConnection };
}

async function sidecarsOfMesh(
  field: Field,
  engines: readonly Engine[],
): Promise<Pick<MemoryResult, 'idle' | 'services'>> {
  const { say, folder } = field;
  const upstream = await startHttp1Upstream(folder);
  const mesh = await startMesh();
  try {
    const sidecars: { engine: Engine; workload: TestWorkload; pid: number }[] = [];
    for (const engine of engines) {
      const envoy = findPeer('envoy');
      const workload = await mesh.runWorkload(
        ['--name', `idle-${engine}`, '--engine', engine, '--', 'sleep', '100000'],
        {
          env: envoy === undefined ? {} : { WEFT_ENVOY: envoy },
        },
      );
      sidecars.push({ engine, workload, pid: sidecarPid(workload.process.pid, engine) });
    }
    say(`waiting ${restMs / 1000} s at rest`);
    await pause(restMs);
    const rssMb = (pid: number): number => processCost(pid).rssBytes / 2 ** 20;
    const idle = [
      { process: 'control plane', rssMb: rssMb(mesh.facts().processId) },
      ...sidecars.map(({ engine, pid }) => ({ process: `sidecar ${engine}`, rssMb: rssMb(pid) })),
    ];
    const settled = async (): Promise<readonly number[]> => {
      await pause(settleMs);
      return sidecars.map(({ pid }) => rssMb(pid));
    };
    const atRest = sidecars.map(({ pid }) => rssMb(pid));
    await makeServices(mesh, folder, upstream.port, 1);
    for (const { workload } of sidecars) {
      await callServices(workload, 1, servicesUsed * requestsEach);
    }
    const afterTraffic = await settled();
    say(`making ${servicesInMesh} services`);
    await makeServices(mesh, folder, upstream.port, servicesInMesh);
    for (const { workload } of sidecars) {
      await callServices(workload, servicesUsed, requestsEach);
    }
    const afterUse = await settled();
    const services = sidecars.map(({ engine }, index) => ({
      proxy: engine,
      firstTrafficMb: (afterTraffic[index] ?? Number.NaN) - (atRest[index] ?? Number.NaN),
      addedMb: (afterUse[index] ?? Number.NaN) - (afterTraffic[index] ?? Number.NaN),
    }));
    return { idle, services };
  } finally {
    await mesh.stop();
    await upstream.stop();
  }
}

function serviceHost(index: number): string {
  return `service-${index}.bench`;
}

async function callServices({ httpProxyPort }: TestWorkload, services: number, requests: number): Promise<void> {
  for (let service = 0; service < services; service++) {
    const host = serviceHost(service);
    await eventually(async () => (await getByProxy(httpProxyPort, host)) === 200, { what: `${host} answers` });
    for (let i = 0; i < requests; i++) {
      await getByProxy(httpProxyPort, host);
    }
  }
}

async function makeServices(mesh: TestMesh, folder: string, port: number, count: number): Promise<void> {
  const file = join(folder, 'services.yaml');
  const documents = Array.from(
    { length: count },
    (_, index) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: service-${index}, namespace: default }
spec:
  hosts: [${serviceHost(index)}]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: ${port} }]
  endpoints: [{ address: 127.0.0.1 }]
`,
  );
  writeFileSync(file, documents.join('---\n'));
  const applied = await mesh.weft(['apply', '-f', file], { timeoutMs: 120_000 });
  if (applied.code !== 0) {
    throw new Error(`the services cannot be applied: ${applied.stderr.slice(-2_000)}`);
  }
}

/** Status of one GET of the host by the sidecar's HTTP proxy. */
function getByProxy(proxyPort: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port: proxyPort, path: `http://${host}/`, headers: { host } },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    outgoing.once('error', reject);
    outgoing.end();
  });
}

async function idleConnections(
  field: Field,
  engine: Engine,
  transport: 'plain' | 'mtls',
  count: number,
  upstream: Running,
): Promise<number> {
  const hop =
    transport === 'plain'
      ? await plainHop(field, engine, 'http', upstream.port)
      : await inboundSidecar(field, engine, upstream.port, 'idle');
  let client: ChildProcess | undefined;
  try {
    const tls = transport === 'mtls' ? clientTlsFiles(field, 'idle') : undefined;
    // Pools, compiled code and first buffers belong to a proxy that works, not to idle connections.
    if (transport === 'plain') {
      await wrkLoad(hop.port, field.connections, 2);
    }
    await holdIdle({ port: hop.port, count: 64, ...(tls === undefined ? {} : { tls }) }).then(release);
    await pause(settleMs / 4);
    const before = processCost(...hop.pids).rssBytes;
    client = await holdIdle({ port: hop.port, count, ...(tls === undefined ? {} : { tls }) });
    await pause(settleMs);
    return (processCost(...hop.pids).rssBytes - before) / count / 1024;
  } finally {
    if (client !== undefined) {
      await release(client);
    }
    await hop.stop();
  }
}

/** Starts the program that holds connections; resolves when all are open. */
function holdIdle(options: IdleConnectionsOptions): Promise<ChildProcess> {
  const program = join(import.meta.dirname, 'clients/idle-connections.ts');
  const child = spawn(
    'taskset',
    [
      '-c',
      String(loadCore),
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      program,
      JSON.stringify(options),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(child));
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the program that holds connections ended with ${code}`)));
  });
}

function release(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.stdin?.end();
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eventually, findPeer, freePort, programs, startBackground, startMesh, type TestMesh } from '@weft/testkit';
import type { Backends } from './backends.ts';
import { createClient } from './client.ts';
import type { MeshCase } from './configuration.ts';
import type { Side } from './sides.ts';

/** Istio's format has the user agent, and no field of our own. */
const agentField = 'user-agent';

/** One line of Istio's default format: what it says of a request that the other proxy must say, too. */
const line =
  /^\[[^\]]+\] "[^"]*" (?<code>\S+) (?<flags>\S+) (?<details>\S+) \S+ "[^"]*" \S+ \S+ \S+ \S+ "[^"]*" "(?<id>[^"]*)" "[^"]*" "[^"]*" "[^"]*" (?<cluster>\S+) \S+ \S+ \S+ \S+ (?<route>.*)$/;

/** A proxy of a mesh. */
class MeshSide implements Side {
  readonly letter: 'e' | 'w';
  readonly agentField = agentField;
  readonly #port: (name: string) => number;
  readonly #files: readonly string[];
  readonly #lines = new Map<string, Readonly<Record<string, string>>>();
  readonly #close: () => Promise<void>;

  constructor(engine: Engine, { portOf, logs }: Started, close: () => Promise<void>) {
    this.letter = engine === 'envoy' ? 'e' : 'w';
    this.#port = portOf;
    this.#files = logs;
    this.#close = close;
  }

  port(name: string): number {
    return this.#port(name);
  }

  log(id: string): Readonly<Record<string, string>> | undefined {
    return this.#lines.get(id);
  }

  async refresh(): Promise<void> {
    // A log that has grown large goes on as another file.
    for (const file of this.#files.flatMap((name) => [`${name}.1`, name])) {
      for (const entry of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
        const { id, ...fields } = line.exec(entry)?.groups ?? {};
        if (id !== undefined) {
          this.#lines.set(id, fields);
        }
      }
    }
  }

  close(): Promise<void> {
    return this.#close();
  }
}

type Engine = 'weft' | 'envoy';

/** A proxy that runs. */
interface Started {
  /** Where requests of a case are sent. */
  readonly portOf: (name: string) => number;
  /** The files with its access log. */
  readonly logs: readonly string[];
}

interface StartOptions {
  readonly mesh: TestMesh;
  readonly engine: Engine;
  readonly cases: readonly MeshCase[];
  readonly backends: Backends;
  /** Is given what ends what the mesh does not end. */
  readonly stops: (() => Promise<void>)[];
}

type Start = (options: StartOptions) => Promise<Started>;

/** A mesh of the built product with the objects of all cases, and in it a proxy of each engine. */
export async function startMeshSides(
  cases: readonly MeshCase[],
  backends: Backends,
  start: Start,
): Promise<readonly [Side, Side]> {
  const mesh = await startMesh();
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((end) => end()));
    await mesh.stop();
  };
  try {
    await applyCases(mesh, cases, backends);
    const common = { mesh, cases, backends, stops };
    const envoy = new MeshSide('envoy', await start({ ...common, engine: 'envoy' }), stop);
    const weft = new MeshSide('weft', await start({ ...common, engine: 'weft' }), () => Promise.resolve());
    await Promise.all([envoy, weft].map((side) => warmUp(side, cases)));
    return [envoy, weft];
  } catch (error) {
    await stop();
    throw error;
  }
}

const logOf: Readonly<Record<Engine, string>> = { weft: 'proxy.log', envoy: 'envoy.log' };
const environment = { WEFT_ENVOY: findPeer('envoy') ?? '' };

/** The sidecar of a caller. */
export const startSidecar: Start = async ({ mesh, engine }) => {
  const args = ['--name', `caller-${engine}`, '--service', 'caller', '--workload-group', 'caller', '--engine', engine];
  const { name, httpProxyPort } = await mesh.runWorkload([...args, '--', 'sleep', '10000'], { env: environment });
  return { portOf: () => httpProxyPort, logs: [logFile(mesh, engine, name)] };
};

function logFile(mesh: TestMesh, engine: Engine, workload: string): string {
  return join(mesh.home, 'run', `default.${workload}`, logOf[engine]);
}

/** A program that passes connections to its port on to another one. */
function relay(port: number): string {
  return `const { connect, createServer } = require('node:net');
createServer({ allowHalfOpen: true }, (from) => {
  const to = connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true });
  from.pipe(to).pipe(from);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
}).listen(process.env.PORT, '127.0.0.1');`;
}

/** The sidecars of what is called, one for each case: its application is the backend of the first service. */
export const startCalled: Start = async ({ mesh, engine, cases, backends }) => {
  const ports = new Map<string, number>();
  const logs: string[] = [];
  for (const { name: key, services, protocol = 'http' } of cases) {
    const [service = ''] = Object.keys(services);
    const port = [...backends.ports].find(([backend]) => backend.startsWith(`${service}-`))?.[1][0];
    const args = [
      ...['--service', `${service}-called`, '--name', `${service}-${engine}`, '--engine', engine],
      ...['--port', '80:0', '--protocol', protocol, '--', process.execPath, '-e', relay(port ?? 0)],
    ];
    const { name } = await mesh.runWorkload(args, { env: environment });
    logs.push(logFile(mesh, engine, name));
    const { body } = await mesh.api().request('GET', `/apis/weft.dev/v1alpha1/namespaces/default/proxies/${name}`);
    const { inbound = [] } = (body as { readonly spec: { readonly inbound?: readonly { readonly port: number }[] } })
      .spec;
    ports.set(key, inbound[0]?.port ?? 0);
  }
  return { portOf: (name) => ports.get(name) ?? 0, logs };
};

export const startGateway: Start = async ({ mesh, engine, cases, stops }) => {
  const ports = new Map([
    [80, await freePort()],
    [8080, await freePort()],
  ]);
  const flags = [...ports].flatMap(([port, listenPort]) => ['--port', `${port}=${listenPort}`]);
  const gateway = startBackground(
    process.execPath,
    [programs.weft, 'gateway', 'edge', '--label', 'istio=edge', '--engine', engine, ...flags],
    { env: { ...mesh.env, ...environment } },
  );
  stops.push(() => gateway.stop());
  // Of each engine there is one; beside Envoy runs an agent, which has a log as well.
  const logs = (): readonly string[] =>
    globSync(join(mesh.home, 'run', '*', logOf[engine])).filter(
      (file) => engine === 'envoy' || !existsSync(join(dirname(file), 'envoy.json')),
    );
  await eventually(() => gateway.child.exitCode !== null || logs().length > 0, {
    what: `the gateway of ${engine} runs`,
  });
  const [log] = logs();
  if (log === undefined) {
    throw new Error(`the gateway of ${engine} ended:\n${gateway.output()}`);
  }
  const portOf = new Map(cases.map(({ name, gatewayPort }) => [name, ports.get(gatewayPort ?? 80) ?? 0]));
  return { portOf: (name) => portOf.get(name) ?? 0, logs: [log] };
};

async function applyCases(mesh: TestMesh, cases: readonly MeshCase[], backends: Backends): Promise<void> {
  const documents: string[] = [
    `
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: caller}
spec: {metadata: {labels: {tier: gold}}, template: {serviceAccount: caller, locality: here/a}}`,
  ];
  for (const { services, manifest } of cases) {
    for (const [name, versions] of Object.entries(services)) {
      documents.push(`
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80}]}`);
      for (const instance of versions) {
        const { version, labels, ...more } = typeof instance === 'string' ? { version: instance } : instance;
        const backend = `${name}-${version}`;
        const spec = { address: '127.0.0.1', labels: { app: name, version, ...labels }, ...more };
        await backends.add({ name: backend });
        const ports = { http: backends.ports.get(backend)?.[0] };
        documents.push(`
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${backend}}
spec: ${JSON.stringify({ ...spec, ports })}`);
      }
    }
    documents.push(...(manifest === '' ? [] : [manifest]));
  }
  const { code, stdout, stderr } = await mesh.weft(['apply', '-n', 'default', '-f', '-'], {
    input: documents.join('\n---\n'),
  });
  if (code !== 0) {
    throw new Error(`the mesh does not take the cases:\n${stdout}${stderr}`);
  }
}

/** Until the proxy has what the first request of a host asks for: what was looked for too early is answered 503. */
async function warmUp(side: Side, cases: readonly MeshCase[]): Promise<void> {
  for (const { name, services } of cases) {
    const client = createClient('http1', side.port(name));
    try {
      for (const host of Object.keys(services)) {
        const request = { method: 'GET', path: '/warm-up', host, headers: [] };
        await eventually(async () => ![0, 503].includes((await client.send(request, 'warm-up')).status), {
          what: `${host} is known`,
        });
      }
    } finally {
      client.close();
    }
  }
}

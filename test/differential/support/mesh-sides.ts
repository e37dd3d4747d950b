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
  readonly #file: string;
  readonly #lines = new Map<string, Readonly<Record<string, string>>>();
  readonly #close: () => Promise<void>;

  constructor(engine: Engine, port: (name: string) => number, file: string, close: () => Promise<void>) {
    this.letter = engine === 'envoy' ? 'e' : 'w';
    this.#port = port;
    this.#file = file;
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
    for (const file of [`${this.#file}.1`, this.#file]) {
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

/** Starts a proxy. @param close ends it. */
type Start = (mesh: TestMesh, engine: Engine, cases: readonly MeshCase[], close: () => Promise<void>) => Promise<Side>;

/** A mesh of the built product with the objects of all cases, and in it a proxy of each engine. */
export async function startMeshSides(
  cases: readonly MeshCase[],
  backends: Backends,
  start: Start,
): Promise<readonly [Side, Side]> {
  const mesh = await startMesh();
  try {
    await applyCases(mesh, cases, backends);
    const envoy = await start(mesh, 'envoy', cases, () => Promise.resolve());
    const weft = await start(mesh, 'weft', cases, () => mesh.stop());
    await Promise.all([envoy, weft].map((side) => warmUp(side, cases)));
    return [envoy, weft];
  } catch (error) {
    await mesh.stop();
    throw error;
  }
}

const logOf: Readonly<Record<Engine, string>> = { weft: 'proxy.log', envoy: 'envoy.log' };
const environment = { WEFT_ENVOY: findPeer('envoy') ?? '' };

export const startSidecar: Start = async (mesh, engine, _cases, close) => {
  const args = ['--name', `caller-${engine}`, '--service', 'caller', '--engine', engine, '--', 'sleep', '10000'];
  const { name, httpProxyPort } = await mesh.runWorkload(args, { env: environment });
  const file = join(mesh.home, 'run', `default.${name}`, logOf[engine]);
  return new MeshSide(engine, () => httpProxyPort, file, close);
};

export const startGateway: Start = async (mesh, engine, cases, close) => {
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
  // Of each engine there is one; beside Envoy runs an agent, which has a log as well.
  const logs = (): readonly string[] =>
    globSync(join(mesh.home, 'run', '*', logOf[engine])).filter(
      (file) => engine === 'envoy' || !existsSync(join(dirname(file), 'envoy.json')),
    );
  await eventually(() => gateway.child.exitCode !== null || logs().length > 0, {
    what: `the gateway of ${engine} runs`,
  });
  const [file] = logs();
  if (file === undefined) {
    throw new Error(`the gateway of ${engine} ended:\n${gateway.output()}`);
  }
  const portOf = new Map(cases.map(({ name, gatewayPort }) => [name, ports.get(gatewayPort ?? 80) ?? 0]));
  return new MeshSide(
    engine,
    (name) => portOf.get(name) ?? 0,
    file,
    async () => {
      await gateway.stop();
      await close();
    },
  );
};

async function applyCases(mesh: TestMesh, cases: readonly MeshCase[], backends: Backends): Promise<void> {
  const documents: string[] = [];
  for (const { services, manifest } of cases) {
    for (const [name, versions] of Object.entries(services)) {
      documents.push(`
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80}]}`);
      for (const version of versions) {
        const backend = `${name}-${version}`;
        await backends.add({ name: backend });
        documents.push(`
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${backend}}
spec: {address: 127.0.0.1, ports: {http: ${backends.ports.get(backend)?.[0]}}, labels: {app: ${name}, version: ${version}}}`);
      }
    }
    documents.push(manifest);
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

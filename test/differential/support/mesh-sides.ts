import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, findPeer, startMesh, type TestMesh } from '@weft/testkit';
import type { Backends } from './backends.ts';
import { createClient } from './client.ts';
import type { MeshCase } from './configuration.ts';
import type { Side } from './sides.ts';

/** Istio's format has the user agent, and no field of our own. */
const agentField = 'user-agent';

/** One line of Istio's default format: what it says of a request that the other proxy must say, too. */
const line =
  /^\[[^\]]+\] "[^"]*" (?<code>\S+) (?<flags>\S+) (?<details>\S+) \S+ "[^"]*" \S+ \S+ \S+ \S+ "[^"]*" "(?<id>[^"]*)" "[^"]*" "[^"]*" "[^"]*" (?<cluster>\S+) \S+ \S+ \S+ \S+ (?<route>.*)$/;

/** A sidecar of a mesh. */
class MeshSide implements Side {
  readonly letter: 'e' | 'w';
  readonly agentField = agentField;
  readonly #port: number;
  readonly #file: string;
  readonly #lines = new Map<string, Readonly<Record<string, string>>>();
  readonly #close: () => Promise<void>;

  constructor(letter: 'e' | 'w', port: number, file: string, close: () => Promise<void>) {
    this.letter = letter;
    this.#port = port;
    this.#file = file;
    this.#close = close;
  }

  port(): number {
    return this.#port;
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

/** A mesh of the built product with the objects of all cases, and in it a workload with a sidecar of each engine. */
export async function startMeshSides(cases: readonly MeshCase[], backends: Backends): Promise<readonly [Side, Side]> {
  const mesh = await startMesh();
  try {
    await applyCases(mesh, cases, backends);
    const [envoy, weft] = await Promise.all([
      startSide(mesh, 'envoy', () => Promise.resolve()),
      startSide(mesh, 'weft', () => mesh.stop()),
    ]);
    await Promise.all([envoy, weft].map((side) => warmUp(side, cases)));
    return [envoy, weft];
  } catch (error) {
    await mesh.stop();
    throw error;
  }
}

async function startSide(mesh: TestMesh, engine: 'weft' | 'envoy', close: () => Promise<void>): Promise<Side> {
  const args = ['--name', `caller-${engine}`, '--service', 'caller', '--engine', engine, '--', 'sleep', '10000'];
  const env = { WEFT_ENVOY: findPeer('envoy') ?? '' };
  const { name, httpProxyPort } = await mesh.runWorkload(args, { env });
  const file = join(mesh.home, 'run', `default.${name}`, engine === 'envoy' ? 'envoy.log' : 'proxy.log');
  return new MeshSide(engine === 'envoy' ? 'e' : 'w', httpProxyPort, file, close);
}

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

/** Until the sidecar has what the first request of a host asks for: what was looked for too early is answered 503. */
async function warmUp(side: Side, cases: readonly MeshCase[]): Promise<void> {
  const client = createClient('http1', side.port(''));
  const hosts = cases.flatMap(({ services }) => Object.keys(services));
  try {
    for (const host of hosts) {
      const request = { method: 'GET', path: '/warm-up', host, headers: [] };
      await eventually(async () => ![0, 503].includes((await client.send(request, 'warm-up')).status), {
        what: `${host} is known`,
      });
    }
  } finally {
    client.close();
  }
}

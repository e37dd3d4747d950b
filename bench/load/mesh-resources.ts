/**
 * The xDS resources that the control plane makes for the sidecars of the benchmarks. A real control plane is started, the workloads join it, and what
 * it would send is taken by `weft config dump`; so Weft and Envoy are measured with the same resources, and these are the product's.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPeer, freePort, programs, startMesh, type TestMesh } from '@weft/testkit';
import type { Engine } from './start-sidecar.ts';

/** A message in proto3 JSON. */
export type Json = { [name: string]: JsonValue };
export type JsonValue = string | number | boolean | null | Json | JsonValue[];

/** What one sidecar is given, by type. */
export interface ResourceSet {
  readonly listeners: readonly Json[];
  readonly routes: readonly Json[];
  readonly clusters: readonly Json[];
  readonly endpoints: readonly Json[];
}

/** A certificate of the mesh and its key. */
export interface KeyPairPem {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What the control plane made for the workloads of one engine. */
export interface EngineResources {
  /** A workload that calls `web`, `bytes` and the targets outside the mesh. */
  readonly client: ResourceSet;
  /** A workload with an HTTP service. */
  readonly web: ResourceSet;
  /** A workload with a TCP service. */
  readonly bytes: ResourceSet;
}

export interface MeshResources {
  readonly weft: EngineResources;
  /** Undefined where there is no Envoy on this machine. */
  readonly envoy: EngineResources | undefined;
  readonly clientKeyPair: KeyPairPem;
  readonly webKeyPair: KeyPairPem;
  readonly bytesKeyPair: KeyPairPem;
  readonly trustBundlePem: string;
}

/** Hosts and ports that the client calls. */
export const targets = {
  /** HTTP outside the mesh: no TLS. */
  http: { host: 'http.bench', port: 80, protocol: 'http' },
  /** HTTP/2 by prior knowledge, and gRPC, outside the mesh. */
  http2: { host: 'http2.bench', port: 80, protocol: 'http' },
  grpc: { host: 'grpc.bench', port: 80, protocol: 'http' },
  /** TCP outside the mesh. */
  tcp: { host: 'tcp.bench', port: 9000, protocol: 'tcp' },
  /** HTTP service in the mesh: mutual TLS. */
  web: { host: 'web.default.svc.cluster.local', port: 80, protocol: 'http' },
  /** TCP service in the mesh. */
  bytes: { host: 'bytes.default.svc.cluster.local', port: 7000, protocol: 'tcp' },
} as const;

/** The targets outside the mesh. */
const manifest = (
  [
    ['http', 'HTTP'],
    ['http2', 'HTTP2'],
    ['grpc', 'GRPC'],
    ['tcp', 'TCP'],
  ] as const
)
  .map(
    ([name, protocol]) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: default }
spec:
  hosts: [${targets[name].host}]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: ${targets[name].port}, name: ${name}, protocol: ${protocol}, targetPort: 1 }]
  endpoints: [{ address: 127.0.0.1 }]
`,
  )
  .join('---\n');

/** Starts a mesh with sidecars of each engine in turn, takes their resources, and stops it. @param folder for temporary files. */
export async function meshResources(folder: string): Promise<MeshResources> {
  const weft = await withMesh(folder, 'weft', async (mesh, { client, web, bytes, resources }) => ({
    weft: resources,
    clientKeyPair: keyPair(mesh, client),
    webKeyPair: keyPair(mesh, web),
    bytesKeyPair: keyPair(mesh, bytes),
    trustBundlePem: readFileSync(join(mesh.home, 'trust-bundle.pem'), 'utf8'),
  }));
  const envoy =
    findPeer('envoy') === undefined
      ? undefined
      : await withMesh(folder, 'envoy', (_, { resources }) => Promise.resolve(resources));
  return { ...weft, envoy };
}

interface Workloads {
  /** Names. */
  readonly client: string;
  readonly web: string;
  readonly bytes: string;
  readonly resources: EngineResources;
}

async function withMesh<T>(
  folder: string,
  engine: Engine,
  take: (mesh: TestMesh, workloads: Workloads) => Promise<T>,
): Promise<T> {
  const mesh = await startMesh();
  try {
    const file = join(folder, 'targets.yaml');
    writeFileSync(file, manifest);
    const applied = await mesh.weft(['apply', '-f', file]);
    if (applied.code !== 0) {
      throw new Error(`the targets cannot be applied: ${applied.stderr}`);
    }
    const envoy = findPeer('envoy');
    const run = async (...args: readonly string[]): Promise<string> => {
      const env = envoy === undefined ? {} : { WEFT_ENVOY: envoy };
      return (await mesh.runWorkload(['--engine', engine, ...args], { env })).name;
    };
    const app = ['--', process.execPath, programs.echo];
    const web = await run('--service', 'web', ...app);
    const bytes = await run('--service', 'bytes', '--protocol', 'tcp', '--port', '7000:0', ...app);
    const upstreams: string[] = [];
    for (const { host, port } of Object.values(targets)) {
      upstreams.push('--upstream', `${host}:${port}=${await freePort()}`);
    }
    const client = await run('--name', 'client', ...upstreams, '--', 'sleep', '100000');
    const resources = { client: await dump(mesh, client), web: await dump(mesh, web), bytes: await dump(mesh, bytes) };
    return await take(mesh, { client, web, bytes, resources });
  } finally {
    await mesh.stop();
  }
}

async function dump(mesh: TestMesh, workload: string): Promise<ResourceSet> {
  const { code, stdout, stderr } = await mesh.weft(['config', 'dump', workload, '-o', 'json']);
  if (code !== 0) {
    throw new Error(`weft config dump ${workload}: ${stderr}`);
  }
  const { types } = JSON.parse(stdout) as {
    readonly types: readonly { readonly type: string; readonly resources: readonly { readonly resource: Json }[] }[];
  };
  const of = (wanted: string): readonly Json[] =>
    types
      .filter(({ type }) => type === wanted)
      .flatMap(({ resources }) => resources.map(({ resource: { '@type': _, ...rest } }) => withoutEmptyMaps(rest)));
  return { listeners: of('LDS'), routes: of('RDS'), clusters: of('CDS'), endpoints: of('EDS') };
}

/** Maps that hold nothing are printed; on the wire they are not there. */
const maps = new Set([
  'namedEndpoints',
  'typedPerFilterConfig',
  'typedExtensionProtocolOptions',
  'typedFilterMetadata',
]);

function withoutEmptyMaps(root: Json): Json {
  return JSON.parse(
    JSON.stringify(root, (key, value: JsonValue) =>
      maps.has(key) && JSON.stringify(value) === '{}' ? undefined : value,
    ),
  ) as Json;
}

function keyPair(mesh: TestMesh, workload: string): KeyPairPem {
  const text = readFileSync(join(mesh.home, 'run', `default.${workload}`, 'key-pair.pem'), 'utf8');
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----\n?/g) ?? [];
  return {
    certificatePem: blocks.filter((block) => block.includes('BEGIN CERTIFICATE')).join(''),
    keyPem: blocks.find((block) => block.includes('PRIVATE KEY')) ?? '',
  };
}

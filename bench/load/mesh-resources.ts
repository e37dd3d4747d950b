/**
 * The xDS resources that the control plane makes for the sidecars of the benchmarks. A real control plane is started, the workloads join it, and what
 * it would send is taken by `weft config dump`; so Weft and Envoy are measured with the same resources, and these are the product's.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, programs, startMesh, type TestMesh } from '@weft/testkit';

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

export interface MeshResources {
  /** A workload that calls `web`, `bytes` and the targets outside the mesh. */
  readonly client: ResourceSet;
  /** A workload with an HTTP service. */
  readonly web: ResourceSet;
  /** A workload with a TCP service. */
  readonly bytes: ResourceSet;
  readonly clientKeyPair: KeyPairPem;
  readonly webKeyPair: KeyPairPem;
  readonly bytesKeyPair: KeyPairPem;
  readonly trustBundlePem: string;
}

/** Hosts and ports that the client calls. */
export const targets = {
  /** HTTP outside the mesh: no TLS. */
  http: { host: 'http.bench', port: 80, protocol: 'http' },
  /** TCP outside the mesh. */
  tcp: { host: 'tcp.bench', port: 9000, protocol: 'tcp' },
  /** HTTP service in the mesh: mutual TLS. */
  web: { host: 'web.default.svc.cluster.local', port: 80, protocol: 'http' },
  /** TCP service in the mesh. */
  bytes: { host: 'bytes.default.svc.cluster.local', port: 7000, protocol: 'tcp' },
} as const;

const manifest = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: http, namespace: default }
spec:
  hosts: [http.bench]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 1 }]
  endpoints: [{ address: 127.0.0.1 }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: tcp, namespace: default }
spec:
  hosts: [tcp.bench]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 9000, name: tcp, protocol: TCP, targetPort: 1 }]
  endpoints: [{ address: 127.0.0.1 }]
`;

/** Starts a mesh, takes the resources of its sidecars, and stops it. @param folder for temporary files. */
export async function meshResources(folder: string): Promise<MeshResources> {
  const mesh = await startMesh();
  try {
    const file = join(folder, 'targets.yaml');
    writeFileSync(file, manifest);
    const applied = await mesh.weft(['apply', '-f', file]);
    if (applied.code !== 0) {
      throw new Error(`the targets cannot be applied: ${applied.stderr}`);
    }
    const app = [process.execPath, programs.echo];
    const web = await mesh.runWorkload(['--service', 'web', '--', ...app]);
    const bytes = await mesh.runWorkload(['--service', 'bytes', '--protocol', 'tcp', '--port', '7000:0', '--', ...app]);
    const upstreams: string[] = [];
    for (const { host, port } of Object.values(targets)) {
      upstreams.push('--upstream', `${host}:${port}=${await freePort()}`);
    }
    const client = await mesh.runWorkload(['--name', 'client', ...upstreams, '--', 'sleep', '100000']);
    return {
      client: await dump(mesh, client.name),
      web: await dump(mesh, web.name),
      bytes: await dump(mesh, bytes.name),
      clientKeyPair: keyPair(mesh, client.name),
      webKeyPair: keyPair(mesh, web.name),
      bytesKeyPair: keyPair(mesh, bytes.name),
      trustBundlePem: readFileSync(join(mesh.home, 'trust-bundle.pem'), 'utf8'),
    };
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

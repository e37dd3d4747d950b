import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger, systemClock } from '@weft/base';
import { createCsr, createSvid, formatWorkloadId, generatePrivateKey, type Svid } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import type { KubeObject } from '@weft/resources';
import { ServerCertificate } from '../src/credentials/server-certificate.ts';
import { startMeshServers } from '../src/grpc/mesh-servers.ts';
import { JoinTokenStore } from '../src/join/join-token-store.ts';
import { Mesh, type MeshOptions } from '../src/mesh/mesh.ts';
import { DeltaClient, type DeltaClientOptions } from './delta-client.ts';
import { MemoryApi } from './memory-api.ts';

export type Manifest = KubeObject & Record<string, unknown>;

/** A VirtualService of namespace shop for `reviews`. */
export function virtualService(http: object, metadata: Partial<KubeObject['metadata']> = {}): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews', namespace: 'shop', ...metadata },
    spec: { hosts: ['reviews'], http: [http] },
  };
}

export const toReviews = { route: [{ destination: { host: 'reviews' } }] };

/** A mesh over an API in memory, with its gRPC servers on free ports. */
export interface Fixture {
  readonly api: MemoryApi;
  readonly ca: CertificateAuthority;
  readonly mesh: Mesh;
  readonly tokens: JoinTokenStore;
  readonly xdsAddress: string;
  readonly joinAddress: string;
  readonly ports: { readonly xds: number; readonly join: number };
  svid(serviceAccount: string, namespace?: string): Promise<Svid>;
  connect(nodeId: string, options?: Partial<DeltaClientOptions> & { readonly account?: string }): Promise<DeltaClient>;
  /** Ends the servers and the mesh; the API and the CA stay. */
  stop(): Promise<void>;
}

export interface FixtureOptions
  extends Partial<Pick<MeshOptions, 'startGraceMs' | 'disconnectGraceMs' | 'leftoverAfterMs'>> {
  readonly api?: MemoryApi;
  readonly ca?: CertificateAuthority;
  readonly objects?: readonly Manifest[];
  /** What the renewal service takes for the time; the real one by default. */
  readonly now?: () => number;
  /** Default: any free ones. */
  readonly ports?: { readonly xds: number; readonly join: number };
}

export async function startFixture(t: TestContext, options: FixtureOptions = {}): Promise<Fixture> {
  const api = options.api ?? new MemoryApi();
  const ca = options.ca ?? (await openCa(t));
  for (const object of options.objects ?? []) {
    await api.put(object);
  }
  const { client } = api;
  const mesh = new Mesh({
    client,
    ca,
    clock: systemClock,
    logger: silentLogger,
    startGraceMs: options.startGraceMs ?? 30_000,
    disconnectGraceMs: options.disconnectGraceMs ?? 3_000,
    leftoverAfterMs: options.leftoverAfterMs ?? 300_000,
    accessLogPath: () => undefined,
  });
  await mesh.start();
  const tokens = new JoinTokenStore({ client, trustDomain: ca.trustDomain, clock: systemClock, logger: silentLogger });
  const certificate = await ServerCertificate.issue(ca, '127.0.0.1', systemClock, silentLogger);
  const servers = await startMeshServers({
    host: '127.0.0.1',
    xdsPort: options.ports?.xds ?? 0,
    joinPort: options.ports?.join ?? 0,
    xds: mesh.xds,
    certificate,
    ca,
    certificates: {
      ca,
      tokens,
      mayRenew: (identity) => mesh.hasProxyOf(identity),
      clock: { ...systemClock, now: options.now ?? systemClock.now },
      logger: silentLogger,
    },
  });
  const clients: DeltaClient[] = [];
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) {
      stopped = true;
      for (const connected of clients) {
        connected.close();
      }
      certificate.close();
      await servers.close();
      mesh.close();
    }
  };
  t.after(stop);
  const svid = async (serviceAccount: string, namespace = 'shop'): Promise<Svid> => {
    const identity = formatWorkloadId({ trustDomain: ca.trustDomain, namespace, serviceAccount });
    const key = await generatePrivateKey();
    return createSvid((await ca.issueSvid({ csrPem: createCsr(key, identity), identity })).certChain, key);
  };
  const xdsAddress = `127.0.0.1:${servers.xdsPort}`;
  return {
    api,
    ca,
    mesh,
    tokens,
    xdsAddress,
    joinAddress: `127.0.0.1:${servers.joinPort}`,
    ports: { xds: servers.xdsPort, join: servers.joinPort },
    svid,
    async connect(nodeId, { account, ...rest } = {}) {
      const [namespace = '', name = ''] = nodeId.split('/');
      const connected = new DeltaClient({
        address: xdsAddress,
        bundle: ca.trustBundle.value,
        nodeId,
        ...('svid' in rest ? {} : { svid: await svid(account ?? name.replace(/-\d+$/, ''), namespace) }),
        ...rest,
      });
      clients.push(connected);
      return connected;
    },
    stop,
  };
}

export async function openCa(t: TestContext, leafTtlMs?: number): Promise<CertificateAuthority> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-ca-'));
  const ttl = leafTtlMs === undefined ? {} : { leafTtlMs, issuingTtlMs: 4 * leafTtlMs };
  const ca = await CertificateAuthority.open({ folder, logger: silentLogger, ...ttl });
  t.after(() => {
    ca.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return ca;
}

/** A workload `<service>-<n>` with service account `<service>`, as `weft run` would register it. */
export function workload(
  service: string,
  n: number,
  ports: { readonly inbound: number; readonly app: number },
): Manifest[] {
  const metadata = { name: `${service}-${n}`, namespace: 'shop', labels: { 'weft.dev/managed-by': 'weft-run' } };
  return [
    {
      apiVersion: 'weft.dev/v1alpha1',
      kind: 'Proxy',
      metadata,
      spec: {
        serviceAccount: service,
        httpProxy: { address: '127.0.0.1', port: ports.inbound + 1_000 },
        inbound: [
          {
            name: 'http',
            protocol: 'http',
            address: '127.0.0.1',
            port: ports.inbound,
            appAddress: '127.0.0.1',
            appPort: ports.app,
          },
        ],
        upstreams: [],
        draining: false,
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata,
      spec: {
        address: '127.0.0.1',
        ports: { http: ports.inbound },
        labels: { app: service, version: `v${n}` },
        serviceAccount: service,
      },
    },
  ];
}

export function service(name: string, port = 80): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { selector: { app: name }, ports: [{ name: 'http', port, protocol: 'TCP' }] },
  };
}

/** Two services, `web` calls `reviews`. */
export function smallShop(): Manifest[] {
  return [
    service('web'),
    service('reviews', 9080),
    ...workload('web', 1, { inbound: 15_001, app: 8_001 }),
    ...workload('reviews', 1, { inbound: 15_002, app: 8_002 }),
    ...workload('reviews', 2, { inbound: 15_003, app: 8_003 }),
  ];
}

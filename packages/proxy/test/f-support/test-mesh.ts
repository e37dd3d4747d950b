import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@weft/base';
import { formatWorkloadId, type SpiffeId } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import type { Endpoint, WorkloadIr } from '@weft/ir';
import { eventually, freePort } from '@weft/testkit';
import { xdsFromIr } from '@weft/translate';
import {
  createSnapshot,
  createXdsServer,
  type EncodedResource,
  encodeResource,
  type LoadReport,
  type NackRecord,
  type Snapshot,
  type XdsServer,
} from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import { type CertificateServer, startCertificateServer } from './certificate-server.ts';

const mainFile = resolve(import.meta.dirname, '../../src/main.ts');

/** A CA and an xDS server with their ports, for proxies that run as processes. */
export class TestControlPlane {
  readonly #ca: CertificateAuthority;
  readonly #folder: string;
  #grpc: Server | undefined;
  #xds: XdsServer | undefined;
  #port = 0;
  #storeVersion = 0;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly nacks: NackRecord[] = [];
  readonly reports: LoadReport[] = [];
  /** Names asked for on demand, by client; the test may add resources from here. */
  onDemand: (client: string, names: readonly string[]) => void = () => {};

  static async start(t: TestContext): Promise<TestControlPlane> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-proxy-mesh-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const ca = await CertificateAuthority.open({ folder: join(folder, 'ca'), logger: silentLogger });
    t.after(() => ca.close());
    await writeFile(join(folder, 'bundle.pem'), ca.trustBundle.value.pem);
    const plane = new TestControlPlane(ca, folder);
    await plane.up();
    t.after(() => plane.down());
    return plane;
  }

  private constructor(ca: CertificateAuthority, folder: string) {
    this.#ca = ca;
    this.#folder = folder;
  }

  get folder(): string {
    return this.#folder;
  }

  get ca(): CertificateAuthority {
    return this.#ca;
  }

  get xds(): XdsServer | undefined {
    return this.#xds;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Starts serving; after {@link down} on the same port. */
  async up(): Promise<void> {
    const xds = createXdsServer({
      logger: silentLogger,
      clock: systemClock,
      loadReportIntervalMs: 200,
      authorize: (peer, node) =>
        peer?.spiffeIds[0]?.startsWith('spiffe://cluster.local/') === true
          ? { accept: node.id }
          : { reject: 'UNAUTHENTICATED', message: 'no identity' },
      onSubscribe: (client, typeUrl, names) => {
        if (typeUrl === typeUrls.virtualHost) {
          this.onDemand(client.key, names);
        }
      },
      onChange: (_client, change) => {
        if (change.kind === 'nacked') {
          this.nacks.push(change.nack);
        }
      },
      onLoadReport: (_client, report) => void this.reports.push(report),
    });
    for (const [client, snapshot] of this.#snapshots) {
      xds.setSnapshot(client, snapshot);
    }
    const pair = await this.#ca.issueServer({ dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
    const grpc = new Server();
    xds.addTo(grpc);
    const credentials = ServerCredentials.createSsl(
      Buffer.from(this.#ca.trustBundle.value.pem),
      [{ cert_chain: Buffer.from(pair.chainPem), private_key: Buffer.from(pair.key.revealPem()) }],
      true,
    );
    this.#port = await new Promise<number>((resolvePort, reject) =>
      grpc.bindAsync(this.#port === 0 ? '127.0.0.1:0' : this.address, credentials, (error, port) =>
        error === null ? resolvePort(port) : reject(error),
      ),
    );
    this.#grpc = grpc;
    this.#xds = xds;
  }

  /** Goes away as if killed. */
  down(): Promise<void> {
    this.#grpc?.forceShutdown();
    this.#xds?.close();
    this.#grpc = undefined;
    this.#xds = undefined;
    return Promise.resolve();
  }

  /** What the proxy `client` should have from now on. */
  publish(client: string, resources: readonly EncodedResource[]): void {
    this.#storeVersion += 1;
    const snapshot = createSnapshot(
      this.#storeVersion,
      [...resources, this.#rootSecret()],
      this.#snapshots.get(client),
    );
    this.#snapshots.set(client, snapshot);
    this.#xds?.setSnapshot(client, snapshot);
  }

  #rootSecret(): EncodedResource {
    const secret = Secret.encode({
      name: 'ROOTCA',
      type: {
        $case: 'validationContext',
        value: {
          ...emptyValidationContext(),
          trustedCa: {
            specifier: { $case: 'inlineString', value: this.#ca.trustBundle.value.pem },
            watchedDirectory: undefined,
          },
        },
      },
    }).finish();
    return encodeResource({ typeUrl: typeUrls.secret, name: 'ROOTCA', value: secret });
  }
}

function emptyValidationContext() {
  // name = "x", validation_context = {}
  const { type } = Secret.decode(new Uint8Array([0x0a, 0x01, 0x78, 0x22, 0x00]));
  if (type?.$case !== 'validationContext') {
    throw new Error('the message changed');
  }
  return type.value;
}

/** The resources of an IR, with endpoints by cluster. */
export function resourcesOf(ir: WorkloadIr, endpoints: readonly EncodedResource[] = []): EncodedResource[] {
  return [
    ...xdsFromIr(ir).map((message) =>
      encodeResource({ typeUrl: message.typeUrl, name: message.name, value: message.encode() }),
    ),
    ...endpoints,
  ];
}

export function workloadIr(fields: Partial<WorkloadIr> & { readonly name: string }): WorkloadIr {
  const { name, ...rest } = fields;
  return {
    workload: {
      engine: 'weft',
      namespace: 'shop',
      name,
      identity: `spiffe://cluster.local/ns/shop/sa/${name}`,
      trustDomain: 'cluster.local',
    },
    accessLogPath: undefined,
    httpProxy: undefined,
    upstreams: [],
    inbound: [],
    gateway: [],
    grpcTargets: undefined,
    pathNormalization: 'base',
    clusters: [],
    origins: [],
    ...rest,
  };
}

export function endpointOf(port: number, workload: string, mutualTls: boolean): Endpoint {
  return {
    address: '127.0.0.1',
    port,
    health: 'healthy',
    weight: 1,
    locality: '',
    priority: 0,
    mutualTls,
    workload: {
      name: `${workload}-1`,
      namespace: 'shop',
      canonicalName: workload,
      canonicalRevision: 'v1',
      cluster: 'Kubernetes',
    },
  };
}

/** A proxy as a process of its own. */
export class TestProxy {
  readonly #child: ChildProcess;
  #output = '';
  readonly exited: Promise<number | null>;
  readonly adminPort: number;

  constructor(child: ChildProcess, adminPort: number) {
    this.#child = child;
    this.adminPort = adminPort;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    this.exited = new Promise((resolveExit) => child.once('exit', resolveExit));
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  admin(path: string, method = 'GET'): Promise<{ readonly status: number; readonly body: string }> {
    return call({ port: this.adminPort, path, method });
  }

  ready(): Promise<unknown> {
    return eventually(async () => (await this.admin('/ready')).status === 200, {
      what: `the proxy is ready; it said:\n${this.#output}`,
      timeoutMs: 15_000,
    }).catch((error: unknown) => {
      throw new Error(`not ready; it said:\n${this.#output}`, { cause: error });
    });
  }
}

export interface ProxyOptions {
  readonly name: string;
  readonly plane: TestControlPlane;
  readonly ca: CertificateServer;
  readonly change?: (bootstrap: Record<string, unknown>) => void;
  readonly program?: readonly string[];
}

export async function startProxy(t: TestContext, options: ProxyOptions): Promise<TestProxy> {
  const { name, plane, ca } = options;
  const adminPort = await freePort();
  const bootstrap = {
    node: {
      id: `shop/${name}`,
      cluster: `${name}.shop`,
      metadata: { NAME: `${name}-1`, NAMESPACE: 'shop', SERVICE_ACCOUNT: name, LABELS: { app: name, version: 'v1' } },
    },
    identity: {
      trustDomain: 'cluster.local',
      namespace: 'shop',
      serviceAccount: name,
      caAddress: `127.0.0.1:${ca.port}`,
      renewAddress: `127.0.0.1:${ca.port}`,
      trustBundleFile: join(plane.folder, 'bundle.pem'),
      tokenFile: join(plane.folder, `${name}.token`),
    },
    xds: { address: plane.address },
    admin: { address: '127.0.0.1', port: adminPort },
    stateDir: join(plane.folder, name),
    drainTimeoutMs: 5000,
  };
  // A token works once: each start gets its own.
  await writeFile(bootstrap.identity.tokenFile, 'token', { mode: 0o600 });
  options.change?.(bootstrap);
  const file = join(plane.folder, `${name}.json`);
  await writeFile(file, JSON.stringify(bootstrap));
  const child = spawn(process.execPath, [...(options.program ?? [mainFile]), '--bootstrap', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => void child.kill('SIGKILL'));
  return new TestProxy(child, adminPort);
}

export function certificateServer(t: TestContext, plane: TestControlPlane, name: string): Promise<CertificateServer> {
  const started = startCertificateServer(plane.ca, idOf(name));
  t.after(async () => (await started).close());
  return started;
}

export function idOf(name: string): SpiffeId {
  return formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: name });
}

/** An application: answers with its name, and what it was asked. */
export async function startApp(t: TestContext, name: string): Promise<number> {
  const server = createServer((request, response) => {
    response.setHeader('x-app', name);
    response.end(JSON.stringify({ name, path: request.url, headers: request.headers }));
  });
  await new Promise<void>((resolveListen) => server.listen(0, '127.0.0.1', resolveListen));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export function call(options: {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}): Promise<Reply> {
  return new Promise((resolveReply, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: options.port,
        path: options.path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolveReply({ status: response.statusCode ?? 0, body, headers: response.headers }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.setTimeout(10_000, () => request.destroy(new Error(`no answer from port ${options.port}`)));
    request.end();
  });
}

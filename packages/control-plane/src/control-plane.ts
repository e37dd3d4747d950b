import { rmSync } from 'node:fs';
import type { ControlPlaneEndpoints, ControlPlaneFile, VersionInfo } from '@weft/admin-api';
import { createApiServer, openSqliteStorage } from '@weft/api-server';
import { type Clock, type Logger, MeshError, systemClock } from '@weft/base';
import { generatePrivateKey } from '@weft/identity';
import { CertificateAuthority, readPrivateFile, writePrivateFile } from '@weft/identity/authority';
import { kinds } from '@weft/resources';
import { createMeshQueries } from './admin/mesh-queries.ts';
import { createAdminMount } from './admin/mount.ts';
import { Previews } from './admin/previews.ts';
import { ReadRoutes } from './admin/read-routes.ts';
import { Closers } from './closers.ts';
import type { ControlPlaneConfig } from './config/config.ts';
import { KubeconfigFile } from './credentials/kubeconfig-file.ts';
import { ServerCertificate } from './credentials/server-certificate.ts';
import { portError } from './grpc/bind.ts';
import { startMeshServers } from './grpc/mesh-servers.ts';
import { takeLock } from './home/lock.ts';
import { keepSettings } from './home/mesh-settings.ts';
import { openStateFolder, type StateFolder } from './home/state-folder.ts';
import { JoinTokenStore } from './join/join-token-store.ts';
import { Mesh } from './mesh/mesh.ts';
import { startPageServer } from './page/page-server.ts';
import { weftVersion } from './version.ts';

export interface ControlPlaneOptions {
  readonly config: ControlPlaneConfig;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** A running control plane. */
export interface ControlPlane {
  readonly file: ControlPlaneFile;
  /** Ends streams and servers, in the order that leaves proxies undisturbed, and gives the state folder back. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts everything and writes `control-plane.json` when it is ready.
 * @throws MeshError `ALREADY_RUNNING`, `PORT_IN_USE`, `BAD_CONFIGURATION`, `DISK_FULL`, `PERMISSION_DENIED`, …; then nothing is
 * left running.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const closers = new Closers(options.logger);
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close();
    throw MeshError.from(error);
  }
}

async function start(options: ControlPlaneOptions, closers: Closers): Promise<ControlPlane> {
  const { config, logger, clock = systemClock } = options;
  const startedAt = new Date(clock.now());
  const folder = openStateFolder(config.home);
  const lock = takeLock(folder.lock, startedAt);
  closers.add('lock', () => lock.release());
  // Left by a control plane that was killed: it would send programs to addresses that nobody serves.
  rmSync(folder.controlPlaneFile, { force: true });

  const settings = await keepSettings(folder.meshSettings, {
    ...(config.defaults === undefined ? {} : { defaults: config.defaults }),
    ...(config.pathNormalization === undefined ? {} : { pathNormalization: config.pathNormalization }),
  });
  const ca = await CertificateAuthority.open({
    folder: folder.ca,
    trustDomain: config.trustDomain,
    leafTtlMs: config.certificateTtlMs,
    clock,
    logger: logger.with({ part: 'ca' }),
  });
  closers.add('certificate authority', () => ca.close());
  const certificate = await ServerCertificate.issue(ca, config.host, clock, logger);
  closers.add('server certificate', () => certificate.close());

  const serving = (): { cert: string; key: string } => {
    const { chainPem, key } = certificate.current.value;
    return { cert: chainPem, key: key.revealPem() };
  };
  const api = await createApiServer({
    kinds,
    storage: openSqliteStorage({ path: folder.database }),
    tls: serving(),
    clientCa: ca.trustBundle.value.pem,
    serviceAccountKey: await serviceAccountKey(folder),
    host: config.host,
    port: config.ports.api,
    logger: logger.with({ part: 'api' }),
    clock,
    buildVersion: weftVersion,
  });
  closers.add('API server', () => api.close());
  closers.add(
    'certificate of the API server',
    certificate.current.subscribe(() => api.setServingCertificate(serving())),
  );
  const apiUrl = await api.listen().catch((error: unknown) => {
    throw portError(error, { host: config.host, port: config.ports.api, what: 'the API', flag: '--api-port' });
  });

  const client = api.clientFor('weft-control-plane');
  const mesh = new Mesh({
    client,
    ca,
    clock,
    logger,
    settings,
    startGraceMs: config.startGraceMs,
    disconnectGraceMs: config.disconnectGraceMs,
    leftoverAfterMs: config.leftoverAfterMs,
    accessLogPath: () => '/dev/stdout',
  });
  closers.add('mesh', () => mesh.close());
  await mesh.start();

  const tokens = new JoinTokenStore({ client, trustDomain: ca.trustDomain, clock, logger });
  const servers = await startMeshServers({
    host: config.host,
    xdsPort: config.ports.xds,
    joinPort: config.ports.join,
    xds: mesh.xds,
    certificate,
    ca,
    certificates: {
      ca,
      tokens,
      mayRenew: (identity) => mesh.hasProxyOf(identity),
      clock,
      logger: logger.with({ part: 'certificates' }),
      onRefused: (identity, reason) => mesh.reject(identity === '' ? 'certificate request' : identity, reason),
    },
  });
  closers.add('gRPC servers', () => servers.close());

  const version = (): VersionInfo => ({
    version: weftVersion,
    nodeVersion: process.version,
    processId: process.pid,
    startedAt: startedAt.toISOString(),
    trustDomain: ca.trustDomain,
    ...settings,
    endpoints,
  });
  const queries = createMeshQueries({
    ...meshParts(mesh),
    trustDomain: ca.trustDomain,
    client,
    ca,
    clock,
    version,
    translationFailures: () => mesh.translationFailures,
  });
  const previews = new Previews(mesh.state, mesh.observed);
  closers.add('previews', () => previews.close());
  const routes = new ReadRoutes(queries, clock);
  closers.add('streams of the admin API', () => routes.close());
  const page = await startPageServer({
    host: config.host,
    port: config.ports.page,
    routes,
    clock,
    logger: logger.with({ part: 'page' }),
    ...(config.pageFolder === undefined ? {} : { folder: config.pageFolder }),
  });
  closers.add('first page', () => page.close());
  const endpoints: ControlPlaneEndpoints = {
    api: apiUrl,
    xds: address(config.host, servers.xdsPort),
    join: address(config.host, servers.joinPort),
    page: page.url,
  };
  api.mount(
    createAdminMount({
      routes,
      tokens,
      ca,
      pageLogin: () => page.loginLink(),
      previews,
      logger: logger.with({ part: 'admin' }),
    }),
  );

  const kubeconfig = await KubeconfigFile.write({
    path: folder.kubeconfig,
    user: config.userName,
    server: apiUrl,
    ca,
    clock,
    logger,
  });
  closers.add('kubeconfig', () => kubeconfig.close());
  await writePrivateFile(folder.trustBundle, ca.trustBundle.value.pem);
  const file: ControlPlaneFile = {
    ...version(),
    kubeconfig: folder.kubeconfig,
    trustBundle: folder.trustBundle,
    pageLogin: page.loginLink(),
  };
  await writePrivateFile(folder.controlPlaneFile, `${JSON.stringify(file, undefined, 2)}\n`);
  closers.add('control-plane.json', () => rmSync(folder.controlPlaneFile, { force: true }));
  logger.info('control plane ready', { ...endpoints });
  return { file, stop: () => closers.close() };
}

function meshParts(mesh: Mesh) {
  const { state, xds, publisher, sessions, observed, revisions, history, seenProtocols, errors, metrics } = mesh;
  return { state, xds, publisher, sessions, observed, revisions, history, seenProtocols, errors, metrics };
}

function address(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Signs the tokens of service accounts; kept, so that they outlive a restart. */
async function serviceAccountKey(folder: StateFolder): Promise<string> {
  const stored = await readPrivateFile(folder.serviceAccountKey);
  if (stored !== undefined) {
    return stored;
  }
  const made = (await generatePrivateKey()).revealPem();
  await writePrivateFile(folder.serviceAccountKey, made);
  return made;
}

import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { MeshError, silentLogger, systemClock } from '@weft/base';
import { parseApiVersion } from '@weft/resources';
import { Authenticator } from './authn/authenticator.ts';
import { ServiceAccountTokens } from './authn/service-account-token.ts';
import { Authorizer } from './authz/authorizer.ts';
import { bootstrapRbac } from './authz/bootstrap-rbac.ts';
import { InProcessClient } from './client/in-process-client.ts';
import { ApiHandler } from './http/api-handler.ts';
import { ResourceHandler } from './http/resource-handler.ts';
import { Usage } from './http/usage.ts';
import { OpenApiDocuments } from './openapi/open-api-documents.ts';
import type { ApiLimits, ApiServer, ApiServerOptions, ServingCertificate } from './options.ts';
import { GarbageCollector } from './registry/garbage-collector.ts';
import { Registry } from './registry/registry.ts';
import type { WriteContext } from './registry/write-context.ts';
import { keyOf } from './store/collection.ts';
import { ObjectStore } from './store/object-store.ts';

export const defaultLimits: ApiLimits = {
  maxBodyBytes: 2_000_000,
  maxWatchesPerUser: 256,
  maxWatches: 4_096,
  maxRequestsPerUser: 256,
  maxWatchBufferBytes: 8 * 2 ** 20,
  maxHistoryEvents: 2_048,
  maxListLimit: 10_000,
  maxDepth: 64,
  bookmarkIntervalMs: 60_000,
  maxPendingWrites: 10_000,
};

const rbacGroup = 'rbac.authorization.k8s.io';

/**
 * Opens the storage and makes the server; it answers after {@link ApiServer.listen}, its in-process client at once.
 * @throws MeshError STORAGE_CORRUPT, DISK_FULL, … from the storage.
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { kinds, clock = systemClock, logger = silentLogger, random = Math.random, host = '127.0.0.1' } = options;
  const limits: ApiLimits = { ...defaultLimits, ...options.limits };
  const systemNamespaces = options.systemNamespaces ?? ['default', 'kube-system', 'weft-system'];
  const buildVersion = options.buildVersion ?? '0.0.0';
  const resourceKeys = kinds.map((kind) => (kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`));
  const store = await ObjectStore.open({
    storage: options.storage,
    resources: resourceKeys,
    maxHistoryEvents: limits.maxHistoryEvents,
    maxPendingWrites: limits.maxPendingWrites,
    logger,
  });
  let rbacRevision = 0;
  store.observe((_, resource) => {
    if (resource.endsWith(`.${rbacGroup}`)) {
      rbacRevision += 1;
    }
  });
  const authorizer = new Authorizer({
    list: (group, plural, namespace) => {
      const key = group === '' ? plural : `${plural}.${group}`;
      return resourceKeys.includes(key) ? store.collection(key).list(namespace) : [];
    },
    get revision() {
      return rbacRevision;
    },
  });
  const tokens = new ServiceAccountTokens({
    keyPem: options.serviceAccountKey,
    issuer: options.issuer ?? 'https://kubernetes.default.svc.cluster.local',
    clock,
    accountOf: (namespace, name) =>
      resourceKeys.includes('serviceaccounts')
        ? store.collection('serviceaccounts').get(keyOf(namespace, name))
        : undefined,
  });
  const authenticator = new Authenticator(tokens, options.tokenVerifiers ?? [], clock);
  const admission = [...(options.admission ?? [])];
  const registry = new Registry({
    kinds,
    store,
    authorizer,
    clock,
    random,
    maxListLimit: limits.maxListLimit,
    bookmarkIntervalMs: limits.bookmarkIntervalMs,
    systemNamespaces,
    admission,
  });
  await ensureDefaults(registry, systemNamespaces, bootstrapRbac(kinds));
  const collector = new GarbageCollector(registry, clock, logger);

  const usage = new Usage(limits);
  const streams = new Set<() => void>();
  const mounts = [...(options.mounts ?? [])];
  const resources = new ResourceHandler({ registry, authorizer, tokens, limits, usage, clock, random, streams });
  const handler = new ApiHandler({
    registry,
    resources,
    authenticator,
    authorizer,
    openApi: new OpenApiDocuments(kinds, buildVersion),
    mounts,
    limits,
    usage,
    buildVersion,
    logger,
  });
  const server = createServer(
    {
      ...options.tls,
      minVersion: 'TLSv1.2',
      ...(options.clientCa === undefined ? {} : { ca: options.clientCa }),
      requestCert: true,
      // verified-by: Authenticator, which believes a certificate only when the socket says that it was verified.
      rejectUnauthorized: false,
      maxHeaderSize: 32_768,
    },
    (request, response) => void handler.handle(request, response),
  );
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  server.keepAliveTimeout = 90_000;
  // A client that breaks off or speaks no TLS is its own trouble.
  server.on('tlsClientError', (error) => logger.debug('TLS handshake failed', { error: error.message }));

  let url: string | undefined;
  let closing: Promise<void> | undefined;
  return {
    get url() {
      return url;
    },
    client: new InProcessClient(registry, 'weft-control-plane'),
    clientFor: (fieldManager) => new InProcessClient(registry, fieldManager),
    storage: options.storage,
    mount: (mount) => void mounts.push(mount),
    addAdmission: (check) => void admission.push(check),
    authorize: (user, access) => authorizer.decide(user, access),
    authenticateToken: (token, audiences) => authenticator.verifyToken(token, audiences ?? []),
    setServingCertificate: (tls: ServingCertificate) =>
      server.setSecureContext({
        ...tls,
        minVersion: 'TLSv1.2',
        ...(options.clientCa === undefined ? {} : { ca: options.clientCa }),
      }),
    async listen() {
      url = await listenOn(server, host, options.port ?? 0);
      return url;
    },
    close() {
      closing ??= (async () => {
        for (const finish of [...streams]) {
          finish();
        }
        await collector.stop();
        if (server.listening) {
          await new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeIdleConnections();
            setTimeout(() => server.closeAllConnections(), 1_000).unref();
          });
        }
        await store.close();
        url = undefined;
      })();
      return closing;
    },
  };
}

function listenOn(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE';
      reject(
        busy
          ? new MeshError('PORT_IN_USE', `port ${port} on ${host} is in use`, { cause: error, details: { port, host } })
          : MeshError.from(error),
      );
    });
    server.listen(port, host, () => {
      const { port: bound } = server.address() as AddressInfo;
      const shown = host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
      resolve(`https://${shown}:${bound}`);
    });
  });
}

/** Namespaces and roles that every server has. What an administrator changed stays, except the server's own roles. */
async function ensureDefaults(
  registry: Registry,
  namespaces: readonly string[],
  rbac: ReturnType<typeof bootstrapRbac>,
): Promise<void> {
  const context = (apiVersion: string): WriteContext => ({
    user: { username: 'system:apiserver', groups: ['system:masters'] },
    fieldManager: 'weft-apiserver',
    dryRun: false,
    fieldValidation: 'Strict',
    version: parseApiVersion(apiVersion).version,
    subresource: undefined,
    force: true,
    warnings: [],
  });
  const namespaceResource = registry.resource('', 'v1', 'namespaces');
  if (namespaceResource !== undefined) {
    for (const name of namespaces) {
      if (registry.store.collection('namespaces').get(keyOf(undefined, name)) === undefined) {
        await registry.create(
          namespaceResource,
          undefined,
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
          context('v1'),
        );
      }
    }
  }
  for (const object of rbac) {
    const resource = registry.resourceOfKind(rbacGroup, object.kind);
    if (resource !== undefined) {
      await registry.apply(
        resource,
        { namespace: undefined, name: object.metadata.name },
        object,
        context(object.apiVersion),
      );
    }
  }
}

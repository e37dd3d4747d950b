import { adminPrefix, type JoinTokenRequest, type JoinTokenResponse } from '@weft/admin-api';
import type { Mount, MountedRequest } from '@weft/api-server';
import { type Logger, MeshError } from '@weft/base';
import type { CertificateAuthority } from '@weft/identity/authority';
import type { JoinTokenStore } from '../join/join-token-store.ts';
import { send, sendError, sendJson } from './api-error.ts';
import type { Previews } from './previews.ts';
import type { ReadRoutes } from './read-routes.ts';

export interface AdminMountOptions {
  readonly routes: Pick<ReadRoutes, 'handle'>;
  readonly tokens: JoinTokenStore;
  readonly ca: CertificateAuthority;
  /** A new link to the first page, good for one login; undefined when there is no page. */
  readonly pageLogin: () => string | undefined;
  readonly previews: Pick<Previews, 'run'>;
  readonly logger: Logger;
}

const joinTokenPath = /^namespaces\/([a-z0-9-]{1,63})\/join-tokens$/;

/** The admin API on the API server's HTTPS address. Reading needs `get` on the path (as a non-resource URL). */
export function createAdminMount(options: AdminMountOptions): Mount {
  return {
    prefix: adminPrefix,
    authorizePath: false,
    async handle(mounted) {
      try {
        await answer(mounted, options);
      } catch (thrown) {
        const error = MeshError.from(thrown);
        if (error.code === 'INTERNAL') {
          options.logger.error('admin API failed', { path: mounted.url.pathname, error });
        }
        if (mounted.response.headersSent) {
          mounted.response.destroy();
        } else {
          sendError(mounted.response, error);
        }
      }
    },
  };
}

async function answer(mounted: MountedRequest, options: AdminMountOptions): Promise<void> {
  const { request, response, url } = mounted;
  const rest = url.pathname.slice(adminPrefix.length);
  const joinToken = joinTokenPath.exec(rest);
  if (request.method === 'POST' && joinToken?.[1] !== undefined) {
    sendJson(response, await createToken(mounted, joinToken[1], options), 201);
    return;
  }
  if (request.method === 'POST' && rest === 'page-login') {
    requireAccess(mounted, { verb: 'create', path: url.pathname });
    const link = options.pageLogin();
    if (link === undefined) {
      throw new MeshError('NOT_FOUND', 'this control plane serves no page');
    }
    sendJson(response, { url: link }, 201);
    return;
  }
  if (request.method === 'POST' && rest === 'preview') {
    requireAccess(mounted, { verb: 'create', path: url.pathname });
    await preview(mounted, options.previews);
    return;
  }
  if (request.method !== 'GET') {
    throw new MeshError('NOT_FOUND', `there is no ${request.method ?? ''} ${url.pathname}`);
  }
  requireAccess(mounted, { verb: 'get', path: url.pathname });
  if (!(await options.routes.handle(url, response))) {
    throw new MeshError('NOT_FOUND', `there is no ${url.pathname}`);
  }
}

async function preview({ response, readBody }: MountedRequest, previews: Pick<Previews, 'run'>): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    send(response, 'application/json', await previews.run(await readBody(), gone.signal));
  } catch (error) {
    if (!gone.signal.aborted) {
      throw error;
    }
  }
}

async function createToken(
  mounted: MountedRequest,
  namespace: string,
  { tokens, ca, logger }: AdminMountOptions,
): Promise<JoinTokenResponse> {
  const { serviceAccount, ttlSeconds } = parseJoinTokenRequest(await mounted.readBody());
  requireAccess(mounted, {
    verb: 'create',
    group: '',
    resource: 'serviceaccounts',
    subresource: 'token',
    namespace,
    name: serviceAccount,
  });
  const issued = await tokens.create(
    namespace,
    serviceAccount,
    ttlSeconds === undefined ? undefined : ttlSeconds * 1_000,
  );
  logger.info('join token made', { identity: issued.identity, by: mounted.user.username });
  return {
    token: issued.token.reveal(),
    identity: issued.identity,
    expiresAt: new Date(issued.expiresAt).toISOString(),
    trustDomain: ca.trustDomain,
    trustBundle: ca.trustBundle.value.pem,
  };
}

function parseJoinTokenRequest(body: Buffer): JoinTokenRequest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new MeshError('INVALID', 'the body is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new MeshError('INVALID', 'the body must be a JSON object');
  }
  const { serviceAccount, ttlSeconds, ...rest } = parsed as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new MeshError('INVALID', `unknown field ${JSON.stringify(unknown)}; known are serviceAccount and ttlSeconds`);
  }
  if (typeof serviceAccount !== 'string' || !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(serviceAccount)) {
    throw new MeshError('INVALID', 'serviceAccount must be the name of a service account');
  }
  if (ttlSeconds !== undefined && (typeof ttlSeconds !== 'number' || !Number.isInteger(ttlSeconds))) {
    throw new MeshError('INVALID', 'ttlSeconds must be a whole number');
  }
  return { serviceAccount, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) };
}

function requireAccess({ authorize, user }: MountedRequest, access: Parameters<MountedRequest['authorize']>[0]): void {
  const decision = authorize(access);
  if (!decision.allowed) {
    const what =
      'path' in access
        ? `${access.verb} ${access.path}`
        : `${access.verb} ${access.resource}/${access.subresource ?? ''} in namespace ${access.namespace ?? ''}`;
    throw new MeshError('FORBIDDEN', `user ${JSON.stringify(user.username)} may not ${what}`);
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@weft/base';
import type { Authenticator } from '../authn/authenticator.ts';
import { impersonatedUser } from '../authn/impersonation.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { discoveryDocument } from '../discovery/discovery.ts';
import { reviewKind } from '../discovery/review-kinds.ts';
import type { OpenApiDocuments } from '../openapi/open-api-documents.ts';
import { openApiV2 } from '../openapi/open-api-v2.ts';
import type { AccessRequest, ApiLimits, Mount, UserInfo } from '../options.ts';
import type { Registry } from '../registry/registry.ts';
import {
  forbidden,
  forbiddenPath,
  methodNotAllowed,
  pathNotFound,
  statusErrorFrom,
  unauthorized,
} from '../registry/status-error.ts';
import { answerReview } from '../reviews/reviews.ts';
import { sendError, sendJson } from './answer.ts';
import { readBody } from './read-body.ts';
import { parseBody } from './request-body.ts';
import { parseResourcePath, type ResourcePath } from './request-path.ts';
import { isTrue, type ResourceHandler } from './resource-handler.ts';
import type { Usage } from './usage.ts';

export interface ApiHandlerOptions {
  readonly registry: Registry;
  readonly resources: ResourceHandler;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly openApi: OpenApiDocuments;
  readonly mounts: Mount[];
  readonly limits: ApiLimits;
  readonly usage: Usage;
  readonly buildVersion: string;
  readonly logger: Logger;
}

/** Paths that answer without a credential: whether the server lives, and nothing about what it holds. */
const healthPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);
const maxUrlLength = 16_384;

/** Every request: who, what, may he, and on to the part that answers. */
export class ApiHandler {
  readonly #options: ApiHandlerOptions;

  constructor(options: ApiHandlerOptions) {
    this.#options = options;
  }

  /** Never rejects: what goes wrong is the answer. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#route(request, response);
    } catch (error) {
      const { code } = statusErrorFrom(error);
      if (code >= 500 && code !== 504) {
        logger.error('a request failed', { method: request.method, path: request.url?.split('?')[0], error });
      }
      sendError(response, error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    if (!target.startsWith('/') || target.length > maxUrlLength) {
      throw pathNotFound();
    }
    const url = URL.parse(target, 'https://api');
    if (url === null) {
      throw pathNotFound();
    }
    const { pathname } = url;
    if (healthPaths.has(pathname) && (request.method === 'GET' || request.method === 'HEAD')) {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 2 });
      response.end(request.method === 'HEAD' ? undefined : 'ok');
      return;
    }
    const user = await this.#authenticated(request);
    const path = parseResourcePath(pathname);
    if (path !== undefined) {
      const isWatch = request.method === 'GET' && path.name === undefined && isTrue(url.searchParams.get('watch'));
      const leave = isWatch ? undefined : this.#options.usage.enterRequest(user.username);
      try {
        return await this.#resource(request, response, url, path, user);
      } finally {
        leave?.();
      }
    }
    const mount = this.#options.mounts.find(({ prefix }) => pathname.startsWith(prefix));
    if (mount !== undefined) {
      return this.#mounted(mount, request, response, url, user);
    }
    this.#authorizePath(user, request, pathname);
    this.#document(request, response, url);
  }

  async #authenticated(request: IncomingMessage): Promise<UserInfo> {
    const result = await this.#options.authenticator.authenticate(request);
    if (result.kind !== 'user') {
      throw unauthorized();
    }
    return impersonatedUser(request, result.user, this.#options.authorizer);
  }

  #authorizePath(user: UserInfo, request: IncomingMessage, pathname: string): void {
    const verb = (request.method ?? 'GET').toLowerCase();
    if (!this.#options.authorizer.decide(user, { verb, path: pathname }).allowed) {
      throw forbiddenPath(user.username, verb, pathname);
    }
  }

  async #resource(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    path: ResourcePath,
    user: UserInfo,
  ): Promise<void> {
    const { authorizer, authenticator, limits, resources } = this.#options;
    const kind = reviewKind(path.group, path.version, path.plural);
    if (kind === undefined) {
      return resources.handle({ request, response, url, path, user });
    }
    const resource = { group: path.group, plural: path.plural };
    if (request.method !== 'POST' || path.name !== undefined) {
      throw methodNotAllowed(resource, String(request.method).toLowerCase());
    }
    const access: AccessRequest = {
      verb: 'create',
      group: path.group,
      resource: path.plural,
      ...(path.namespace === undefined ? {} : { namespace: path.namespace }),
    };
    if (!authorizer.decide(user, access).allowed) {
      throw forbidden(
        resource,
        '',
        `User "${user.username}" cannot create resource "${path.plural}" in API group "${path.group}"`,
      );
    }
    const bytes = await readBody(request, limits.maxBodyBytes);
    const type = (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim() ?? '';
    const body = parseBody(bytes, type, limits.maxDepth);
    sendJson(response, 201, await answerReview(kind, body, path.namespace, { authorizer, authenticator, user }));
  }

  async #mounted(
    mount: Mount,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    user: UserInfo,
  ): Promise<void> {
    const { authorizer, limits } = this.#options;
    if (mount.authorizePath !== false) {
      this.#authorizePath(user, request, url.pathname);
    }
    await mount.handle({
      request,
      response,
      url,
      user,
      authorize: (access) => authorizer.decide(user, access),
      readBody: () => readBody(request, limits.maxBodyBytes),
    });
  }

  /** Discovery, OpenAPI and version: documents about the API itself. */
  #document(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const { registry, openApi, buildVersion } = this.#options;
    const { pathname } = url;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw methodNotAllowed(undefined, '');
    }
    if (pathname === '/version' || pathname === '/version/') {
      sendJson(response, 200, versionDocument(buildVersion));
      return;
    }
    if (pathname === '/openapi/v3' || pathname === '/openapi/v3/') {
      sendJson(response, 200, openApi.index());
      return;
    }
    if (pathname === '/openapi/v2') {
      const { contentType, body } = openApiV2(request.headers.accept ?? '', buildVersion);
      sendJson(response, 200, body, { 'content-type': contentType });
      return;
    }
    if (pathname.startsWith('/openapi/v3/')) {
      const document = openApi.document(pathname.slice('/openapi/v3/'.length));
      if (document === undefined) {
        throw pathNotFound();
      }
      const etag = `"${document.hash}"`;
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304, { etag });
        response.end();
        return;
      }
      sendJson(response, 200, document.text, { etag });
      return;
    }
    const kinds = registry.resources.map((resource) => resource.declaration);
    const answer = discoveryDocument(pathname, kinds, request.headers.accept ?? '', request.headers.host ?? '');
    if (answer === undefined) {
      throw pathNotFound();
    }
    sendJson(response, 200, answer.body, { 'content-type': answer.contentType });
  }
}

/** Kubernetes' `version.Info`: the API conventions that are followed, with our build beside. */
function versionDocument(buildVersion: string): unknown {
  return {
    major: '1',
    minor: '36',
    gitVersion: `v1.36.0+weft.${buildVersion}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch}`,
  };
}

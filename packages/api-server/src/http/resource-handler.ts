import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@weft/base';
import { deprecationOf, type KubeObject } from '@weft/resources';
import type { ServiceAccountTokens } from '../authn/service-account-token.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { ApiLimits, UserInfo } from '../options.ts';
import { isObject } from '../patch/json.ts';
import { patchTypes } from '../registry/apply-patch.ts';
import type { ListQuery } from '../registry/list.ts';
import type { DeleteOptions, Place, Registry } from '../registry/registry.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import {
  badRequest,
  forbidden,
  methodNotAllowed,
  notAcceptable,
  pathNotFound,
  unsupportedMediaType,
} from '../registry/status-error.ts';
import type { FieldValidation, WriteContext } from '../registry/write-context.ts';
import { answerTokenRequest } from '../reviews/reviews.ts';
import { tableFrom } from '../table/table.ts';
import { includeObjectOf, type WantedForm, wantedForm } from './accept.ts';
import { sendJson, warningHeaders } from './answer.ts';
import { readBody } from './read-body.ts';
import { parseBody } from './request-body.ts';
import type { ResourcePath } from './request-path.ts';
import type { Usage } from './usage.ts';
import { partial, streamWatch } from './watch-stream.ts';

export interface ResourceHandlerOptions {
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  readonly tokens: ServiceAccountTokens;
  readonly limits: ApiLimits;
  readonly usage: Usage;
  readonly clock: Clock;
  readonly random: () => number;
  /** Watches that stream now; each is called when the server stops. */
  readonly streams: Set<() => void>;
}

/** One authenticated request for a resource of the API. */
export interface ResourceRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly path: ResourcePath;
  readonly user: UserInfo;
}

const acceptedForms = ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io'];

/** The REST verbs on stored kinds: from method, path and query to a call of the registry, and its result to an answer. */
export class ResourceHandler {
  readonly #options: ResourceHandlerOptions;

  constructor(options: ResourceHandlerOptions) {
    this.#options = options;
  }

  /** @throws StatusError for everything that is not success. */
  async handle(call: ResourceRequest): Promise<void> {
    const { path } = call;
    const resource = this.#options.registry.resource(path.group, path.version, path.plural);
    if (resource === undefined) {
      throw pathNotFound();
    }
    if (path.namespace !== undefined && !resource.namespaced) {
      throw pathNotFound();
    }
    if (path.subresource === 'token' && resource.key === 'serviceaccounts') {
      return this.#token(call, resource);
    }
    const knownSubresource =
      path.subresource === undefined || (path.subresource === 'status' && resource.declaration.hasStatus);
    if (!knownSubresource) {
      throw pathNotFound();
    }
    return path.name === undefined ? this.#collection(call, resource) : this.#object(call, resource, path.name);
  }

  // ------------------------------------------------------------------------------------------------ collections

  async #collection(call: ResourceRequest, resource: ServedResource): Promise<void> {
    const { request, response, url, path } = call;
    const { registry } = this.#options;
    switch (request.method) {
      case 'GET': {
        const watching = isTrue(url.searchParams.get('watch'));
        this.#authorize(call, resource, watching ? 'watch' : 'list');
        return watching ? this.#watch(call, resource) : this.#list(call, resource);
      }
      case 'POST': {
        if (resource.namespaced && path.namespace === undefined) {
          throw methodNotAllowed(resource, 'create');
        }
        const body = await this.#body(request);
        this.#authorize(call, resource, 'create', nameIn(body));
        const context = this.#context(call);
        const created = await registry.create(resource, path.namespace, body, context);
        return this.#sendObject(call, resource, 201, created, context);
      }
      case 'DELETE': {
        this.#authorize(call, resource, 'deletecollection');
        const context = this.#context(call);
        const options = await this.#deleteOptions(call);
        const page = await registry.deleteCollection(resource, listQuery(call), options, context);
        return sendJson(response, 200, listObject(resource, path.version, page.items, page.metadata));
      }
      default:
        throw methodNotAllowed(resource, String(request.method).toLowerCase());
    }
  }

  #list(call: ResourceRequest, resource: ServedResource): void {
    const { request, response, url, path } = call;
    const { registry, clock } = this.#options;
    const form = formOf(request);
    const page = registry.list(resource, listQuery(call));
    const items = page.items.map((object) => resource.inVersion(object, path.version));
    const headers = warningHeaders(deprecations(resource, path.version));
    if (form === 'table') {
      const includeObject = includeObjectOf(url.searchParams.get('includeObject'));
      const table = tableFrom(resource.declaration, items, {
        includeObject,
        nowMs: clock.now(),
        listMetadata: page.metadata,
      });
      sendJson(response, 200, table, headers);
      return;
    }
    if (form === 'metadata') {
      const list = {
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata: page.metadata,
        items: items.map(partial),
      };
      sendJson(response, 200, list, headers);
      return;
    }
    sendJson(response, 200, listObject(resource, path.version, items, page.metadata), headers);
  }

  #watch(call: ResourceRequest, resource: ServedResource): void {
    const { request, response, url, path, user } = call;
    const { registry, limits, usage, clock, random, streams } = this.#options;
    const { searchParams } = url;
    const seconds = searchParams.get('timeoutSeconds');
    const asked = seconds === null ? undefined : wholeNumber('timeoutSeconds', seconds) * 1000;
    // Spread, so that the watches of one start do not all end, and begin again, together.
    const timeoutMs = asked !== undefined && asked > 0 ? asked : (limits.watchTimeoutMs ?? 1_800_000 * (1 + random()));
    const initial = searchParams.get('sendInitialEvents');
    const leave = usage.enterWatch(user.username);
    let finish: (() => void) | undefined;
    const onEnd = (): void => {
      leave();
      if (finish !== undefined) {
        streams.delete(finish);
      }
    };
    try {
      finish = streamWatch(
        response,
        {
          registry,
          resource,
          version: path.version,
          query: {
            ...listQuery(call),
            allowBookmarks: isTrue(searchParams.get('allowWatchBookmarks')),
            ...(initial === null ? {} : { sendInitialEvents: isTrue(initial) }),
          },
          form: formOf(request),
          includeObject: includeObjectOf(searchParams.get('includeObject')),
          timeoutMs: Math.min(timeoutMs, 2 ** 31 - 1),
          limits,
          clock,
        },
        onEnd,
      );
      streams.add(finish);
    } catch (error) {
      leave();
      throw error;
    }
  }

  // ------------------------------------------------------------------------------------------------ objects

  async #object(call: ResourceRequest, resource: ServedResource, name: string): Promise<void> {
    const { request, response, path } = call;
    const { registry } = this.#options;
    if (resource.namespaced && path.namespace === undefined) {
      throw pathNotFound();
    }
    const place: Place = { namespace: path.namespace, name };
    switch (request.method) {
      case 'GET':
        this.#authorize(call, resource, 'get', name);
        return this.#sendObject(call, resource, 200, registry.get(resource, place));
      case 'PUT': {
        this.#authorize(call, resource, 'update', name);
        const body = await this.#body(request);
        const context = this.#context(call);
        return this.#sendObject(call, resource, 200, await registry.update(resource, place, body, context), context);
      }
      case 'PATCH':
        this.#authorize(call, resource, 'patch', name);
        return this.#patch(call, resource, place);
      case 'DELETE': {
        if (path.subresource !== undefined) {
          throw methodNotAllowed(resource, 'delete');
        }
        this.#authorize(call, resource, 'delete', name);
        const options = await this.#deleteOptions(call);
        const result = await registry.delete(resource, place, options, this.#context(call));
        return sendJson(response, 200, 'code' in result ? result : resource.inVersion(result, path.version));
      }
      default:
        throw methodNotAllowed(resource, String(request.method).toLowerCase());
    }
  }

  async #patch(call: ResourceRequest, resource: ServedResource, place: Place): Promise<void> {
    const { request, url } = call;
    const { registry } = this.#options;
    const type = patchTypes[mediaType(request)];
    if (type === undefined) {
      throw unsupportedMediaType(mediaType(request), Object.keys(patchTypes));
    }
    const body = await this.#body(request);
    const context = this.#context(call);
    if (type !== 'apply') {
      return this.#sendObject(call, resource, 200, await registry.patch(resource, place, type, body, context), context);
    }
    if ((url.searchParams.get('fieldManager') ?? '') === '') {
      throw badRequest('fieldManager is required for server-side apply: add ?fieldManager=<your name>');
    }
    const { object, created } = await registry.apply(resource, place, body, context);
    return this.#sendObject(call, resource, created ? 201 : 200, object, context);
  }

  async #token(call: ResourceRequest, resource: ServedResource): Promise<void> {
    const { request, response, path } = call;
    if (request.method !== 'POST' || path.name === undefined || path.namespace === undefined) {
      throw methodNotAllowed(resource, String(request.method).toLowerCase());
    }
    this.#authorize(call, resource, 'create', path.name);
    const account = this.#options.registry.get(resource, { namespace: path.namespace, name: path.name });
    const body = await this.#body(request);
    sendJson(response, 201, answerTokenRequest(body, account, this.#options.tokens));
  }

  // ------------------------------------------------------------------------------------------------ parts

  #authorize(call: ResourceRequest, resource: ServedResource, verb: string, name?: string): void {
    const { path, user } = call;
    const { namespace, subresource } = path;
    // A namespace is in itself: its name is its scope.
    const scope = resource.key === 'namespaces' ? name : namespace;
    const access = {
      verb,
      group: resource.group,
      resource: resource.plural,
      ...(scope === undefined ? {} : { namespace: scope }),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
    };
    if (!this.#options.authorizer.decide(user, access).allowed) {
      const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
      const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
      throw forbidden(
        resource,
        name ?? '',
        `User "${user.username}" cannot ${verb} resource "${what}" in API group "${resource.group}" ${where}`,
      );
    }
  }

  async #body(request: IncomingMessage): Promise<unknown> {
    const { limits } = this.#options;
    const bytes = await readBody(request, limits.maxBodyBytes);
    return parseBody(bytes, mediaType(request), limits.maxDepth);
  }

  #context(call: ResourceRequest): WriteContext {
    const { url, request, path, user } = call;
    const query = url.searchParams;
    const dryRun = query.getAll('dryRun').filter((value) => value !== '');
    if (dryRun.some((value) => value !== 'All')) {
      throw badRequest(`dryRun=${dryRun.join(',')} is not supported: use dryRun=All`);
    }
    const validation = query.get('fieldValidation') ?? '';
    if (!['', 'Strict', 'Warn', 'Ignore'].includes(validation)) {
      throw badRequest(`fieldValidation=${validation} is not supported: use Strict, Warn or Ignore`);
    }
    const manager = query.get('fieldManager') ?? '';
    if (manager.length > 128) {
      throw badRequest('fieldManager must have at most 128 characters');
    }
    return {
      user,
      fieldManager: manager === '' ? managerOf(request.headers['user-agent']) : manager,
      dryRun: dryRun.length > 0,
      fieldValidation: (validation === '' ? 'Strict' : validation) as FieldValidation,
      version: path.version,
      subresource: path.subresource === 'status' ? 'status' : undefined,
      force: isTrue(query.get('force')),
      warnings: [],
    };
  }

  async #deleteOptions(call: ResourceRequest): Promise<DeleteOptions> {
    const { request, url } = call;
    const { limits } = this.#options;
    const bytes = await readBody(request, limits.maxBodyBytes);
    const body = bytes.length === 0 ? {} : parseBody(bytes, mediaType(request), limits.maxDepth);
    if (!isObject(body)) {
      throw badRequest('the body must be a DeleteOptions object');
    }
    const preconditions = isObject(body['preconditions']) ? body['preconditions'] : {};
    const policy =
      body['propagationPolicy'] ??
      url.searchParams.get('propagationPolicy') ??
      (body['orphanDependents'] === true ? 'Orphan' : undefined);
    if (policy !== undefined && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan') {
      throw badRequest(
        `propagationPolicy ${JSON.stringify(policy)} is not supported: use Background, Foreground or Orphan`,
      );
    }
    if (Array.isArray(body['dryRun']) && body['dryRun'].includes('All')) {
      url.searchParams.set('dryRun', 'All');
    }
    const { uid, resourceVersion } = preconditions;
    return {
      ...(policy === undefined ? {} : { propagationPolicy: policy }),
      ...(typeof uid === 'string' ? { uid } : {}),
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    };
  }

  #sendObject(
    call: ResourceRequest,
    resource: ServedResource,
    code: number,
    stored: KubeObject,
    context?: WriteContext,
  ): void {
    const { request, response, url, path } = call;
    const object = resource.inVersion(stored, path.version);
    const headers = warningHeaders([...deprecations(resource, path.version), ...(context?.warnings ?? [])]);
    const form: WantedForm = formOf(request);
    if (form === 'table') {
      const includeObject = includeObjectOf(url.searchParams.get('includeObject'));
      const listMetadata = { resourceVersion: object.metadata.resourceVersion };
      const options = { includeObject, nowMs: this.#options.clock.now(), listMetadata };
      sendJson(response, code, tableFrom(resource.declaration, [object], options), headers);
      return;
    }
    sendJson(response, code, form === 'metadata' ? partial(object) : object, headers);
  }
}

/** What a client of an old version of the kind is told with each answer. */
function deprecations(resource: ServedResource, version: string): readonly string[] {
  const deprecation = deprecationOf(resource.declaration, version);
  return deprecation === undefined ? [] : [`${deprecation.message}; fix: ${deprecation.fix}`];
}

function formOf(request: IncomingMessage): WantedForm {
  const form = wantedForm(request.headers.accept);
  if (form === undefined) {
    throw notAcceptable(acceptedForms);
  }
  return form;
}

function listQuery(call: ResourceRequest): ListQuery {
  const { searchParams } = call.url;
  const text = (name: string): string | undefined => searchParams.get(name) ?? undefined;
  const limit = searchParams.get('limit');
  return {
    namespace: call.path.namespace,
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    continue: text('continue'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    ...(limit === null ? {} : { limit: wholeNumber('limit', limit) }),
  };
}

function listObject(
  resource: ServedResource,
  version: string,
  items: readonly KubeObject[],
  metadata: unknown,
): unknown {
  return { kind: `${resource.kind}List`, apiVersion: resource.apiVersion(version), metadata, items };
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw badRequest(`${name} must be a whole number, not ${JSON.stringify(text.slice(0, 40))}`);
  }
  return Number(text);
}

/** Whether a query parameter says yes, as Kubernetes reads it. */
export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1' || text === '';
}

function mediaType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
}

function nameIn(body: unknown): string | undefined {
  const metadata = isObject(body) ? body['metadata'] : undefined;
  const name = isObject(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** As Kubernetes: the user agent up to its first slash. */
function managerOf(userAgent: string | undefined): string {
  const name = (userAgent ?? 'unknown').split('/')[0]?.trim() ?? '';
  return name === '' ? 'unknown' : name.slice(0, 128);
}

import { createHash } from 'node:crypto';
import { type KindDeclaration, openApiSchema } from '@weft/resources';
import { servedGroups } from '../discovery/discovery.ts';
import { listMetaSchema } from '../schema/list-meta.ts';

/** One document as it is sent. */
export interface OpenApiText {
  readonly text: string;
  /** Hash of the text, upper-case hexadecimal, as `?hash=` and ETag. */
  readonly hash: string;
}

type Raw = Readonly<Record<string, unknown>>;

/**
 * OpenAPI v3 documents, one for each group version, made when first asked for and kept as text. Schemas come from the kinds'
 * declarations, so `kubectl explain` and the client's validation know what the server knows.
 */
export class OpenApiDocuments {
  readonly #kinds: readonly KindDeclaration[];
  readonly #buildVersion: string;
  readonly #documents = new Map<string, OpenApiText>();

  constructor(kinds: readonly KindDeclaration[], buildVersion: string) {
    this.#kinds = kinds;
    this.#buildVersion = buildVersion;
  }

  /** `/openapi/v3`: where the document of each group version is. */
  index(): unknown {
    const paths: Record<string, unknown> = {};
    for (const [group, versions] of servedGroups(this.#kinds)) {
      for (const version of versions) {
        const path = pathOf(group, version);
        const document = this.document(path);
        if (document !== undefined) {
          paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${document.hash}` };
        }
      }
    }
    return { paths };
  }

  /** @param path `api/v1` or `apis/<group>/<version>`. Undefined when it is not served or has no stored kinds. */
  document(path: string): OpenApiText | undefined {
    const known = this.#documents.get(path);
    if (known !== undefined) {
      return known;
    }
    const match = /^(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(path);
    const group = match?.[2] ?? '';
    const version = match?.[1] ?? match?.[3] ?? '';
    const kinds = this.#kinds.filter((kind) => kind.group === group && kind.versions.includes(version));
    if (match === null || kinds.length === 0) {
      return undefined;
    }
    const text = JSON.stringify(this.#build(path, version, kinds));
    const document = { text, hash: createHash('sha256').update(text).digest('hex').toUpperCase() };
    this.#documents.set(path, document);
    return document;
  }

  #build(root: string, version: string, kinds: readonly KindDeclaration[]): unknown {
    const paths: Record<string, unknown> = {};
    const schemas: Record<string, unknown> = {};
    for (const kind of kinds) {
      const name = schemaName(kind.group, version, kind.kind);
      const identity = [{ group: kind.group, version, kind: kind.kind }];
      schemas[name] = openApiSchema(kind, version);
      schemas[`${name}List`] = listSchema(kind, version, name);
      Object.assign(paths, pathsOf(root, kind, name, identity[0] ?? {}));
    }
    return { openapi: '3.0.0', info: { title: 'Weft', version: this.#buildVersion }, paths, components: { schemas } };
  }
}

function pathOf(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** `io.istio.networking.v1.VirtualService`: the group reversed, as Kubernetes names its schemas. */
function schemaName(group: string, version: string, kind: string): string {
  const prefix = group === '' ? 'io.k8s.api.core' : group.split('.').reverse().join('.');
  return `${prefix}.${version}.${kind}`;
}

function listSchema(kind: KindDeclaration, version: string, itemName: string): unknown {
  return {
    type: 'object',
    description: `A list of ${kind.kind} objects.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the list.' },
      kind: { type: 'string', description: 'Name of the kind of the list.' },
      metadata: listMetaSchema,
      items: { type: 'array', description: 'The objects.', items: { $ref: `#/components/schemas/${itemName}` } },
    },
    'x-kubernetes-group-version-kind': [{ group: kind.group, version, kind: `${kind.kind}List` }],
  };
}

const query = (name: string, type: string, description: string): Raw => ({
  name,
  in: 'query',
  description,
  schema: { type },
});
const inPath = (name: string, description: string): Raw => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

const writeParameters = [
  query('dryRun', 'string', 'All: do everything except storing the result.'),
  query('fieldManager', 'string', 'Who makes the change, for field ownership.'),
  query('fieldValidation', 'string', 'Strict refuses unknown fields (the default), Warn warns, Ignore drops them.'),
];
const applyParameters = [
  ...writeParameters,
  query('force', 'boolean', 'Take over fields that others own (server-side apply).'),
];
const listParameters = [
  query('labelSelector', 'string', 'Only objects with these labels.'),
  query('fieldSelector', 'string', 'Only objects with these field values.'),
  query('limit', 'integer', 'Largest number of objects in one answer.'),
  query('continue', 'string', 'Where an earlier answer ended.'),
  query('resourceVersion', 'string', 'State of the store to read.'),
  query('resourceVersionMatch', 'string', 'Exact or NotOlderThan.'),
  query('watch', 'boolean', 'Answer with changes instead of a list.'),
  query('allowWatchBookmarks', 'boolean', 'Let a watch tell its position from time to time.'),
  query('sendInitialEvents', 'boolean', 'Begin a watch with the state as it is.'),
  query('timeoutSeconds', 'integer', 'How long a watch lasts.'),
];
const deleteParameters = [
  query('dryRun', 'string', 'All: do everything except deleting.'),
  query('propagationPolicy', 'string', 'Background, Foreground or Orphan.'),
  query('gracePeriodSeconds', 'integer', 'Ignored: objects are deleted at once.'),
];

function pathsOf(root: string, kind: KindDeclaration, schema: string, identity: Raw): Record<string, unknown> {
  const reference = { $ref: `#/components/schemas/${schema}` };
  const list = { $ref: `#/components/schemas/${schema}List` };
  const answer = (body: Raw): Raw => ({
    '200': { description: 'OK', content: { 'application/json': { schema: body } } },
  });
  const operation = (
    action: string,
    what: string,
    parameters: readonly Raw[],
    body: Raw,
    request?: readonly string[],
  ): Raw => ({
    tags: [kind.plural],
    description: what,
    parameters,
    ...(request === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: Object.fromEntries(
              request.map((type) => [type, { schema: type.includes('patch') ? { type: 'object' } : reference }]),
            ),
          },
        }),
    responses: answer(body),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': identity,
  });
  const patchTypes = [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
  ];
  const named = (what: string): Raw => ({
    get: operation('get', `Reads ${what}.`, [], reference),
    put: operation('put', `Replaces ${what}.`, writeParameters, reference, ['application/json']),
    patch: operation('patch', `Changes ${what} in part.`, applyParameters, reference, patchTypes),
  });
  const base = kind.namespaced ? `/${root}/namespaces/{namespace}/${kind.plural}` : `/${root}/${kind.plural}`;
  const scope = kind.namespaced ? [inPath('namespace', 'Namespace of the object.')] : [];
  const name = inPath('name', `Name of the ${kind.kind}.`);
  const paths: Record<string, unknown> = {
    [base]: {
      get: operation('list', `Lists or watches ${kind.plural}.`, listParameters, list),
      post: operation('post', `Creates a ${kind.kind}.`, writeParameters, reference, ['application/json']),
      delete: operation('deletecollection', `Deletes ${kind.plural}.`, [...listParameters, ...deleteParameters], {
        type: 'object',
      }),
      parameters: scope,
    },
    [`${base}/{name}`]: {
      ...named(`the ${kind.kind}`),
      delete: operation('delete', `Deletes the ${kind.kind}.`, deleteParameters, { type: 'object' }),
      parameters: [name, ...scope],
    },
  };
  if (kind.hasStatus) {
    paths[`${base}/{name}/status`] = { ...named(`the status of the ${kind.kind}`), parameters: [name, ...scope] };
  }
  if (kind.namespaced) {
    paths[`/${root}/${kind.plural}`] = {
      get: operation('list', `Lists or watches ${kind.plural} of all namespaces.`, listParameters, list),
    };
  }
  return paths;
}

import type { KindDeclaration } from '@weft/resources';
import { reviewGroups, reviews } from './review-kinds.ts';

/** A discovery document and its media type. */
export interface DiscoveryAnswer {
  readonly contentType: string;
  readonly body: unknown;
}

interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const kindVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const statusVerbs = ['get', 'patch', 'update'];

/** Groups with their versions, preferred first; core is the group ``. */
export function servedGroups(kinds: readonly KindDeclaration[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>([['', ['v1']]]);
  for (const kind of kinds) {
    const versions = groups.get(kind.group) ?? [];
    groups.set(kind.group, [...versions, ...kind.versions.filter((version) => !versions.includes(version))]);
  }
  for (const group of reviewGroups) {
    groups.set(group, ['v1']);
  }
  return groups;
}

function resourcesOf(kinds: readonly KindDeclaration[], group: string, version: string): ApiResource[] {
  const found: ApiResource[] = [];
  for (const kind of kinds) {
    if (kind.group !== group || !kind.versions.includes(version)) {
      continue;
    }
    const { namespaced, plural, singular, shortNames, categories } = kind;
    found.push({
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs: kindVerbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    });
    if (kind.hasStatus) {
      found.push({ name: `${plural}/status`, singularName: '', namespaced, kind: kind.kind, verbs: statusVerbs });
    }
    if (group === '' && plural === 'serviceaccounts') {
      found.push({
        name: 'serviceaccounts/token',
        singularName: '',
        namespaced,
        group: 'authentication.k8s.io',
        version: 'v1',
        kind: 'TokenRequest',
        verbs: ['create'],
      });
    }
  }
  if (version === 'v1') {
    for (const review of reviews.filter((each) => each.group === group)) {
      found.push({
        name: review.plural,
        singularName: review.kind.toLowerCase(),
        namespaced: review.namespaced,
        kind: review.kind,
        verbs: ['create'],
      });
    }
  }
  return found;
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

function wantsAggregated(accept: string): boolean {
  return accept.split(',').some((range) => {
    const parts = range.split(';').map((part) => part.trim());
    return (
      parts.includes('g=apidiscovery.k8s.io') && parts.includes('v=v2') && parts.includes('as=APIGroupDiscoveryList')
    );
  });
}

function aggregated(kinds: readonly KindDeclaration[], core: boolean): unknown {
  const items = [...servedGroups(kinds)]
    .filter(([group]) => (group === '') === core)
    .map(([group, versions]) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        freshness: 'Current',
        resources: aggregatedResources(resourcesOf(kinds, group, version), group, version),
      })),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResources(resources: readonly ApiResource[], group: string, version: string): unknown[] {
  const responseKind = (resource: ApiResource): unknown => ({
    group: resource.group ?? group,
    version: resource.version ?? version,
    kind: resource.kind,
  });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const subresources = resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(resource.name.length + 1),
          responseKind: responseKind(sub),
          verbs: sub.verbs,
        }));
      return {
        resource: resource.name,
        responseKind: responseKind(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}

function groupDocument(group: string, versions: readonly string[]): Readonly<Record<string, unknown>> {
  const entry = (version: string): unknown => ({ groupVersion: `${group}/${version}`, version });
  return { name: group, versions: versions.map(entry), preferredVersion: entry(versions[0] ?? 'v1') };
}

/**
 * What `path` answers: `/api`, `/api/v1`, `/apis`, `/apis/<group>`, `/apis/<group>/<version>`. Undefined when the path is none of
 * discovery or names what is not served.
 * @param serverAddress host and port, told to old clients by `/api`.
 */
export function discoveryDocument(
  path: string,
  kinds: readonly KindDeclaration[],
  accept: string,
  serverAddress: string,
): DiscoveryAnswer | undefined {
  const json = (body: unknown): DiscoveryAnswer => ({ contentType: 'application/json', body });
  const parts = path.split('/').filter((part) => part !== '');
  const groups = servedGroups(kinds);
  if (parts.length === 1 && (parts[0] === 'api' || parts[0] === 'apis')) {
    const core = parts[0] === 'api';
    if (wantsAggregated(accept)) {
      return { contentType: aggregatedType, body: aggregated(kinds, core) };
    }
    return json(
      core
        ? {
            kind: 'APIVersions',
            versions: ['v1'],
            serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
          }
        : {
            kind: 'APIGroupList',
            apiVersion: 'v1',
            groups: [...groups]
              .filter(([group]) => group !== '')
              .map(([group, versions]) => groupDocument(group, versions)),
          },
    );
  }
  if (parts.length === 2 && parts[0] === 'apis') {
    const versions = groups.get(parts[1] ?? '');
    return versions === undefined || parts[1] === ''
      ? undefined
      : json({ kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(parts[1] ?? '', versions) });
  }
  const [group, version] =
    parts[0] === 'api' && parts.length === 2
      ? ['', parts[1]]
      : parts[0] === 'apis' && parts.length === 3
        ? [parts[1], parts[2]]
        : [];
  if (group === undefined || version === undefined || !(groups.get(group) ?? []).includes(version)) {
    return undefined;
  }
  const groupVersion = group === '' ? version : `${group}/${version}`;
  return json({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resourcesOf(kinds, group, version),
  });
}

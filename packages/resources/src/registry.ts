import { gvkOf } from './declare-kind.ts';
import type { KindDeclaration } from './kind.ts';
import { configMapKind } from './kinds/core/config-map.ts';
import { namespaceKind } from './kinds/core/namespace.ts';
import { secretKind } from './kinds/core/secret.ts';
import { serviceKind } from './kinds/core/service.ts';
import { serviceAccountKind } from './kinds/core/service-account.ts';
import { workloadEntryKind } from './kinds/networking/workload-entry.ts';
import { proxyKind } from './kinds/weft/proxy.ts';

/** Every kind of the resource API. */
export const kinds: readonly KindDeclaration[] = [
  namespaceKind,
  serviceKind,
  serviceAccountKind,
  secretKind,
  configMapKind,
  workloadEntryKind,
  proxyKind,
];

/** Group, preferred version and kind of each kind. */
export const gvk = {
  namespace: gvkOf(namespaceKind),
  service: gvkOf(serviceKind),
  serviceAccount: gvkOf(serviceAccountKind),
  secret: gvkOf(secretKind),
  configMap: gvkOf(configMapKind),
  workloadEntry: gvkOf(workloadEntryKind),
  proxy: gvkOf(proxyKind),
} as const;

function indexBy(name: 'kind' | 'plural'): ReadonlyMap<string, KindDeclaration> {
  return new Map(
    kinds.flatMap((kind) => kind.versions.map((version) => [`${kind.group}/${version}/${kind[name]}`, kind] as const)),
  );
}

const byKind = indexBy('kind');
const byPlural = indexBy('plural');

/** The declaration of a kind, if it is served in that group (empty for core) and version. */
export function kindFor(group: string, version: string, kind: string): KindDeclaration | undefined {
  return byKind.get(`${group}/${version}/${kind}`);
}

/** The declaration by the name that URLs use. */
export function kindForResource(group: string, version: string, plural: string): KindDeclaration | undefined {
  return byPlural.get(`${group}/${version}/${plural}`);
}

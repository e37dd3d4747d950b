import { typeUrls } from '@weft/xds-types';
import { referencesOf } from './references.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What a client could not make sense of: a cluster whose endpoints are not in the snapshot, a listener whose route
 * configuration is not, and endpoints or routes that nothing names. A snapshot with inconsistencies is not to be published:
 * clients would wait for what never comes. One sentence each; empty when all is well.
 */
export function findInconsistencies(snapshot: Snapshot): string[] {
  const problems: string[] = [];
  for (const [parentType, childType, kind, child] of [
    [typeUrls.cluster, typeUrls.endpoint, 'endpoints', 'endpoints'],
    [typeUrls.listener, typeUrls.routeConfiguration, 'routes', 'route configuration'],
  ] as const) {
    const children = snapshot.resources.get(childType);
    const named = new Set<string>();
    for (const parent of snapshot.resources.get(parentType)?.values() ?? []) {
      for (const name of referencesOf(parent)[kind]) {
        named.add(name);
        if (children?.has(name) !== true) {
          problems.push(`${parent.name} names ${child} ${name}, which is not in the snapshot`);
        }
      }
    }
    for (const name of children?.keys() ?? []) {
      if (!named.has(name)) {
        problems.push(`nothing names ${child} ${name}`);
      }
    }
  }
  return problems;
}

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
  for (const [parentType, childType, child] of [
    [typeUrls.cluster, typeUrls.endpoint, 'endpoints'],
    [typeUrls.listener, typeUrls.routeConfiguration, 'route configuration'],
  ] as const) {
    const children = snapshot.resources.get(childType);
    const named = new Set<string>();
    for (const parent of snapshot.resources.get(parentType)?.values() ?? []) {
      for (const reference of referencesOf(parent)) {
        named.add(reference.name);
        if (children?.has(reference.name) !== true) {
          problems.push(`${parent.name} names ${child} ${reference.name}, which is not in the snapshot`);
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

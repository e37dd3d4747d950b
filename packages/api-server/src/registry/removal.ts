import type { KubeObject } from '@weft/resources';
import type { Transaction } from '../store/object-store.ts';
import { timeText } from './prepare.ts';
import type { ServedResource } from './served-resource.ts';

/** What becomes of an object's dependents (`meta.v1.DeleteOptions.propagationPolicy`). */
export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

/** Finalizers that the server itself takes care of (`meta.v1`). */
export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

export interface RemovalOptions {
  readonly policy: PropagationPolicy;
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  readonly dryRun?: boolean;
}

/**
 * One step of deletion inside a transaction: an object without finalizers goes, one with them is marked. A namespace is always
 * marked first: it goes when it is empty.
 * @returns what is left of it; undefined when it is gone.
 */
export function removeObject(
  transaction: Transaction,
  resource: ServedResource,
  object: KubeObject,
  options: RemovalOptions,
): KubeObject | undefined {
  const finalizers = new Set(object.metadata.finalizers ?? []);
  if (options.policy === 'Foreground') {
    finalizers.add(foregroundFinalizer);
  } else if (options.policy === 'Orphan') {
    finalizers.add(orphanFinalizer);
  }
  const isNamespace = resource.key === 'namespaces';
  if (finalizers.size === 0 && !isNamespace) {
    if (options.dryRun !== true) {
      transaction.delete(resource.key, object);
    }
    return undefined;
  }
  if (object.metadata.deletionTimestamp !== undefined) {
    return object;
  }
  const marked: KubeObject = {
    ...object,
    ...(isNamespace ? { status: { phase: 'Terminating' } } : {}),
    metadata: {
      ...object.metadata,
      deletionTimestamp: timeText(options.nowMs),
      deletionGracePeriodSeconds: 0,
      generation: (object.metadata.generation ?? 1) + 1,
      ...(finalizers.size === 0 ? {} : { finalizers: [...finalizers] }),
    },
  };
  return options.dryRun === true ? marked : transaction.put(resource.key, marked);
}

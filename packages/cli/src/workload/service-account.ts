import { MeshError } from '@weft/base';
import { type KubeObject, serviceAccountKind } from '@weft/resources';
import type { ResourceApi } from '../api/resource-api.ts';
import { managedByRun, ownerOf, serviceAccountObject } from './objects.ts';
import type { WorkloadSpec } from './workload-spec.ts';

/** Others may remove an account between two of our steps, but not again and again. */
const maxTries = 5;

/**
 * Sees to it that the workload's account exists for as long as its Proxy does. An account that somebody else made is left as it
 * is; one that `weft run` made gets the Proxy as a further owner, and goes with the last of them.
 */
export async function ensureServiceAccount(
  resources: ResourceApi,
  spec: WorkloadSpec,
  proxy: KubeObject,
): Promise<void> {
  const wanted = serviceAccountObject(spec, [ownerOf(proxy)]);
  for (let attempt = 1; ; attempt += 1) {
    const found = await resources.find(serviceAccountKind, spec.namespace, spec.serviceAccount);
    try {
      if (found === undefined) {
        await resources.create(wanted);
      } else if (isManagedByRun(found)) {
        await resources.strategicMerge(serviceAccountKind, spec.namespace, spec.serviceAccount, {
          // The uid is a precondition: an account of the same name that somebody else made meanwhile is not ours to mark.
          metadata: { uid: found.metadata.uid, ownerReferences: wanted.metadata.ownerReferences },
        });
      }
      return;
    } catch (error) {
      const { code } = MeshError.from(error);
      if ((code !== 'CONFLICT' && code !== 'NOT_FOUND') || attempt === maxTries) {
        throw error;
      }
    }
  }
}

function isManagedByRun({ metadata }: KubeObject): boolean {
  return Object.entries(managedByRun).every(([label, value]) => metadata.labels?.[label] === value);
}

/** Two that create the same object at once are both content. */
export async function createIfAbsent(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (MeshError.from(error).code !== 'CONFLICT') {
      throw error;
    }
  }
}

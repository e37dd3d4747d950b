import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, loadBalancerAnnotation } from '@weft/resources';
import type { WorkloadEntry } from '../kinds.ts';

/**
 * Whether two versions of an object are the same for translation. The control plane writes status all the time; those writes must
 * not look like changes, or every write would cause the next one. Of status only a workload's health counts.
 */
export function sameForTranslation(a: KubeObject, b: KubeObject): boolean {
  return isDeepStrictEqual(significantPart(a), significantPart(b));
}

function significantPart(object: KubeObject): unknown {
  const { metadata, status: _, ...rest } = object as WorkloadEntry;
  const healthy = (object as WorkloadEntry).status?.conditions;
  return {
    ...rest,
    labels: metadata.labels ?? {},
    loadBalancer: metadata.annotations?.[loadBalancerAnnotation],
    generation: metadata.generation,
    created: metadata.creationTimestamp,
    leaving: metadata.deletionTimestamp !== undefined,
    healthy:
      object.kind === 'WorkloadEntry' && Array.isArray(healthy)
        ? healthy.find(({ type }) => type === 'Healthy')?.status
        : undefined,
  };
}

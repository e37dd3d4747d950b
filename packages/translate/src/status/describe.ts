import type { KubeObject } from '@weft/resources';

/** `VirtualService shop/reviews`, as messages of statuses name a resource. */
export function describe(object: KubeObject): string {
  return `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

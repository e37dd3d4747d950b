import type { OriginRef } from '@weft/ir';
import type { KubeObject } from '@weft/resources';

const known = new WeakMap<KubeObject, OriginRef>();

/** The reference to `object` at its generation; the same object each time. */
export function originOf(object: KubeObject): OriginRef {
  let origin = known.get(object);
  if (origin === undefined) {
    const slash = object.apiVersion.indexOf('/');
    origin = {
      group: slash < 0 ? '' : object.apiVersion.slice(0, slash),
      kind: object.kind,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      generation: object.metadata.generation ?? 0,
    };
    known.set(object, origin);
  }
  return origin;
}

/** Where something is written. */
export interface Place {
  readonly object: KubeObject;
  /** `spec.http[1].timeout` */
  readonly path: string;
}

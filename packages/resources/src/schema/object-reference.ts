import { object, text } from './fields.ts';

/** Names an object of any kind (`core.v1.ObjectReference`). */
export function objectReference(description: string) {
  return object(
    description,
    {
      apiVersion: text('Group and version of the object.'),
      kind: text('Kind of the object.'),
      name: text('Name of the object.'),
      namespace: text('Namespace of the object.'),
      uid: text('UID of the object.'),
      resourceVersion: text('Version of the object, where one is meant.'),
      fieldPath: text('The part of the object that is meant, such as spec.ports[0].'),
    },
    [],
    { 'x-kubernetes-map-type': 'atomic' },
  );
}

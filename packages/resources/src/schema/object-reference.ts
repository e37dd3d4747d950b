import { object, text } from './fields.ts';

/** Names an object of any kind (`core.v1.ObjectReference`). */
export function objectReference(description: string) {
  return object(
    description,
    {
      apiVersion: text('Group and version.'),
      kind: text('Kind.'),
      name: text('Name.'),
      namespace: text('Namespace.'),
      uid: text('UID.'),
      resourceVersion: text('Version.'),
      fieldPath: text('A part of the object.'),
    },
    [],
    { 'x-kubernetes-map-type': 'atomic' },
  );
}

import type { JsonSchema } from './json-schema.ts';

const text = (description: string): JsonSchema => ({ type: 'string', description });
const time = (description: string): JsonSchema => ({ type: 'string', format: 'date-time', description });
const integer = (description: string): JsonSchema => ({ type: 'integer', format: 'int64', description });
const textMap = (description: string): JsonSchema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
});

const ownerReference: JsonSchema = {
  type: 'object',
  description: 'An object that this one belongs to.',
  properties: {
    apiVersion: text('Group and version of the owner.'),
    kind: text('Kind of the owner.'),
    name: text('Name of the owner, in the same namespace or cluster-scoped.'),
    uid: text('UID of the owner.'),
    controller: { type: 'boolean', description: 'Whether the owner is the one that manages this object.' },
    blockOwnerDeletion: {
      type: 'boolean',
      description: 'Whether foreground deletion of the owner waits for this object.',
    },
  },
  required: ['apiVersion', 'kind', 'name', 'uid'],
  'x-kubernetes-map-type': 'atomic',
};

const managedFieldsEntry: JsonSchema = {
  type: 'object',
  description: 'The fields that one field manager owns.',
  properties: {
    manager: text('Name of the field manager.'),
    operation: text('Apply, or Update for every other way to write.'),
    apiVersion: text('Version that the fields are written in.'),
    time: time('When the set of fields last changed.'),
    fieldsType: text('Always FieldsV1.'),
    fieldsV1: {
      type: 'object',
      description: 'The set of fields.',
      'x-kubernetes-preserve-unknown-fields': true,
    },
    subresource: text('The subresource that was written through, empty for the object itself.'),
  },
};

/** `meta.v1.ObjectMeta`, the same for every kind. */
export const objectMetaSchema: JsonSchema = {
  type: 'object',
  description: 'Name, labels and what the API keeps about the object.',
  properties: {
    name: text('Name of the object, unique for its kind and namespace; it cannot be changed.'),
    generateName: text('Beginning of a name that the API completes when name is empty.'),
    namespace: text('Namespace of the object; empty for cluster-scoped kinds.'),
    selfLink: text('Not filled in.'),
    uid: text('Tells apart objects that had the same name at different times. Set by the API.'),
    resourceVersion: text('Version of the object in the store; opaque.'),
    generation: integer('Grows with each change of what is asked for. Set by the API.'),
    creationTimestamp: time('When the object was created. Set by the API.'),
    deletionTimestamp: time('When deletion was asked for; the object goes when it has no finalizers left.'),
    deletionGracePeriodSeconds: integer('Seconds granted for deletion.'),
    labels: textMap('Short facts that selectors choose by.'),
    annotations: textMap('Facts that nothing selects by.'),
    ownerReferences: {
      type: 'array',
      description: 'Objects that this one belongs to: it is deleted with the last of them.',
      items: ownerReference,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
    },
    finalizers: {
      type: 'array',
      description: 'What must be done before the object may go; each doer removes its own.',
      items: { type: 'string' },
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    },
    managedFields: {
      type: 'array',
      description: 'Which field manager owns which fields. Kept by the API.',
      items: managedFieldsEntry,
      'x-kubernetes-list-type': 'atomic',
    },
  },
};

/** `meta.v1.ListMeta`. */
export const listMetaSchema: JsonSchema = {
  type: 'object',
  description: 'What the API says about a list.',
  properties: {
    resourceVersion: text('Version that the list was read at; a watch can start from it.'),
    continue: text('Token for the next part of the list; empty at its end.'),
    remainingItemCount: integer('Items that follow, where that is known.'),
    selfLink: text('Not filled in.'),
  },
};

export const apiVersionSchema: JsonSchema = text(
  'Group and version of the kind, such as v1 or networking.istio.io/v1.',
);
export const kindSchema: JsonSchema = text('Name of the kind.');

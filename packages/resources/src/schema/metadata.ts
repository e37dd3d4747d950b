import { anyObject, choice, flag, int64, keyedList, map, object, set, text, time } from './fields.ts';

function ownerReference() {
  return object(
    'An object that this one belongs to.',
    {
      apiVersion: text('Group and version of the owner.'),
      kind: text('Kind of the owner.'),
      name: text('Name of the owner, in the same namespace or cluster-scoped.'),
      uid: text('UID of the owner: a later object of the same name is another owner.'),
      controller: flag('The one owner that manages this object.'),
      blockOwnerDeletion: flag('Foreground deletion of the owner waits for this object.'),
    },
    ['apiVersion', 'kind', 'name', 'uid'],
    { 'x-kubernetes-map-type': 'atomic' },
  );
}

function managedFields() {
  return object('The fields that one field manager owns.', {
    manager: text('Name of the field manager.'),
    operation: choice('How the manager wrote: by server-side apply, or by create, replace and patch.', [
      'Apply',
      'Update',
    ]),
    apiVersion: text('Version of the object that the fields are written in.'),
    time: time('When the manager last changed the set of its fields.'),
    fieldsType: text('The format of the set; only FieldsV1 exists.'),
    fieldsV1: anyObject('The set of fields, as nested objects with keys `f:<field>`, `k:<key>` and `v:<value>`.'),
    subresource: text('The subresource through which the manager wrote, empty for the object itself.'),
  });
}

/** The schema of `metadata`, the same for every kind. */
export function metadataSchema() {
  return object('Name, labels and what the API keeps about the object.', {
    name: text('Name of the object, unique for its kind and namespace. It cannot be changed.'),
    generateName: text('Beginning of a name that the API completes when `name` is empty.'),
    namespace: text('Namespace of the object; not for cluster-scoped kinds. It cannot be changed.'),
    selfLink: text('No longer filled in by anyone.'),
    uid: text('Tells apart objects that had the same name at different times. Set by the API.'),
    resourceVersion: text('Version of the object in the store. Opaque; compare only for equality.'),
    generation: int64('Grows by one with each change of what is asked for. Set by the API.'),
    creationTimestamp: time('When the object was created. Set by the API.'),
    deletionTimestamp: time('When deletion was asked for; the object goes when its finalizers have gone.'),
    deletionGracePeriodSeconds: int64('Seconds that were granted for deletion.'),
    labels: map('Labels: short facts that selectors choose by.', text('Value of the label.')),
    annotations: map('Annotations: facts that nothing selects by.', text('Value of the annotation.')),
    ownerReferences: keyedList(
      'Objects that this one belongs to: it is deleted with the last of them.',
      ownerReference(),
      {
        listMapKeys: ['uid'],
        patchMergeKey: 'uid',
      },
    ),
    finalizers: set(
      'What must be done before the object may go; each doer removes its own.',
      text('Name of the finalizer.'),
      {
        'x-kubernetes-patch-strategy': 'merge',
      },
    ),
    managedFields: set('Which field manager owns which fields.', managedFields(), {
      'x-kubernetes-list-type': 'atomic',
    }),
  });
}

import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { conditions } from '../../schema/conditions.ts';
import { choice, list, object, text } from '../../schema/fields.ts';

function namespaceSchema() {
  return object('A namespace.', {
    spec: object('What is asked for.', {
      finalizers: list(
        'What must be done before the namespace goes.',
        text('Name of the finalizer.'),
        {},
        {
          'x-kubernetes-list-type': 'atomic',
        },
      ),
    }),
    status: object('What is.', {
      phase: choice('Active, or Terminating once its deletion was asked for.', ['Active', 'Terminating']),
      conditions: conditions('Statements about the deletion of the namespace.'),
    }),
  });
}

/** A scope for names. */
export type Namespace = ObjectOf<typeof namespaceSchema>;

/** Label that the API puts on each namespace, so that selectors can choose by name. */
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

export const namespaceKind = declareKind<Namespace>({
  group: '',
  versions: ['v1'],
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  nameFormat: 'label',
  hasStatus: true,
  description: 'A scope for names: objects of one kind have different names within a namespace.',
  schema: namespaceSchema,
  withDefaults: (object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...object.metadata.labels, [namespaceNameLabel]: object.metadata.name },
    },
    status: { ...object.status, phase: object.status?.phase ?? 'Active' },
  }),
  columns: [
    {
      name: 'Status',
      type: 'string',
      priority: 0,
      description: 'Active or Terminating.',
      value: (object) => object.status?.phase,
    },
    age,
  ],
});

import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age } from '../../format/columns.ts';
import { flag, keyedList, list, object, text } from '../../schema/fields.ts';
import { objectReference } from '../../schema/object-reference.ts';

function serviceAccountSchema() {
  return object('A service account.', {
    secrets: keyedList('Secrets that workloads of the account may use.', objectReference('A reference to a secret.'), {
      listMapKeys: ['name'],
      patchMergeKey: 'name',
    }),
    imagePullSecrets: list(
      'Secrets for a registry of images. Nothing in Weft acts on them.',
      object('A reference to a secret in the same namespace.', { name: text('Name of the secret.') }, [], {
        'x-kubernetes-map-type': 'atomic',
      }),
      {},
      { 'x-kubernetes-list-type': 'atomic' },
    ),
    automountServiceAccountToken: flag('Whether workloads get a token of the account by default.'),
  });
}

/** The identity of workloads. */
export type ServiceAccount = ObjectOf<typeof serviceAccountSchema>;

export const serviceAccountKind = declareKind<ServiceAccount>({
  group: '',
  versions: ['v1'],
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  hasStatus: false,
  description: 'The identity of workloads: spiffe://<trust domain>/ns/<namespace>/sa/<name>.',
  schema: serviceAccountSchema,
  columns: [
    {
      name: 'Secrets',
      type: 'integer',
      priority: 0,
      description: 'How many secrets belong to it.',
      value: (object) => object.secrets?.length ?? 0,
    },
    age,
  ],
});

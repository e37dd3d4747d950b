import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList } from '../../format/columns.ts';
import type { PrinterColumn } from '../../kind.ts';
import { choice, list, map, object, text } from '../../schema/fields.ts';
import { policyRules, roleRef, subjects } from './role-schema.ts';
import {
  rbacGroup,
  validateBindingUpdate,
  validateClusterRole,
  validateClusterRoleBinding,
  validateRole,
  validateRoleBinding,
} from './role-validation.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;

function roleSchema() {
  return object('A role.', { rules: policyRules() });
}

function clusterRoleSchema() {
  return object('A cluster role.', {
    rules: policyRules(),
    aggregationRule: object('Takes the rules over from other cluster roles.', {
      clusterRoleSelectors: list(
        'Which: those that any of these selectors chooses.',
        object(
          'A selector.',
          {
            matchLabels: map('Labels that are there with these values.', text('Value of the label.')),
            matchExpressions: list(
              'Further conditions on labels.',
              object(
                'One condition.',
                {
                  key: text('Name of the label.'),
                  operator: choice('What is asked of it.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
                  values: list('Values for In and NotIn.', text('A value.'), {}, atomic),
                },
                ['key', 'operator'],
              ),
              {},
              atomic,
            ),
          },
          [],
          { 'x-kubernetes-map-type': 'atomic' },
        ),
        {},
        atomic,
      ),
    }),
  });
}

function bindingSchema() {
  return object('A binding.', { roleRef: roleRef(), subjects: subjects() }, ['roleRef']);
}

/** What is allowed in one namespace. */
export type Role = ObjectOf<typeof roleSchema>;
/** What is allowed everywhere, or in namespaces by binding. */
export type ClusterRole = ObjectOf<typeof clusterRoleSchema>;
/** Gives a role to somebody in one namespace. */
export type RoleBinding = ObjectOf<typeof bindingSchema>;
/** Gives a cluster role to somebody everywhere. */
export type ClusterRoleBinding = ObjectOf<typeof bindingSchema>;

const common = {
  group: rbacGroup,
  versions: ['v1'],
  shortNames: [],
  categories: [],
  nameFormat: 'path-segment',
  hasStatus: false,
} as const;

const created: PrinterColumn = {
  name: 'Created At',
  // Printed as a time, as kubectl does, not as an age.
  type: 'string',
  priority: 0,
  description: 'When it was created.',
  value: (object) => object.metadata.creationTimestamp,
};

const bindingColumns: readonly PrinterColumn<RoleBinding>[] = [
  {
    name: 'Role',
    type: 'string',
    priority: 0,
    description: 'The role that is given.',
    value: ({ roleRef: { kind, name } }) => `${kind}/${name}`,
  },
  age,
  ...(['User', 'Group', 'ServiceAccount'] as const).map(
    (kind): PrinterColumn<RoleBinding> => ({
      name: `${kind}s`,
      type: 'string',
      priority: 1,
      description: `Each ${kind} that is given the role.`,
      value: ({ subjects: all }) =>
        commaList(
          (all ?? [])
            .filter((subject) => subject.kind === kind)
            .map(({ namespace, name }) => (namespace === undefined ? name : `${namespace}/${name}`)),
        ),
    }),
  ),
];

export const roleKind = declareKind<Role>({
  ...common,
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
  description: 'What is allowed in one namespace.',
  schema: roleSchema,
  validate: validateRole,
  columns: [created],
});

export const clusterRoleKind = declareKind<ClusterRole>({
  ...common,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  description: 'What is allowed everywhere, or in those namespaces where a RoleBinding gives it.',
  schema: clusterRoleSchema,
  validate: validateClusterRole,
  columns: [created],
});

function bindingDefaults<T extends RoleBinding>(binding: T): T {
  return {
    ...binding,
    ...(binding.subjects === undefined
      ? {}
      : {
          subjects: binding.subjects.map((subject) => ({
            ...subject,
            ...(subject.kind === 'ServiceAccount' ? {} : { apiGroup: subject.apiGroup ?? rbacGroup }),
          })),
        }),
  };
}

export const roleBindingKind = declareKind<RoleBinding>({
  ...common,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  description: 'Gives a role to users, groups and service accounts in one namespace.',
  schema: bindingSchema,
  withDefaults: bindingDefaults,
  validate: validateRoleBinding,
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});

export const clusterRoleBindingKind = declareKind<ClusterRoleBinding>({
  ...common,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  description: 'Gives a cluster role to users, groups and service accounts everywhere.',
  schema: bindingSchema,
  withDefaults: bindingDefaults,
  validate: validateClusterRoleBinding,
  validateUpdate: validateBindingUpdate,
  columns: bindingColumns,
});

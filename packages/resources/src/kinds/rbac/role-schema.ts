import { choice, list, object, text } from '../../schema/fields.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;

export function policyRules() {
  return list(
    'What is allowed; rules add up.',
    object(
      'One rule.',
      {
        verbs: list(
          'Actions: get, list, watch, create, update, patch, delete, or `*`.',
          text('An action.'),
          {},
          atomic,
        ),
        apiGroups: list('API groups; an empty name is the core group, `*` all.', text('A group.'), {}, atomic),
        resources: list(
          'Resources by their plural names, with subresources as services/status, or `*`.',
          text('A resource.'),
          {},
          atomic,
        ),
        resourceNames: list(
          'Names of objects. Default all; never with create or list of all.',
          text('A name.'),
          {},
          atomic,
        ),
        nonResourceURLs: list(
          'Paths that are no resources, such as /metrics; only in a ClusterRole.',
          text('A path, `*` at its end for all below.'),
          {},
          atomic,
        ),
      },
      ['verbs'],
    ),
    {},
    atomic,
  );
}

export function roleRef() {
  return object(
    'The role that is given. It cannot be changed.',
    {
      apiGroup: text('Always rbac.authorization.k8s.io.'),
      kind: choice('Role or ClusterRole.', ['Role', 'ClusterRole']),
      name: text('Name of the role.'),
    },
    ['apiGroup', 'kind', 'name'],
    { 'x-kubernetes-map-type': 'atomic' },
  );
}

export function subjects() {
  return list(
    'Who is given the role.',
    object(
      'One user, group or service account.',
      {
        kind: choice('What the subject is.', ['User', 'Group', 'ServiceAccount']),
        apiGroup: text('rbac.authorization.k8s.io for users and groups, empty for service accounts.'),
        name: text('Name of the subject.'),
        namespace: text('Namespace of a service account.'),
      },
      ['kind', 'name'],
      { 'x-kubernetes-map-type': 'atomic' },
    ),
    {},
    atomic,
  );
}

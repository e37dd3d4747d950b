import type { KindDeclaration, KubeObject } from '@weft/resources';

const apiVersion = 'rbac.authorization.k8s.io/v1';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

const readVerbs = ['get', 'list', 'watch'];
const writeVerbs = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Labels that mark what the server keeps right by itself at each start. */
const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

function role(name: string, rules: readonly Rule[]): KubeObject {
  return { apiVersion, kind: 'ClusterRole', metadata: { name, labels }, rules } as KubeObject;
}

function binding(name: string, roleName: string, groups: readonly string[]): KubeObject {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
    subjects: groups.map((group) => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: group })),
  } as KubeObject;
}

/**
 * The roles every server has, by the names Kubernetes gives them: `cluster-admin`, and for namespaces `admin`, `edit` and `view`
 * over all served kinds (`view` shows no Secrets, `edit` gives no rights away), and what every authenticated user may do.
 */
export function bootstrapRbac(kinds: readonly KindDeclaration[]): readonly KubeObject[] {
  const rulesFor = (wanted: (kind: KindDeclaration) => boolean, verbs: readonly string[]): Rule[] => {
    const groups = new Map<string, string[]>();
    for (const kind of kinds.filter((each) => each.namespaced && wanted(each))) {
      groups.set(kind.group, [...(groups.get(kind.group) ?? []), kind.plural]);
    }
    return [...groups].map(([group, resources]) => ({ apiGroups: [group], resources, verbs }));
  };
  const isRbac = (kind: KindDeclaration): boolean => kind.group === 'rbac.authorization.k8s.io';
  const isSecret = (kind: KindDeclaration): boolean => kind.group === '' && kind.plural === 'secrets';
  const ordinary = (kind: KindDeclaration): boolean => !isRbac(kind);
  const accountTokens: Rule = { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] };
  const view = rulesFor((kind) => !isRbac(kind) && !isSecret(kind), readVerbs);
  return [
    role('cluster-admin', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    role('admin', [...rulesFor(() => true, [...readVerbs, ...writeVerbs]), accountTokens]),
    role('edit', [...rulesFor(ordinary, [...readVerbs, ...writeVerbs]), accountTokens]),
    role('view', view),
    role('system:discovery', [
      {
        nonResourceURLs: [
          '/api',
          '/api/*',
          '/apis',
          '/apis/*',
          '/openapi',
          '/openapi/*',
          '/version',
          '/version/',
          '/healthz',
          '/livez',
          '/readyz',
        ],
        verbs: ['get'],
      },
    ]),
    role('system:basic-user', [
      {
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
        verbs: ['create'],
      },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ]),
    binding('cluster-admin', 'cluster-admin', ['system:masters']),
    binding('system:discovery', 'system:discovery', ['system:authenticated']),
    binding('system:basic-user', 'system:basic-user', ['system:authenticated']),
  ];
}

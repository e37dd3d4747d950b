import type { ClusterRole, ClusterRoleBinding, KubeObject, Role, RoleBinding } from '@weft/resources';
import type { AccessDecision, AccessRequest, UserInfo } from '../options.ts';

/** What the authorizer reads. `revision` grows with each change of an RBAC object; an index is kept until then. */
export interface RbacReader {
  list(group: string, plural: string, namespace?: string): readonly KubeObject[];
  readonly revision: number;
}

/** One rule of a role, with every field present. */
export interface AccessRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

interface Grant {
  readonly rules: readonly AccessRule[];
  readonly subjects: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string | undefined;
  }[];
  /** Undefined for the whole cluster. */
  readonly namespace: string | undefined;
  readonly description: string;
}

const group = 'rbac.authorization.k8s.io';

/** Role-based access control over the RBAC objects as they are now. Everything that no rule allows is refused. */
export class Authorizer {
  readonly #reader: RbacReader;
  #grants: readonly Grant[] = [];
  #revision = Number.NaN;

  constructor(reader: RbacReader) {
    this.#reader = reader;
  }

  decide(user: UserInfo, access: AccessRequest): AccessDecision {
    if (user.groups.includes('system:masters')) {
      return { allowed: true, reason: 'group system:masters' };
    }
    const namespace = 'resource' in access ? access.namespace : undefined;
    for (const grant of this.#grantsOf(user)) {
      if (grant.namespace !== undefined && (!('resource' in access) || grant.namespace !== namespace)) {
        continue;
      }
      if (grant.rules.some((rule) => allows(rule, access))) {
        return { allowed: true, reason: `RBAC: allowed by ${grant.description}` };
      }
    }
    return { allowed: false, reason: 'no RBAC rule allows it' };
  }

  /** All rules that hold for `user` in `namespace`, those of the cluster included. */
  rulesFor(user: UserInfo, namespace: string): readonly AccessRule[] {
    if (user.groups.includes('system:masters')) {
      const all = { verbs: ['*'], resourceNames: [] };
      return [
        { ...all, apiGroups: ['*'], resources: ['*'], nonResourceURLs: [] },
        { ...all, apiGroups: [], resources: [], nonResourceURLs: ['*'] },
      ];
    }
    return this.#grantsOf(user)
      .filter((grant) => grant.namespace === undefined || grant.namespace === namespace)
      .flatMap((grant) => grant.rules);
  }

  /**
   * Whether `user` may give away `rules` in `namespace` (undefined: everywhere): only who has them, or may escalate.
   * @returns the first rule that is not covered.
   */
  notCovered(user: UserInfo, rules: readonly AccessRule[], namespace: string | undefined): AccessRule | undefined {
    if (user.groups.includes('system:masters')) {
      return undefined;
    }
    const own = this.#grantsOf(user)
      .filter((grant) => grant.namespace === undefined || grant.namespace === namespace)
      .flatMap((grant) => grant.rules);
    return rules.find((rule) => !covers(own, rule));
  }

  /** Rules of a role that a binding names; undefined when there is no such role. */
  rulesOfRole(kind: string, name: string, namespace: string | undefined): readonly AccessRule[] | undefined {
    const role =
      kind === 'ClusterRole'
        ? this.#reader.list(group, 'clusterroles').find((each) => each.metadata.name === name)
        : this.#reader.list(group, 'roles', namespace).find((each) => each.metadata.name === name);
    return role === undefined ? undefined : this.#rulesOf(role as Role | ClusterRole);
  }

  #grantsOf(user: UserInfo): readonly Grant[] {
    if (this.#revision !== this.#reader.revision) {
      this.#grants = this.#index();
      this.#revision = this.#reader.revision;
    }
    return this.#grants.filter((grant) => grant.subjects.some((subject) => isSubject(user, subject, grant.namespace)));
  }

  #index(): readonly Grant[] {
    const grants: Grant[] = [];
    for (const binding of this.#reader.list(group, 'clusterrolebindings') as readonly ClusterRoleBinding[]) {
      grants.push({
        rules: this.rulesOfRole('ClusterRole', binding.roleRef.name, undefined) ?? [],
        subjects: binding.subjects ?? [],
        namespace: undefined,
        description: `ClusterRoleBinding "${binding.metadata.name}" of ClusterRole "${binding.roleRef.name}"`,
      });
    }
    for (const binding of this.#reader.list(group, 'rolebindings') as readonly RoleBinding[]) {
      const { namespace, name } = binding.metadata;
      grants.push({
        rules: this.rulesOfRole(binding.roleRef.kind, binding.roleRef.name, namespace) ?? [],
        subjects: binding.subjects ?? [],
        namespace: namespace ?? '',
        description: `RoleBinding "${namespace}/${name}" of ${binding.roleRef.kind} "${binding.roleRef.name}"`,
      });
    }
    return grants;
  }

  #rulesOf(role: Role | ClusterRole): readonly AccessRule[] {
    const selectors = 'aggregationRule' in role ? (role.aggregationRule?.clusterRoleSelectors ?? []) : [];
    const aggregated = selectors.flatMap((selector) =>
      (this.#reader.list(group, 'clusterroles') as readonly ClusterRole[])
        .filter(
          (other) => other.metadata.name !== role.metadata.name && matchesLabels(other, selector.matchLabels ?? {}),
        )
        .flatMap((other) => other.rules ?? []),
    );
    return [...(role.rules ?? []), ...aggregated].map(completeRule);
  }
}

/** A rule as it was written, with absent lists as empty ones. */
export function completeRule(rule: {
  readonly verbs?: readonly string[] | undefined;
  readonly apiGroups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly nonResourceURLs?: readonly string[] | undefined;
}): AccessRule {
  return {
    verbs: rule.verbs ?? [],
    apiGroups: rule.apiGroups ?? [],
    resources: rule.resources ?? [],
    resourceNames: rule.resourceNames ?? [],
    nonResourceURLs: rule.nonResourceURLs ?? [],
  };
}

function matchesLabels(object: KubeObject, wanted: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(wanted);
  return entries.length > 0 && entries.every(([name, value]) => object.metadata.labels?.[name] === value);
}

function isSubject(
  user: UserInfo,
  subject: { readonly kind: string; readonly name: string; readonly namespace?: string | undefined },
  bindingNamespace: string | undefined,
): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.username;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount':
      return user.username === `system:serviceaccount:${subject.namespace ?? bindingNamespace ?? ''}:${subject.name}`;
    default:
      return false;
  }
}

function allows(rule: AccessRule, access: AccessRequest): boolean {
  if (!has(rule.verbs, access.verb)) {
    return false;
  }
  if ('path' in access) {
    return rule.nonResourceURLs.some((pattern) => coversPath(pattern, access.path));
  }
  if (!has(rule.apiGroups, access.group)) {
    return false;
  }
  const { resource, subresource, name } = access;
  const wanted = subresource === undefined ? resource : `${resource}/${subresource}`;
  const resourceAllowed = rule.resources.some(
    (pattern) => pattern === '*' || pattern === wanted || (subresource !== undefined && pattern === `*/${subresource}`),
  );
  return (
    resourceAllowed && (rule.resourceNames.length === 0 || (name !== undefined && rule.resourceNames.includes(name)))
  );
}

function has(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function coversPath(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}

/** Whether each single right that `rule` gives is given by one of `own`. */
function covers(own: readonly AccessRule[], rule: AccessRule): boolean {
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs) {
      if (
        !own.some((mine) => has(mine.verbs, verb) && mine.nonResourceURLs.some((pattern) => coversPath(pattern, url)))
      ) {
        return false;
      }
    }
    for (const apiGroup of rule.apiGroups) {
      for (const resource of rule.resources) {
        for (const name of rule.resourceNames.length === 0 ? [undefined] : rule.resourceNames) {
          const covered = own.some(
            (mine) =>
              has(mine.verbs, verb) &&
              has(mine.apiGroups, apiGroup) &&
              has(mine.resources, resource) &&
              (mine.resourceNames.length === 0 || (name !== undefined && mine.resourceNames.includes(name))),
          );
          if (!covered) {
            return false;
          }
        }
      }
    }
  }
  return true;
}

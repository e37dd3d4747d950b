import { isDeepStrictEqual } from 'node:util';
import { checkLabels } from '../../format/labels.ts';
import { checkName } from '../../format/names.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from './roles.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

type Rule = NonNullable<ClusterRole['rules']>[number];

function checkRule(place: Place, rule: Rule, clusterScoped: boolean): void {
  if (rule.verbs.length === 0) {
    place.at('verbs').required('a rule allows at least one action', 'Add a verb such as get.');
  }
  if ((rule.nonResourceURLs ?? []).length > 0) {
    if (!clusterScoped) {
      place.at('nonResourceURLs').forbidden('a Role is for the resources of its namespace', 'Use a ClusterRole.');
    }
    if ((rule.apiGroups ?? []).length + (rule.resources ?? []).length + (rule.resourceNames ?? []).length > 0) {
      place.at('nonResourceURLs').conflict('the rule names resources as well', 'Make two rules.');
    }
    return;
  }
  for (const field of ['apiGroups', 'resources'] as const) {
    if ((rule[field] ?? []).length === 0) {
      place
        .at(field)
        .required(
          'a rule names groups and resources',
          field === 'apiGroups' ? 'Add a group; "" is core.' : 'Add a resource.',
        );
    }
  }
}

export function validateRole({ rules }: Role): Violation[] {
  const root = Place.root();
  for (const [index, rule] of (rules ?? []).entries()) {
    checkRule(root.at('rules', index), rule, false);
  }
  return root.violations;
}

export function validateClusterRole({ rules, aggregationRule }: ClusterRole): Violation[] {
  const root = Place.root();
  for (const [index, rule] of (rules ?? []).entries()) {
    checkRule(root.at('rules', index), rule, true);
  }
  const selectors = aggregationRule?.clusterRoleSelectors;
  if (aggregationRule !== undefined && (selectors ?? []).length === 0) {
    root.at('aggregationRule', 'clusterRoleSelectors').required('the rule selects nothing', 'Add a selector.');
  }
  for (const [index, selector] of (selectors ?? []).entries()) {
    checkLabels(root.at('aggregationRule', 'clusterRoleSelectors', index, 'matchLabels'), selector.matchLabels);
  }
  return root.violations;
}

function checkBinding(binding: RoleBinding | ClusterRoleBinding, roleKinds: readonly string[]): Violation[] {
  const root = Place.root();
  const { roleRef, subjects } = binding;
  if (roleRef.apiGroup !== rbacGroup) {
    root.at('roleRef', 'apiGroup').unsupported(roleRef.apiGroup, [rbacGroup]);
  }
  if (!roleKinds.includes(roleRef.kind)) {
    root.at('roleRef', 'kind').unsupported(roleRef.kind, roleKinds);
  }
  if (roleRef.name === '') {
    root.at('roleRef', 'name').required('the name is empty', 'Name a role.');
  } else {
    checkName(root.at('roleRef', 'name'), roleRef.name, 'path-segment');
  }
  for (const [index, subject] of (subjects ?? []).entries()) {
    const here = root.at('subjects', index);
    const isAccount = subject.kind === 'ServiceAccount';
    const group = subject.apiGroup ?? '';
    if (subject.name === '') {
      here.at('name').required('the name is empty', 'Name the subject.');
    } else if (isAccount) {
      checkName(here.at('name'), subject.name, 'subdomain');
    }
    if (isAccount && (subject.namespace ?? '') === '') {
      here.at('namespace').required('a service account has a namespace', 'Add it.');
    }
    if (!isAccount && (subject.namespace ?? '') !== '') {
      here.at('namespace').forbidden(`a ${subject.kind} has no namespace`, 'Remove it.');
    }
    if (group !== '' && group !== (isAccount ? '' : rbacGroup)) {
      here.at('apiGroup').unsupported(group, [isAccount ? '""' : rbacGroup]);
    }
  }
  return root.violations;
}

export function validateRoleBinding(binding: RoleBinding): Violation[] {
  return checkBinding(binding, ['Role', 'ClusterRole']);
}

export function validateClusterRoleBinding(binding: ClusterRoleBinding): Violation[] {
  return checkBinding(binding, ['ClusterRole']);
}

export function validateBindingUpdate<T extends RoleBinding | ClusterRoleBinding>(
  binding: T,
  previous: T,
): Violation[] {
  const root = Place.root();
  if (!isDeepStrictEqual(binding.roleRef, previous.roleRef)) {
    root.at('roleRef').forbidden('it cannot be changed', 'Delete the binding and create it anew.');
  }
  return root.violations;
}

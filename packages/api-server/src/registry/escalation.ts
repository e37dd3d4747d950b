import type { KubeObject } from '@weft/resources';
import { type AccessRule, type Authorizer, completeRule } from '../authz/authorizer.ts';
import type { UserInfo } from '../options.ts';
import { isObject, type JsonObject } from '../patch/json.ts';
import type { ServedResource } from './served-resource.ts';
import { forbidden } from './status-error.ts';

/**
 * Nobody may give away rights that he does not have: a role may hold only rules that its writer has, a binding only a role whose
 * rules its writer has, unless he may `escalate` or `bind`. Who writes a role that gathers the rules of others must have every
 * right, since those can be any; a role that is not there yet can be bound only by who may `bind`, since its rules are not known.
 * @throws StatusError 403.
 */
export function checkEscalation(
  resource: ServedResource,
  object: KubeObject,
  user: UserInfo,
  authorizer: Authorizer,
): void {
  if (resource.group !== 'rbac.authorization.k8s.io') {
    return;
  }
  const fields = object as unknown as JsonObject;
  const { namespace } = object.metadata;
  const isRole = resource.plural.endsWith('roles');
  const verb = isRole ? 'escalate' : 'bind';
  const reference = isObject(fields['roleRef']) ? fields['roleRef'] : {};
  const target = isRole ? resource.plural : reference['kind'] === 'ClusterRole' ? 'clusterroles' : 'roles';
  const name = isRole ? object.metadata.name : String(reference['name']);
  const place = { group: resource.group, resource: target, name, ...(namespace === undefined ? {} : { namespace }) };
  if (authorizer.decide(user, { verb, ...place }).allowed) {
    return;
  }
  const rules = isRole ? rulesIn(fields) : authorizer.rulesOfRole(String(reference['kind']), name, namespace);
  if (rules === undefined) {
    throw forbidden(
      resource,
      object.metadata.name,
      `user "${user.username}" may not bind the ${String(reference['kind'])} "${name}", which does not exist`,
    );
  }
  const missing = authorizer.notCovered(user, rules, namespace);
  if (missing !== undefined) {
    throw forbidden(
      resource,
      object.metadata.name,
      `user "${user.username}" is attempting to grant rights that it does not have: ${JSON.stringify(missing)}`,
    );
  }
}

const everyRight: readonly AccessRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

function rulesIn(role: JsonObject): readonly AccessRule[] {
  const rules = (role['rules'] ?? []) as readonly Parameters<typeof completeRule>[0][];
  const gathers = isObject(role['aggregationRule']);
  return [...rules.map(completeRule), ...(gathers ? everyRight : [])];
}

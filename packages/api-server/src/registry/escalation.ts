import type { KubeObject } from '@weft/resources';
import { type Authorizer, completeRule } from '../authz/authorizer.ts';
import type { UserInfo } from '../options.ts';
import { isObject, type JsonObject } from '../patch/json.ts';
import type { ServedResource } from './served-resource.ts';
import { forbidden } from './status-error.ts';

/**
 * Nobody may give away rights that he does not have: a role may hold only rules that its writer has, a binding only a role whose
 * rules its writer has, unless he may `escalate` or `bind`.
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
  const rules = isRole
    ? ((fields['rules'] ?? []) as readonly Parameters<typeof completeRule>[0][]).map(completeRule)
    : authorizer.rulesOfRole(String(reference['kind']), name, namespace);
  const missing = authorizer.notCovered(user, rules, namespace);
  if (missing !== undefined) {
    throw forbidden(
      resource,
      object.metadata.name,
      `user "${user.username}" is attempting to grant rights that it does not have: ${JSON.stringify(missing)}`,
    );
  }
}

import type { IncomingMessage } from 'node:http';
import type { Authorizer } from '../authz/authorizer.ts';
import type { AccessRequest, UserInfo } from '../options.ts';
import { badRequest, forbidden } from '../registry/status-error.ts';

const extraPrefix = 'impersonate-extra-';
const identityGroup = 'authentication.k8s.io';

/**
 * The user that a request acts as: the one who sent it, or whom its `Impersonate-…` headers name (`kubectl --as`), if the sender
 * has the right `impersonate` on each name, group, UID and extra value (kubernetes.io/docs/reference/access-authn-authz/authentication).
 * @throws StatusError 400 for headers without a user, 403.
 */
export function impersonatedUser(request: IncomingMessage, sender: UserInfo, authorizer: Authorizer): UserInfo {
  const headers = request.headersDistinct;
  const [username = ''] = headers['impersonate-user'] ?? [];
  const groups = headers['impersonate-group'] ?? [];
  const [uid] = headers['impersonate-uid'] ?? [];
  const extra = Object.entries(headers).flatMap(([name, values]) =>
    name.startsWith(extraPrefix) ? [[extraKey(name), values ?? []] as const] : [],
  );
  if (username === '') {
    if (groups.length > 0 || uid !== undefined || extra.length > 0) {
      throw badRequest('Impersonate-Group, -Uid and -Extra need Impersonate-User (kubectl: --as)');
    }
    return sender;
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  const [, namespace = '', accountName = ''] = account ?? [];
  const demand = (group: string, resource: string, name: string, rest: Partial<AccessRequest> = {}): void => {
    if (!authorizer.decide(sender, { verb: 'impersonate', group, resource, name, ...rest }).allowed) {
      const why = `User "${sender.username}" cannot impersonate resource "${resource}" in API group "${group}" at the cluster scope`;
      throw forbidden({ group, plural: resource }, name, why);
    }
  };
  if (account === null) {
    demand('', 'users', username);
  } else {
    demand('', 'serviceaccounts', accountName, { namespace });
  }
  for (const group of groups) {
    demand('', 'groups', group);
  }
  if (uid !== undefined) {
    demand(identityGroup, 'uids', uid);
  }
  for (const [key, values] of extra) {
    for (const value of values) {
      demand(identityGroup, 'userextras', value, { subresource: key });
    }
  }
  const implied = account === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  return {
    username,
    groups: [...new Set([...(groups.length > 0 ? groups : implied), 'system:authenticated'])],
    ...(uid === undefined ? {} : { uid }),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function extraKey(header: string): string {
  try {
    return decodeURIComponent(header.slice(extraPrefix.length));
  } catch {
    throw badRequest(`the header ${header} is not well encoded`);
  }
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemoryRegistry, memoryRegistry } from '../../test/support/memory-registry.ts';
import type { AccessRequest, UserInfo } from '../options.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';
const bob: UserInfo = { username: 'bob', groups: ['devs', 'system:authenticated'] };
const shop: UserInfo = { username: 'system:serviceaccount:default:shop', groups: ['system:serviceaccounts'] };

const clusterRole = (name: string, rules: unknown): unknown => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
});
const role = (name: string, rules: unknown): unknown => ({
  apiVersion,
  kind: 'Role',
  metadata: { name, namespace: 'default' },
  rules,
});
const bind = (name: string, namespace: string | undefined, kind: string, to: string, subject: object): unknown => ({
  apiVersion,
  kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { apiGroup, kind, name: to },
  subjects: [subject],
});
const user = (name: string): object => ({ kind: 'User', apiGroup, name });
const group = (name: string): object => ({ kind: 'Group', apiGroup, name });
const get = (resource: string, namespace?: string, rest: object = {}): AccessRequest => ({
  verb: 'get',
  group: '',
  resource,
  ...(namespace === undefined ? {} : { namespace }),
  ...rest,
});

async function allowed(api: MemoryRegistry, who: UserInfo, matrix: readonly (readonly [AccessRequest, boolean])[]) {
  for (const [access, expected] of matrix) {
    const decision = api.authorizer.decide(who, access);
    assert.equal(decision.allowed, expected, `${who.username} ${JSON.stringify(access)}: ${decision.reason}`);
  }
}

test('a role holds in its namespace, a cluster role where it is bound', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await api.create(role('reader', [{ apiGroups: [''], resources: ['services'], verbs: ['get', 'list'] }]));
  await api.create(
    clusterRole('maps', [{ apiGroups: [''], resources: ['configmaps', 'services/status'], verbs: ['*'] }]),
  );
  await api.create(bind('b1', 'default', 'Role', 'reader', user('bob')));
  await api.create(bind('b2', 'other', 'ClusterRole', 'maps', group('devs')));
  await allowed(api, bob, [
    [get('services', 'default'), true],
    [get('services', 'other'), false],
    [get('services'), false],
    [{ ...get('services', 'default'), verb: 'delete' } as AccessRequest, false],
    [get('services', 'default', { group: 'apps' }), false],
    [get('services', 'default', { subresource: 'status' }), false],
    [get('services', 'other', { subresource: 'status' }), true],
    [get('configmaps', 'other'), true],
    [get('configmaps', 'default'), false],
    [{ verb: 'get', path: '/metrics' }, false],
  ]);
  await allowed(api, { username: 'eve', groups: [] }, [[get('services', 'default'), false]]);
  await allowed(api, { username: 'x', groups: ['system:masters'] }, [[{ verb: 'x', path: '/any' }, true]]);
});

test('names, wildcards, paths and service accounts are matched', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await api.create(
    clusterRole('some', [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['tls'], verbs: ['get'] },
      { apiGroups: ['*'], resources: ['*/status'], verbs: ['get'] },
      { nonResourceURLs: ['/weft/*', '/version'], verbs: ['get'] },
    ]),
  );
  const account = { kind: 'ServiceAccount', name: 'shop', namespace: 'default' };
  await api.create(bind('b', undefined, 'ClusterRole', 'some', account));
  await allowed(api, shop, [
    [get('secrets', 'default', { name: 'tls' }), true],
    [get('secrets', 'default', { name: 'other' }), false],
    [get('secrets', 'default'), false],
    [get('services', 'other', { subresource: 'status' }), true],
    [get('services', 'other'), false],
    [{ verb: 'get', path: '/weft/v1/x' }, true],
    [{ verb: 'get', path: '/weft' }, false],
    [{ verb: 'post', path: '/version' }, false],
  ]);
});

test('what is revoked is refused at once', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await api.create(role('reader', [{ apiGroups: [''], resources: ['services'], verbs: ['get'] }]));
  await api.create(bind('b', 'default', 'Role', 'reader', user('bob')));
  await allowed(api, bob, [[get('services', 'default'), true]]);
  const bindings = api.resource('rolebindings.rbac.authorization.k8s.io');
  await api.registry.delete(bindings, { namespace: 'default', name: 'b' }, {}, api.context());
  await allowed(api, bob, [[get('services', 'default'), false]]);
});

test('a cluster role gathers the rules of those its selectors choose', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { 'into-all': 'yes' } }] };
  await api.create({ apiVersion, kind: 'ClusterRole', metadata: { name: 'all' }, aggregationRule });
  const metadata = { name: 'part', labels: { 'into-all': 'yes' } };
  const rules = [{ apiGroups: [''], resources: ['services'], verbs: ['get'] }];
  await api.create({ apiVersion, kind: 'ClusterRole', metadata, rules });
  await api.create(bind('b', undefined, 'ClusterRole', 'all', user('bob')));
  await allowed(api, bob, [[get('services', 'default'), true]]);
});

test('nobody gives away rights that he does not have', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const own = { apiGroups: [''], resources: ['services'], verbs: ['get', 'list'] };
  await api.create(role('reader', [own]));
  await api.create(bind('b', 'default', 'Role', 'reader', user('bob')));
  await api.create(clusterRole('everything', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]));
  const asBob = { user: bob };
  await api.create(role('less', [{ ...own, verbs: ['get'] }]), asBob);
  for (const more of [
    { ...own, verbs: ['get', 'delete'] },
    { ...own, resources: ['*'] },
    { ...own, apiGroups: ['', 'apps'] },
  ]) {
    await assert.rejects(api.create(role('more', [more]), asBob), { code: 403, message: /does not have/ });
  }
  await api.create(bind('mine', 'default', 'Role', 'less', user('eve')), asBob);
  await assert.rejects(api.create(bind('all', 'default', 'ClusterRole', 'everything', user('bob')), asBob), {
    code: 403,
  });
  const escalate = { apiGroups: [apiGroup], resources: ['roles'], verbs: ['escalate'] };
  const bindVerb = {
    apiGroups: [apiGroup],
    resources: ['clusterroles'],
    resourceNames: ['everything'],
    verbs: ['bind'],
  };
  await api.create(role('trusted', [escalate, bindVerb]));
  await api.create(bind('t', 'default', 'Role', 'trusted', user('bob')));
  await api.create(role('more', [{ ...own, verbs: ['delete'] }]), asBob);
  await api.create(bind('all', 'default', 'ClusterRole', 'everything', user('bob')), asBob);
});

test('nobody gets rights by a role that gathers those of others, or by a binding that waits for a role', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const rbac = { apiGroups: [apiGroup], resources: ['*'], verbs: ['create', 'update', 'patch'] };
  await api.create(clusterRole('rbac', [rbac]));
  await api.create(bind('b', undefined, 'ClusterRole', 'rbac', user('bob')));
  const asBob = { user: bob };
  const metadata = { name: 'all' };
  const aggregationRule = {
    clusterRoleSelectors: [{ matchLabels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }],
  };
  const gathering = { apiVersion, kind: 'ClusterRole', metadata, aggregationRule };
  await assert.rejects(api.create(gathering, asBob), { code: 403, message: /does not have/ });
  await assert.rejects(api.create(bind('early', undefined, 'ClusterRole', 'all', user('bob')), asBob), {
    code: 403,
    message: /does not exist/,
  });
  await api.create(clusterRole('all', []), asBob);
  await api.create(bind('all', undefined, 'ClusterRole', 'all', user('bob')), asBob);
  const roles = api.resource('clusterroles.rbac.authorization.k8s.io');
  const place = { namespace: undefined, name: 'all' };
  await assert.rejects(api.registry.patch(roles, place, 'merge', { aggregationRule }, api.context(asBob)), {
    code: 403,
  });
  await allowed(api, bob, [[get('secrets', 'default'), false]]);
});

test('who may patch what is there may not make by apply what is not', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await api.create(role('patcher', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'] }]));
  await api.create(bind('b', 'default', 'Role', 'patcher', user('bob')));
  const configMap = (data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data });
  const apply = (changes?: object) =>
    api.registry.apply(
      api.resource('configmaps'),
      { namespace: 'default', name: 'c' },
      configMap({ a: 'b' }),
      api.context(changes),
    );
  await assert.rejects(apply({ user: bob }), { code: 403, message: /cannot create/ });
  await apply();
  await apply({ user: bob, force: true });
});

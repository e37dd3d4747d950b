import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { test } from 'node:test';
import { kinds } from '@weft/resources';
import { startApi } from './support/api.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const body = (name: string, data: object = {}): unknown => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

test('only credentials that are good get in; health says nothing but that it lives', async (t) => {
  const api = await startApi(t);
  const stranger = api.user();
  assert.equal((await stranger.get('/healthz')).status, 200);
  for (const path of ['/api', '/version', configMaps, '/openapi/v3', '/nothing']) {
    assert.equal((await stranger.get(path)).status, 401, path);
  }
  assert.equal((await api.user('nonsense').get(configMaps)).status, 401);
  const foreign = await startApi(t);
  const pair = await foreign.issue('admin', ['system:masters']);
  assert.equal((await api.certificateUser(pair).get(configMaps)).status, 401);
  assert.equal((await api.admin.get(configMaps)).status, 200);
});

test('a service account has a token, no rights by itself, and those that a binding gives', async (t) => {
  const api = await startApi(t);
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await api.admin.request('POST', accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shop' } });
  const asked = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { body: answer, status } = await api.admin.request('POST', `${accounts}/shop/token`, asked);
  assert.equal(status, 201);
  const shop = api.user(answer.status.token);
  assert.equal((await shop.get(configMaps)).status, 403);
  assert.equal((await shop.get('/api')).status, 200);
  await api.admin.request('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'shop' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'shop', namespace: 'default' }],
  });
  assert.equal((await shop.get(configMaps)).status, 200);
  assert.equal((await shop.get('/api/v1/namespaces/default/secrets')).status, 403);
  await api.admin.request('DELETE', `${accounts}/shop`);
  assert.equal((await shop.get(configMaps)).status, 401);
});

test('acting as another takes the right to, and then has the rights of the other', async (t) => {
  const api = await startApi(t);
  const asBob = { 'impersonate-user': 'bob' };
  assert.equal((await api.admin.request('GET', configMaps, undefined, asBob)).status, 403);
  const masters = { ...asBob, 'impersonate-group': 'system:masters' };
  assert.equal((await api.admin.request('GET', configMaps, undefined, masters)).status, 200);
  const eve = api.certificateUser(await api.issue('eve', []));
  const refused = await eve.request('GET', '/api', undefined, masters);
  assert.equal(refused.status, 403);
  assert.match(refused.body.message, /cannot impersonate resource "users"/);
  assert.equal((await api.admin.request('GET', '/api', undefined, { 'impersonate-group': 'g' })).status, 400);
});

test('bodies that are too large, malformed, unknown or of another type have answers that name the place', async (t) => {
  const api = await startApi(t);
  const post = (content: unknown, type = 'application/json') =>
    api.admin.request('POST', configMaps, content, { 'content-type': type });
  const large = await post(body('big', { x: 'x'.repeat(2_100_000) }));
  assert.equal(large.status, 413);
  assert.match(large.body.message, /limit is 2000000 bytes; fix:/);
  for (const [content, type, status, message] of [
    ['{"a":1,"a":2}', 'application/json', 400, /"a" stands twice/],
    ['{', 'application/json', 400, /no JSON/],
    ['a: [', 'application/yaml', 400, /no YAML/],
    ['x', 'application/vnd.kubernetes.protobuf', 400, /no protobuf/],
    ['x', 'text/plain', 415, /accepted media types/],
    [{ ...(body('a') as object), extra: 1 }, 'application/json', 422, /unknown field "extra"/],
    [body('A_B'), 'application/json', 422, /metadata\.name/],
    [body('a', { k: 1 }), 'application/json', 422, /data\.k/],
  ] as const) {
    const answer = await post(content, type);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.match(answer.body.message, message);
    assert.equal(answer.body.kind, 'Status');
  }
  assert.equal((await api.admin.get('/api/v1/namespaces/default/pods')).status, 404);
  assert.equal((await api.admin.request('GET', configMaps, undefined, { accept: 'text/html' })).status, 406);
  const onlyProtobuf = { accept: 'application/vnd.kubernetes.protobuf' };
  assert.equal((await api.admin.request('GET', configMaps, undefined, onlyProtobuf)).status, 406);
  assert.equal((await api.admin.request('PUT', configMaps, body('a'))).status, 405);
  assert.equal((await api.admin.get(configMaps)).body.items.length, 0);
});

test('a client that floods watches is held back with 429, and others go on', async (t) => {
  const api = await startApi(t, { limits: { maxWatchesPerUser: 5 } });
  const eve = api.certificateUser(await api.issue('eve', ['system:masters']));
  const path = `${configMaps}?watch=1&sendInitialEvents=false`;
  const streams = await Promise.all(Array.from({ length: 5 }, () => eve.watch(path)));
  const refused = await Promise.allSettled(Array.from({ length: 50 }, () => eve.watch(path)));
  assert.ok(refused.every((answer) => answer.status === 'rejected' && /429/.test(String(answer.reason))));
  const own = await api.admin.watch(path);
  await api.admin.request('POST', configMaps, body('a'));
  assert.equal((await own.next()).object.metadata.name, 'a');
  assert.equal((await streams[0]?.next())?.type, 'ADDED');
  for (const stream of streams) {
    stream.close();
  }
  own.close();
});

test('a watch resumes where it ended, and one from a forgotten version is told to list again', async (t) => {
  const api = await startApi(t, { limits: { maxHistoryEvents: 8 } });
  const { body: first } = await api.admin.request('POST', configMaps, body('a'));
  const version = first.metadata.resourceVersion;
  await api.admin.request('POST', configMaps, body('b'));
  const stream = await api.admin.watch(`${configMaps}?watch=1&resourceVersion=${version}&timeoutSeconds=1`);
  assert.equal((await stream.next()).object.metadata.name, 'b');
  assert.equal(await stream.next(), undefined, 'ends at its timeout');
  for (let index = 0; index < 20; index += 1) {
    await api.admin.request('POST', configMaps, body(`more-${index}`));
  }
  const old = await api.admin.request('GET', `${configMaps}?watch=1&resourceVersion=${version}`);
  assert.equal(old.status, 410);
  assert.equal(old.body.reason, 'Expired');
});

test('a watch may begin with more than may wait for a slow reader', async (t) => {
  const api = await startApi(t, { limits: { maxWatchBufferBytes: 1_000 } });
  for (let index = 0; index < 8; index += 1) {
    await api.admin.request('POST', configMaps, body(`big-${index}`, { k: 'x'.repeat(900_000) }));
  }
  const stream = await api.admin.watch(`${configMaps}?watch=1`);
  for (let index = 0; index < 8; index += 1) {
    assert.equal((await stream.next())?.object.metadata.name, `big-${index}`);
  }
  await api.admin.request('POST', configMaps, body('small'));
  assert.equal((await stream.next())?.object.metadata.name, 'small');
  stream.close();
});

test('a watcher that does not read is cut off, and others go on', async (t) => {
  const api = await startApi(t, { limits: { maxWatchBufferBytes: 1_000_000 } });
  const { chainPem, keyPem } = await api.issue('slow', ['system:masters']);
  const path = `${configMaps}?watch=1&sendInitialEvents=false`;
  const slow = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { agent: false, ca: api.trustBundle, cert: chainPem, key: keyPem };
    get(new URL(path, api.url), options, resolve).on('error', reject);
  });
  slow.pause();
  slow.on('error', () => undefined);
  const quick = await api.admin.watch(path);
  const writes = 40;
  for (let index = 0; index < writes; index += 1) {
    const written = body('same', { k: String(index).padEnd(900_000, 'x') });
    await api.admin.request(index === 0 ? 'POST' : 'PUT', index === 0 ? configMaps : `${configMaps}/same`, written);
    assert.equal((await quick.next())?.object.metadata.name, 'same');
  }
  let received = 0;
  slow.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const closed = new Promise((resolve) => slow.once('close', resolve));
  slow.resume();
  await closed;
  assert.ok(received < writes * 900_000, `${received} bytes`);
  quick.close();
});

test('tables and metadata are sent to those who ask for them', async (t) => {
  const api = await startApi(t);
  await api.admin.request('POST', configMaps, body('a', { k: 'v' }));
  const accept = (as: string) => ({ accept: `application/json;as=${as};v=v1;g=meta.k8s.io,application/json` });
  const table = await api.admin.request('GET', configMaps, undefined, accept('Table'));
  assert.deepEqual(table.body.rows[0].cells.slice(0, 2), ['a', 1]);
  const list = await api.admin.request('GET', configMaps, undefined, accept('PartialObjectMetadataList'));
  assert.equal(list.body.items[0].kind, 'PartialObjectMetadata');
  assert.equal(list.body.items[0].data, undefined);
});

test('a mounted handler is behind the authentication of the API, and its failure is an answer', async (t) => {
  const api = await startApi(t, {
    kinds,
    mounts: [
      {
        prefix: '/weft/v1/',
        handle: ({ response, user, url }) => {
          if (url.pathname.endsWith('/broken')) {
            throw new Error('broken');
          }
          response.end(user.username);
        },
      },
    ],
  });
  assert.equal((await api.admin.get('/weft/v1/who')).body, 'admin');
  assert.equal((await api.user().get('/weft/v1/who')).status, 401);
  assert.equal((await api.certificateUser(await api.issue('eve', [])).get('/weft/v1/who')).status, 403);
  assert.equal((await api.admin.get('/weft/v1/broken')).status, 500);
});

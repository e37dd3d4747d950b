import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  adminPaths,
  type ControlPlaneFile,
  type JoinTokenResponse,
  type Overview,
  type VersionInfo,
} from '@weft/admin-api';
import { MeshError, silentLogger } from '@weft/base';
import { createCsr, formatWorkloadId, generatePrivateKey } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { gvk, type Service } from '@weft/resources';
import { createInformer, createRestClient, type RestClient, readKubeconfig } from '@weft/sources';
import { type Background, eventually, startBackground } from '@weft/testkit';
import { HttpTransport } from '../../sources/src/rest/http-transport.ts';
import type { ControlPlaneConfig } from '../src/config/config.ts';
import { readConfig } from '../src/config/read-config.ts';
import { type ControlPlane, startControlPlane } from '../src/control-plane.ts';
import { type Manifest, service, smallShop } from './fixture.ts';

const main = resolve(import.meta.dirname, '../src/main.ts');
const anyPorts = { api: 0, xds: 0, join: 0, page: 0 };

function newHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'weft-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

async function start(t: TestContext, over: Partial<ControlPlaneConfig> = {}): Promise<ControlPlane> {
  const home = over.home ?? newHome(t);
  const config = { ...readConfig(['--home', home], {}), ports: anyPorts, userName: 'ada', ...over, home };
  const controlPlane = await startControlPlane({ config, logger: silentLogger });
  t.after(() => controlPlane.stop());
  return controlPlane;
}

function clientOf(t: TestContext, file: Pick<ControlPlaneFile, 'kubeconfig'>): RestClient {
  const client = createRestClient({ connection: readKubeconfig(file.kubeconfig), fieldManager: 'test' });
  t.after(() => client.close());
  return client;
}

const shopNamespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

function adminOf(t: TestContext, file: Pick<ControlPlaneFile, 'kubeconfig'>): HttpTransport {
  const transport = new HttpTransport(readKubeconfig(file.kubeconfig));
  t.after(() => transport.close());
  return transport;
}

test('a start leaves a private state folder with all that programs need, and a stop takes back what is of the process', async (t) => {
  const home = newHome(t);
  const controlPlane = await start(t, { home });
  for (const name of [
    'kubeconfig',
    'control-plane.json',
    'weft.db',
    'ca/root/root.key',
    'ca/issuing/issuing.pem',
    'trust-bundle.pem',
  ]) {
    assert.equal(statSync(join(home, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(home).mode & 0o777, 0o700);
  const file = JSON.parse(readFileSync(join(home, 'control-plane.json'), 'utf8')) as ControlPlaneFile;
  assert.equal(file.processId, process.pid);
  assert.match(file.endpoints.api, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(file.pageLogin?.includes('/login?token='), true);
  await controlPlane.stop();
  assert.equal(existsSync(join(home, 'control-plane.json')), false);
  assert.equal(existsSync(join(home, 'control-plane.lock')), false);
});

test('the kubeconfig makes its owner an administrator, for the API and the admin API', async (t) => {
  const { file } = await start(t);
  const client = clientOf(t, file);
  await client.create(shopNamespace);
  const created = await client.create(service('web'));
  assert.ok(created.metadata.resourceVersion);
  const admin = adminOf(t, file);
  const version = await admin.json<VersionInfo>({ method: 'GET', path: adminPaths.version });
  assert.equal(version.processId, process.pid);
  const overview = await eventually(
    async () => {
      const found = await admin.json<Overview>({ method: 'GET', path: adminPaths.overview });
      return found.services.length > 0 ? found : undefined;
    },
    { what: 'the service is in the overview' },
  );
  assert.ok(overview.services.some(({ host }) => host === 'web.shop.svc.cluster.local'));
});

test('defaults that were asked for stay with the mesh, and a start with others changes them', async (t) => {
  const home = newHome(t);
  const defaultsOf = async (over: Partial<ControlPlaneConfig>): Promise<readonly string[]> => {
    const controlPlane = await start(t, { ...over, home });
    const overview = await adminOf(t, controlPlane.file).json<Overview>({ method: 'GET', path: adminPaths.overview });
    await controlPlane.stop();
    return [controlPlane.file.defaults, overview.defaults];
  };
  assert.deepEqual(await defaultsOf({}), ['istio', 'istio']);
  assert.deepEqual(await defaultsOf({ defaults: 'envoy' }), ['envoy', 'envoy']);
  assert.deepEqual(await defaultsOf({}), ['envoy', 'envoy']);
  assert.deepEqual(await defaultsOf({ defaults: 'istio' }), ['istio', 'istio']);
});

test('a join token is made for whoever may make tokens, and for nobody else', async (t) => {
  const { file } = await start(t);
  const admin = adminOf(t, file);
  const path = adminPaths.joinTokens('shop');
  const made = await admin.json<JoinTokenResponse>({ method: 'POST', path, body: { serviceAccount: 'web' } });
  assert.match(made.token, /^weft-join-/);
  assert.equal(made.identity, 'spiffe://cluster.local/ns/shop/sa/web');
  await assert.rejects(admin.json({ method: 'POST', path, body: { serviceAccount: 'a/b' } }), { code: 'INVALID' });
  await assert.rejects(admin.json({ method: 'POST', path, body: { serviceAccount: 'web', more: 1 } }), {
    code: 'INVALID',
  });
  const { clientCertificatePem: _c, clientKeyPem: _k, ...anonymous } = readKubeconfig(file.kubeconfig);
  const stranger = new HttpTransport(anonymous);
  t.after(() => stranger.close());
  for (const request of [
    { method: 'POST', path, body: { serviceAccount: 'web' } },
    { method: 'GET', path: adminPaths.overview },
    { method: 'GET', path: adminPaths.metrics },
  ] as const) {
    await assert.rejects(stranger.json(request), (error: unknown) =>
      ['UNAUTHENTICATED', 'FORBIDDEN'].includes(MeshError.from(error).code),
    );
  }
});

test('RBAC decides in which namespace a user may make join tokens, and what of the admin API they may read', async (t) => {
  const home = newHome(t);
  const { file } = await start(t, { home });
  const ca = await CertificateAuthority.open({ folder: join(home, 'ca'), logger: silentLogger });
  t.after(() => ca.close());
  const bob = await ca.issueClient('bob', []);
  const transport = new HttpTransport({
    ...readKubeconfig(file.kubeconfig),
    clientCertificatePem: bob.chainPem,
    clientKeyPem: bob.key.revealPem(),
  });
  t.after(() => transport.close());
  const makeToken = (namespace: string): Promise<unknown> =>
    transport.json({ method: 'POST', path: adminPaths.joinTokens(namespace), body: { serviceAccount: 'web' } });
  const read = (): Promise<unknown> => transport.json({ method: 'GET', path: adminPaths.overview });
  await assert.rejects(makeToken('shop'), {
    code: 'FORBIDDEN',
    message: /"bob" may not create serviceaccounts\/token/,
  });
  await assert.rejects(read(), { code: 'FORBIDDEN' });
  const client = clientOf(t, file);
  await client.create(shopNamespace);
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'joiner' };
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'bob' }];
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const objects: Manifest[] = [
    {
      apiVersion,
      kind: 'Role',
      metadata: { name: 'joiner', namespace: 'shop' },
      rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] }],
    },
    { apiVersion, kind: 'RoleBinding', metadata: { name: 'bob', namespace: 'shop' }, roleRef, subjects },
    {
      apiVersion,
      kind: 'ClusterRole',
      metadata: { name: 'weft-reader' },
      rules: [{ nonResourceURLs: ['/weft/v1/*'], verbs: ['get'] }],
    },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'bob' },
      roleRef: { ...roleRef, kind: 'ClusterRole', name: 'weft-reader' },
      subjects,
    },
  ];
  for (const object of objects) {
    await client.create(object);
  }
  await makeToken('shop');
  await assert.rejects(makeToken('default'), { code: 'FORBIDDEN' });
  await read();
});

test('an SVID is no credential for the API', async (t) => {
  const home = newHome(t);
  const { file } = await start(t, { home });
  const ca = await CertificateAuthority.open({ folder: join(home, 'ca'), logger: silentLogger });
  t.after(() => ca.close());
  const identity = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' });
  const key = await generatePrivateKey();
  const { certChain } = await ca.issueSvid({ csrPem: createCsr(key, identity), identity });
  const transport = new HttpTransport({
    ...readKubeconfig(file.kubeconfig),
    clientCertificatePem: certChain.slice(0, 2).join(''),
    clientKeyPem: key.revealPem(),
  });
  t.after(() => transport.close());
  for (const path of ['/api/v1/secrets', '/api/v1/namespaces', adminPaths.overview]) {
    await assert.rejects(transport.json({ method: 'GET', path }), (error: unknown) =>
      ['UNAUTHENTICATED', 'FORBIDDEN', 'UNAVAILABLE'].includes(MeshError.from(error).code),
    );
  }
});

test('a second start says who holds the state folder', async (t) => {
  const home = newHome(t);
  await start(t, { home });
  await assert.rejects(start(t, { home }), { code: 'ALREADY_RUNNING', message: new RegExp(`process ${process.pid} `) });
});

for (const [name, flag] of [
  ['api', '--api-port'],
  ['xds', '--xds-port'],
  ['join', '--join-port'],
  ['page', '--page-port'],
] as const) {
  test(`a busy ${name} port is named with its flag, and nothing is left running`, async (t) => {
    const blocker = createServer();
    const port = await new Promise<number>((done) => {
      blocker.listen(0, '127.0.0.1', () => {
        const address = blocker.address();
        done(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    t.after(() => blocker.close());
    const home = newHome(t);
    await assert.rejects(start(t, { home, ports: { ...anyPorts, [name]: port } }), (error: unknown) => {
      const { code, message, hint } = MeshError.from(error);
      assert.equal(code, 'PORT_IN_USE');
      assert.ok(message.includes(String(port)), message);
      assert.ok(hint.includes(flag), hint);
      return true;
    });
    assert.equal(existsSync(join(home, 'control-plane.lock')), false);
    await start(t, { home });
  });
}

async function startProcess(
  t: TestContext,
  home: string,
): Promise<{ readonly process: Background; readonly file: ControlPlaneFile }> {
  const started = startBackground(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    main,
    ...['--home', home, '--api-port', '0', '--xds-port', '0', '--join-port', '0', '--page-port', '0'],
  ]);
  t.after(() => started.stop('SIGKILL'));
  const path = join(home, 'control-plane.json');
  const file = await eventually(
    () => {
      if (started.child.exitCode !== null) {
        throw new Error(started.output());
      }
      const found = JSON.parse(readFileSync(path, 'utf8')) as ControlPlaneFile;
      return found.processId === started.pid ? found : undefined;
    },
    { what: 'the control plane comes up', timeoutMs: 20_000 },
  );
  return { process: started, file };
}

test('after kill -9 every acknowledged object is there, and the CA and users are the same', async (t) => {
  const home = newHome(t);
  const first = await startProcess(t, home);
  const client = clientOf(t, first.file);
  const versions = new Map<string, string>();
  await client.create(shopNamespace);
  for (const object of smallShop()) {
    const stored = await client.create(object);
    versions.set(`${stored.kind}/${stored.metadata.name}`, stored.metadata.uid ?? '');
  }
  const bundle = readFileSync(first.file.trustBundle, 'utf8');
  await first.process.stop('SIGKILL');
  const second = await startProcess(t, home);
  const again = clientOf(t, second.file);
  for (const object of smallShop()) {
    const [, group = '', version = object.apiVersion] = /^(?:(.*)\/)?(.*)$/.exec(object.apiVersion) ?? [];
    const found = await again.get({ group: group ?? '', version, kind: object.kind }, object.metadata.name, 'shop');
    assert.equal(found.metadata.uid, versions.get(`${object.kind}/${object.metadata.name}`));
  }
  assert.equal(readFileSync(second.file.trustBundle, 'utf8'), bundle);
});

test('SIGTERM ends it with code 0, wrong flags end it with code 2', async (t) => {
  const { process: running } = await startProcess(t, newHome(t));
  running.child.kill('SIGTERM');
  assert.deepEqual(await running.ended, { code: 0, signal: null });
  const wrong = startBackground(process.execPath, [main, '--api-port', 'x']);
  assert.equal((await wrong.ended).code, 2);
  assert.match(wrong.output(), /BAD_CONFIGURATION.*ports\.api/);
});

test('the REST client and the informer work against the real API', async (t) => {
  const { file } = await start(t);
  const client = clientOf(t, file);
  const informer = createInformer<Service>({ client, kind: gvk.service, logger: silentLogger });
  t.after(() => informer.stop());
  await informer.synced;
  await client.create(shopNamespace);
  await client.create(service('web'));
  await eventually(() => informer.objects.get('shop/web'), { what: 'the new service arrives' });
  await client.patch(gvk.service, 'web', 'shop', { metadata: { labels: { a: 'b' } } });
  await eventually(() => informer.objects.get('shop/web')?.metadata.labels?.['a'] === 'b', {
    what: 'the change arrives',
  });
  const stored = await client.get<Service>(gvk.service, 'web', 'shop');
  await assert.rejects(client.update({ ...stored, metadata: { ...stored.metadata, resourceVersion: '1' } }), {
    code: 'CONFLICT',
  });
  await assert.rejects(client.delete(gvk.service, 'web', 'shop', { uid: 'another' }), { code: 'CONFLICT' });
  await client.delete(gvk.service, 'web', 'shop', { uid: stored.metadata.uid ?? '' });
  await eventually(() => informer.objects.get('shop/web') === undefined, { what: 'the deletion arrives' });
  await assert.rejects(client.get(gvk.service, 'web', 'shop'), { code: 'NOT_FOUND' });
  await assert.rejects(client.get({ group: '', version: 'v1', kind: 'Nonsense' }, 'x', 'y'), { code: 'NOT_FOUND' });
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serviceKind } from '@weft/resources';
import { stateFolder } from '../platform/state-folder.ts';
import { ApiClient } from './api-client.ts';
import { kindByName } from './kind-names.ts';
import { findKubeconfig, readKubeconfig } from './kubeconfig.ts';
import { ResourceApi } from './resource-api.ts';

let folder = '';
let address = '';
let handle: (request: IncomingMessage, response: ServerResponse, body: string) => void = () => {};
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
  }
  handle(request, response, body);
});

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-api-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
});

after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

function kubeconfig(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function api(): ResourceApi {
  return new ResourceApi(
    new ApiClient({
      server: address,
      caPem: undefined,
      certificatePem: undefined,
      keyPem: undefined,
      token: 'secret',
      namespace: 'default',
      file: 'test',
    }),
  );
}

function answer(status: number, value: unknown): void {
  handle = (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

test('a kubeconfig is read with its current context, certificates in it or beside it', () => {
  writeFileSync(join(folder, 'key.pem'), 'KEY');
  const file = kubeconfig(
    'good',
    `apiVersion: v1
kind: Config
current-context: weft
contexts: [{name: weft, context: {cluster: c, user: u, namespace: shop}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:7443/', certificate-authority-data: ${Buffer.from('CA').toString('base64')}}}]
users: [{name: u, user: {client-certificate-data: ${Buffer.from('CERT').toString('base64')}, client-key: key.pem}}]
`,
  );
  assert.deepEqual(readKubeconfig(file), {
    server: 'https://127.0.0.1:7443',
    caPem: 'CA',
    certificatePem: 'CERT',
    keyPem: 'KEY',
    token: undefined,
    namespace: 'shop',
    file,
  });
});

test('a kubeconfig with a mistake is named with what is wrong', () => {
  for (const [text, message] of [
    ['a: [', /is not YAML/],
    ['current-context: x', /has no context "x"/],
    ['current-context: x\ncontexts: [{name: x, context: {cluster: c}}]', /cluster "c" has no server/],
  ] as const) {
    assert.throws(() => readKubeconfig(kubeconfig('bad', text)), { code: 'BAD_CONFIGURATION', message });
  }
  assert.throws(() => readKubeconfig(join(folder, 'none')), { code: 'NOT_FOUND' });
});

test('the kubeconfig is that of the flag, of the mesh, then of KUBECONFIG', () => {
  const state = stateFolder({ WEFT_HOME: join(folder, 'home') });
  const other = kubeconfig('other', '');
  assert.equal(findKubeconfig({ kubeconfig: '/flag' }, {}, state), '/flag');
  assert.equal(findKubeconfig({}, { KUBECONFIG: `/none:${other}` }, state), other);
  assert.throws(() => findKubeconfig({}, {}, state), { code: 'NOT_RUNNING' });
});

test('requests carry the token and the verbs their paths', async () => {
  const seen: string[] = [];
  handle = (request, response, body) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers['content-type'] ?? '-'} ${request.headers.authorization} ${body}`,
    );
    response.writeHead(200).end('{"items":[{"metadata":{"name":"a"}}]}');
  };
  const resources = api();
  const [item] = await resources.list(serviceKind, undefined, { labelSelector: 'a=b' });
  assert.equal(item?.kind, 'Service');
  await resources.delete(serviceKind, 'default', 'a');
  await resources.apply(
    { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name: 'a' } },
    { fieldManager: 'm', force: true, dryRun: true },
  );
  assert.deepEqual(seen, [
    'GET /api/v1/services?labelSelector=a%3Db - Bearer secret ',
    'DELETE /api/v1/namespaces/default/services/a - Bearer secret ',
    'PATCH /api/v1/namespaces/default/services/a?fieldManager=m&force=true&dryRun=All&fieldValidation=Strict application/apply-patch+yaml Bearer secret {"apiVersion":"v1","kind":"Service","metadata":{"namespace":"default","name":"a"}}',
  ]);
  resources.client.close();
});

test('refusals become errors with codes; every mistake that the server names is kept', async () => {
  const resources = api();
  for (const [status, code] of [
    [401, 'UNAUTHENTICATED'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [409, 'CONFLICT'],
    [413, 'TOO_LARGE'],
    [500, 'INTERNAL'],
    [503, 'UNAVAILABLE'],
  ] as const) {
    answer(status, { kind: 'Status', message: 'because' });
    await assert.rejects(resources.get(serviceKind, 'default', 'a'), { code, message: 'because' });
  }
  answer(404, {});
  assert.equal(await resources.find(serviceKind, 'default', 'a'), undefined);
  answer(422, {
    kind: 'Status',
    details: {
      kind: 'Service',
      name: 'a',
      causes: [
        { field: 'spec.ports', reason: 'FieldValueRequired', message: 'one' },
        { field: 'spec.type', reason: 'FieldValueNotSupported', message: 'two' },
      ],
    },
  });
  await assert.rejects(
    resources.get(serviceKind, 'default', 'a'),
    (error: { report?: { violations?: unknown[]; exitCode: number } }) => {
      assert.equal(error.report?.violations?.length, 2);
      assert.equal(error.report?.exitCode, 2);
      return true;
    },
  );
  handle = (_, response) => response.writeHead(200).end('not json');
  await assert.rejects(resources.get(serviceKind, 'default', 'a'), { code: 'PROTOCOL_ERROR' });
  handle = () => {};
  await assert.rejects(resources.client.json({ path: '/slow', timeoutMs: 50 }), { code: 'TIMEOUT' });
  resources.client.close();
});

test('nobody listening is told as such', async () => {
  const closed = new ApiClient({ ...api().client.access, server: 'http://127.0.0.1:1' });
  await assert.rejects(closed.json({ path: '/' }), { code: 'NOT_RUNNING' });
});

test('kinds are found by every name that kubectl knows', () => {
  for (const name of ['vs', 'VirtualService', 'virtualservices', 'virtualservices.networking.istio.io']) {
    assert.equal(kindByName(name).kind, 'VirtualService');
  }
  assert.throws(() => kindByName('nothing'), { name: 'CliFailure' });
});

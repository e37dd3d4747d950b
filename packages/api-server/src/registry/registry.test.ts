import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, memoryRegistry } from '../../test/support/memory-registry.ts';

const place = { namespace: 'default', name: 'a' };

const service = (changes: object = {}): unknown => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', namespace: 'default' },
  spec: { ports: [{ port: 80 }], ...changes },
});

test('the server sets identity and version, and takes none from the client', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const created = await api.create(
    configMap('a', { metadata: { uid: 'mine', generation: 7, creationTimestamp: '2001-01-01T00:00:00Z' } }),
  );
  assert.notEqual(created.metadata.uid, 'mine');
  assert.equal(created.metadata.generation, 1);
  assert.equal(created.metadata.creationTimestamp, '2026-01-01T00:00:00Z');
  await assert.rejects(api.create(configMap('b', { metadata: { resourceVersion: '5' } })), { code: 400 });
});

test('defaults are stored, generation counts changes of what is asked for and not of labels or status', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  const created = (await api.create(service())) as { spec?: { type?: string } };
  assert.equal(created.spec?.type, 'ClusterIP');
  const patch = (body: unknown, subresource?: 'status') =>
    api.registry.patch(resource, place, 'merge', body, api.context({ subresource }));
  assert.equal((await patch({ metadata: { labels: { a: 'b' } } })).metadata.generation, 1);
  assert.equal((await patch({ spec: { publishNotReadyAddresses: true } })).metadata.generation, 2);
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Ok',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  assert.equal((await patch({ status: { conditions: [ready] } }, 'status')).metadata.generation, 2);
});

test('status is written through its subresource alone, and the subresource writes nothing else', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  await api.create(service());
  const body = { status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } }, spec: { externalName: 'x.example' } };
  type Fields = { status?: { loadBalancer?: { ingress?: unknown } }; spec?: { externalName?: string } };
  const outer = (await api.registry.patch(resource, place, 'merge', { status: body.status }, api.context())) as Fields;
  assert.equal(outer.status?.loadBalancer?.ingress, undefined);
  const inner = (await api.registry.patch(
    resource,
    place,
    'merge',
    body,
    api.context({ subresource: 'status' }),
  )) as Fields;
  assert.deepEqual(inner.status?.loadBalancer?.ingress, [{ ip: '10.0.0.1' }]);
  assert.equal(inner.spec?.externalName, undefined);
});

test('a write that changes nothing has no new version and no event', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const created = await api.create(configMap('a', { data: { k: 'v' } }));
  const before = api.store.revision;
  const patched = await api.registry.patch(resource, place, 'merge', { data: { k: 'v' } }, api.context());
  const replaced = await api.registry.update(resource, place, created, api.context());
  assert.equal(patched.metadata.resourceVersion, created.metadata.resourceVersion);
  assert.equal(replaced.metadata.resourceVersion, created.metadata.resourceVersion);
  assert.equal(api.store.revision, before);
});

test('a replace with an old version or the UID of another object is a conflict', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const created = await api.create(configMap('a'));
  await api.registry.patch(resource, place, 'merge', { data: { k: 'v' } }, api.context());
  await assert.rejects(api.registry.update(resource, place, created, api.context()), { code: 409, reason: 'Conflict' });
  const other = configMap('a', { metadata: { uid: 'another' } });
  await assert.rejects(api.registry.update(resource, place, other, api.context()), { code: 409 });
  const unconditional = await api.registry.update(resource, place, configMap('a'), api.context());
  assert.equal((unconditional as { data?: unknown }).data, undefined);
});

test('a name twice is 409, a namespace that is not there 404, a body of another place 400', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await api.create(configMap('a'));
  await assert.rejects(api.create(configMap('a')), { code: 409, reason: 'AlreadyExists' });
  await assert.rejects(api.create(configMap('b', { metadata: { namespace: 'nowhere' } })), { code: 404 });
  const resource = api.resource('configmaps');
  await assert.rejects(async () => api.registry.update(resource, place, configMap('b'), api.context()), { code: 400 });
  await assert.rejects(async () => api.registry.create(resource, 'other', configMap('c'), api.context()), {
    code: 400,
    message: /does not match the namespace/,
  });
  await assert.rejects(async () => api.registry.create(resource, 'default', { kind: 'Pod' }, api.context()), {
    code: 400,
  });
});

test('generateName completes a name', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const { metadata } = configMap('');
  const { name: _, ...rest } = metadata;
  const created = await api.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...rest, generateName: 'job-' },
  });
  assert.match(created.metadata.name, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test('a dry run answers what would be, and nothing is stored', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const before = api.store.revision;
  const created = await api.create(configMap('a'), { dryRun: true });
  assert.equal(created.metadata.name, 'a');
  assert.equal(api.store.revision, before);
  await api.create(configMap('a'));
  const resource = api.resource('configmaps');
  await api.registry.delete(resource, place, {}, api.context({ dryRun: true }));
  await api.registry.patch(resource, place, 'merge', { data: { x: 'y' } }, api.context({ dryRun: true }));
  assert.equal((api.registry.get(resource, place) as { data?: unknown }).data, undefined);
});

test('unknown fields are refused, warned about or dropped as the client asks', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const body = service({ portz: [] });
  await assert.rejects(api.create(body), { code: 422, message: /spec\.portz.*did you mean "ports"/ });
  const warnings: string[] = [];
  await api.create(body, { fieldValidation: 'Warn', warnings, dryRun: true });
  assert.deepEqual(warnings.slice(0, 1), ['unknown field "spec.portz"']);
  const silent: string[] = [];
  const created = await api.create(body, { fieldValidation: 'Ignore', warnings: silent });
  assert.equal('portz' in ((created as { spec?: object }).spec ?? {}), false);
});

test('an admission check refuses with its violations and warns', async (t) => {
  const warnings: string[] = [];
  const api = await memoryRegistry({
    admission: [
      ({ object, operation }, view) => {
        if (operation === 'CREATE' && object.metadata.name === 'bad') {
          const violation = { path: 'data', code: 'FieldValueInvalid', message: 'no', fix: 'Do not.' } as const;
          return { violations: [violation] };
        }
        return { warnings: [`${view.list('', 'configmaps', 'default').length} before`] };
      },
    ],
  });
  t.after(() => api.close());
  await assert.rejects(api.create(configMap('bad')), { code: 422, message: /data: no; fix: Do not\./ });
  await api.create(configMap('good'), { warnings });
  assert.deepEqual(warnings, ['0 before']);
});

test('delete keeps to its preconditions and to system namespaces', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('configmaps');
  const { uid = '' } = (await api.create(configMap('a'))).metadata;
  await assert.rejects(api.registry.delete(resource, place, { uid: 'x' }, api.context()), { code: 409 });
  await assert.rejects(api.registry.delete(resource, place, { resourceVersion: '1' }, api.context()), { code: 409 });
  const status = await api.registry.delete(resource, place, { uid }, api.context());
  assert.equal('status' in status && status.status, 'Success');
  await assert.rejects(api.registry.delete(resource, place, {}, api.context()), { code: 404 });
  const namespaces = api.resource('namespaces');
  await assert.rejects(api.registry.delete(namespaces, { namespace: undefined, name: 'default' }, {}, api.context()), {
    code: 403,
  });
});

test('managed fields of many writers and of a status writer that never rests stay bounded', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  await api.create(service());
  for (let index = 0; index < 40; index += 1) {
    api.clock.advance(1_000);
    const labels = { metadata: { labels: { [`l${index}`]: 'x' } } };
    await api.registry.patch(resource, place, 'merge', labels, api.context({ fieldManager: `m${index}` }));
    const condition = {
      type: 'Ready',
      status: index % 2 === 0 ? 'True' : 'False',
      reason: `R${index}`,
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const status = { status: { conditions: [condition] } };
    await api.registry.patch(resource, place, 'merge', status, api.context({ subresource: 'status' }));
  }
  const { managedFields = [] } = api.registry.get(resource, place).metadata;
  assert.ok(managedFields.length <= 12, String(managedFields.length));
  assert.equal(managedFields.filter(({ subresource }) => subresource === 'status').length, 1);
  assert.ok(managedFields.some(({ manager }) => manager === 'ancient-changes'));
});

test('an object that is being deleted takes no more finalizers', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  const finalizers = (...names: string[]) => ({ metadata: { finalizers: names } });
  await api.create({
    ...(service() as object),
    metadata: { name: 'a', namespace: 'default', finalizers: ['x.y/a', 'x.y/b'] },
  });
  await api.registry.delete(resource, place, {}, api.context());
  await assert.rejects(api.registry.patch(resource, place, 'merge', finalizers('x.y/a', 'x.y/c'), api.context()), {
    code: 422,
    message: /no new finalizers.*x\.y\/c/,
  });
  await api.registry.patch(resource, place, 'merge', finalizers('x.y/b'), api.context());
  await api.registry.patch(resource, place, 'merge', { metadata: { finalizers: null } }, api.context());
  assert.throws(() => api.registry.get(resource, place), { code: 404 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemoryRegistry, memoryRegistry } from '../../test/support/memory-registry.ts';

const place = { namespace: 'default', name: 'a' };

interface Service {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
    readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
  };
  readonly spec?: {
    readonly ports?: readonly { readonly port: number; readonly name?: string; readonly protocol?: string }[];
    readonly selector?: unknown;
    readonly publishNotReadyAddresses?: boolean;
  };
}

const config = (spec: object, labels?: object): unknown => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', namespace: 'default', ...(labels === undefined ? {} : { labels }) },
  spec,
});

async function apply(api: MemoryRegistry, manager: string, body: unknown, force = false): Promise<Service> {
  const context = api.context({ fieldManager: manager, force });
  const { object } = await api.registry.apply(api.resource('services'), place, body, context);
  return object as unknown as Service;
}

const http = { port: 80, name: 'http' };
const grpc = { port: 81, name: 'grpc' };

test('apply creates, and applying the same again writes nothing', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const first = await apply(api, 'one', config({ ports: [http] }));
  const again = await apply(api, 'one', config({ ports: [http] }));
  assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.deepEqual(
    first.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [['one', 'Apply']],
  );
});

test('two appliers of one list by key each keep their items', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http] }));
  const both = await apply(api, 'two', config({ ports: [{ ...grpc, protocol: 'TCP' }] }));
  assert.deepEqual(both.spec?.ports?.map(({ port }) => port).sort(), [80, 81]);
  const left = await apply(api, 'one', config({ ports: [{ port: 90, name: 'other' }] }));
  assert.deepEqual(left.spec?.ports?.map(({ port }) => port).sort(), [81, 90]);
});

test('the protocol of a port that is not said is TCP in the keys of the list', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http] }));
  const same = await apply(api, 'two', config({ ports: [{ ...http, protocol: 'TCP' }] }));
  assert.equal(same.spec?.ports?.length, 1);
  const udp = await apply(api, 'two', config({ ports: [{ port: 80, name: 'quic', protocol: 'UDP' }] }), true);
  assert.deepEqual(udp.spec?.ports?.map(({ protocol }) => protocol).sort(), ['TCP', 'UDP']);
});

test('a field of another owner with another value is a conflict that names owner and field', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http] }, { tier: 'a' }));
  await assert.rejects(apply(api, 'two', config({ ports: [{ ...http, name: 'web' }] }, { tier: 'b' })), {
    code: 409,
    details: {
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.metadata.labels.tier' },
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "one"',
          field: '.spec.ports[port=80,protocol="TCP"].name',
        },
      ],
    },
  });
  const agreed = await apply(api, 'two', config({ ports: [http] }, { tier: 'a' }));
  assert.equal(agreed.metadata.managedFields?.length, 2);
});

test('force takes over, and the former owner can be in conflict in turn', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http] }, { tier: 'a' }));
  const forced = await apply(api, 'two', config({ ports: [http] }, { tier: 'b' }), true);
  assert.equal(forced.metadata.labels?.['tier'], 'b');
  await assert.rejects(apply(api, 'one', config({ ports: [http] }, { tier: 'a' })), {
    code: 409,
    message: /conflict with "two"/,
  });
});

test('what the applier leaves out goes, unless somebody else owns it too', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http, grpc], publishNotReadyAddresses: true }, { mine: '1', both: '2' }));
  await apply(api, 'two', config({ ports: [http] }, { both: '2' }));
  const left = await apply(api, 'one', config({ ports: [http] }));
  assert.deepEqual(left.metadata.labels, { both: '2' });
  assert.equal(left.spec?.publishNotReadyAddresses, undefined);
  assert.equal(left.spec?.ports?.length, 1);
});

test('an update takes ownership of what it changes from an applier', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http] }, { tier: 'a' }));
  const patch = { metadata: { labels: { tier: 'b' } } };
  const editor = api.context({ fieldManager: 'editor' });
  await api.registry.patch(api.resource('services'), place, 'merge', patch, editor);
  await assert.rejects(apply(api, 'one', config({ ports: [http] }, { tier: 'a' })), {
    code: 409,
    message: /conflict with "editor" using v1 at 2026-01-01T00:00:00Z: \.metadata\.labels\.tier/,
  });
});

test('an atomic map has one owner as a whole', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  await apply(api, 'one', config({ ports: [http], selector: { app: 'a' } }));
  await assert.rejects(apply(api, 'two', config({ ports: [http], selector: { more: 'b' } })), {
    code: 409,
    message: /\.spec\.selector/,
  });
});

test('managed fields in the configuration are refused, a null means no opinion', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', managedFields: [] } };
  await assert.rejects(apply(api, 'one', body), { code: 400 });
  const applied = await apply(api, 'one', config({ ports: [http], selector: null }));
  assert.equal(applied.spec?.selector, undefined);
});

test('owners that a client writes are believed: kubectl moves those of client-side apply so', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  const body = config({ ports: [http] }, { a: '1', b: '1' });
  await api.create(body, { fieldManager: 'kubectl-client-side-apply' });
  await apply(api, 'kubectl', config({ ports: [http] }, { a: '1' }));
  const { managedFields = [] } = api.registry.get(resource, place).metadata;
  const moved = managedFields
    .filter(({ operation }) => operation === 'Update')
    .map((entry) => ({ ...entry, manager: 'kubectl', operation: 'Apply' }));
  const patch = [{ op: 'replace', path: '/metadata/managedFields', value: moved }];
  await api.registry.patch(resource, place, 'json', patch, api.context({ fieldManager: 'kubectl' }));
  const applied = await apply(api, 'kubectl', config({ ports: [http] }, { a: '1' }));
  assert.deepEqual(applied.metadata.labels, { a: '1' }, 'what the former owner alone held goes');
  assert.deepEqual(
    applied.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [['kubectl', 'Apply']],
  );
});

test('owners can be cleared; a first apply then takes nothing over unasked', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  await api.create(config({ ports: [http] }, { a: '1' }));
  for (const cleared of [[], [{}]]) {
    const patch = { metadata: { managedFields: cleared } };
    const object = await api.registry.patch(resource, place, 'merge', patch, api.context());
    assert.equal(object.metadata.managedFields, undefined);
  }
  await assert.rejects(apply(api, 'one', config({ ports: [http] }, { a: '2' })), {
    code: 409,
    message: /before-first-apply.*\.metadata\.labels\.a/,
  });
});

test('owners that cannot be read are refused', async (t) => {
  const api = await memoryRegistry();
  t.after(() => api.close());
  const resource = api.resource('services');
  await api.create(config({ ports: [http] }));
  for (const step of ['x', 'k:{', 'k:1', 'v:', 'i:a']) {
    const entry = { manager: 'x', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { [step]: {} } } };
    const patch = { metadata: { managedFields: [entry] } };
    await assert.rejects(
      api.registry.patch(resource, place, 'merge', patch, api.context()),
      { code: 422, message: /metadata\.managedFields/ },
      step,
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import { startApi } from './support/api.ts';

test('@kubernetes/client-node lists, creates, patches, follows by informer and resumes a watch', async (t) => {
  const api = await startApi(t);
  const config = new KubeConfig();
  config.loadFromFile(await api.kubeconfig());
  const core = config.makeApiClient(CoreV1Api);
  const namespace = 'default';

  const seen: string[] = [];
  const reached = Promise.withResolvers<void>();
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object) => {
      seen.push(`${verb} ${object.metadata?.name}`);
      if (verb === 'delete') {
        reached.resolve();
      }
    });
  }
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'before' }, data: { a: '1' } } });
  await informer.start();
  const created = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'during' } } });
  const patched = await core.patchNamespacedConfigMap(
    { namespace, name: 'during', body: { data: { k: 'v' } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  assert.equal(patched.data?.['k'], 'v');
  await core.deleteNamespacedConfigMap({ namespace, name: 'before' });
  await reached.promise;
  await informer.stop();
  assert.deepEqual(seen, ['add before', 'add during', 'update during', 'delete before']);

  const resumed = Promise.withResolvers<string>();
  const controller = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { resourceVersion: created.metadata?.resourceVersion ?? '' },
    (type, object: { metadata: { name: string } }) => resumed.resolve(`${type} ${object.metadata.name}`),
    () => undefined,
  );
  assert.equal(await resumed.promise, 'MODIFIED during');
  controller.abort();

  const custom = config.makeApiClient(CustomObjectsApi);
  const kind = { group: 'networking.istio.io', version: 'v1', namespace, plural: 'virtualservices' };
  const spec = { hosts: ['a'], http: [{ route: [{ destination: { host: 'a' } }] }] };
  const body = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'v' }, spec };
  await custom.createNamespacedCustomObject({ ...kind, body });
  await assert.rejects(
    custom.createNamespacedCustomObject({ ...kind, body: { ...body, metadata: { name: 'w' }, spec: { hostz: [] } } }),
    { code: 422 },
  );
  const list = (await custom.listNamespacedCustomObject(kind)) as { items: unknown[] };
  assert.equal(list.items.length, 1);
});

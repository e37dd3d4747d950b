import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '@weft/resources';
import { discoveryDocument } from '../discovery/discovery.ts';
import { OpenApiDocuments } from './open-api-documents.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of every form
type Anything = any;

const discover = (path: string, accept = ''): Anything => discoveryDocument(path, kinds, accept, 'h:1')?.body;

test('discovery names every group, version and resource that is served, and nothing else', () => {
  assert.deepEqual(discover('/api').versions, ['v1']);
  const groups = discover('/apis').groups.map((group: Anything) => group.name);
  assert.ok(groups.includes('networking.istio.io') && groups.includes('authorization.k8s.io'));
  assert.equal(discover('/apis/networking.istio.io').preferredVersion.version, 'v1');
  const gateway = discover('/apis/gateway.networking.k8s.io');
  assert.equal(gateway.preferredVersion.version, 'v1');
  assert.deepEqual(
    gateway.versions.map(({ version }: Anything) => version),
    ['v1', 'v1beta1', 'v1alpha3', 'v1alpha2'],
  );
  const alpha = discover('/apis/gateway.networking.k8s.io/v1alpha2').resources.map(({ name }: Anything) => name);
  assert.deepEqual(alpha, ['tlsroutes', 'tlsroutes/status', 'tcproutes', 'tcproutes/status']);
  const names = discover('/api/v1').resources.map((resource: Anything) => resource.name);
  assert.ok(
    ['services', 'services/status', 'serviceaccounts/token', 'namespaces'].every((name) => names.includes(name)),
  );
  for (const path of ['/api/v2', '/apis/none.io', '/apis/networking.istio.io/v9', '/other']) {
    assert.equal(discover(path), undefined, path);
  }
});

test('aggregated discovery says the same in one document', () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const document = discoveryDocument('/apis', kinds, accept, '');
  assert.match(document?.contentType ?? '', /as=APIGroupDiscoveryList/);
  const body = document?.body as Anything;
  const istio = body.items.find((item: Anything) => item.metadata.name === 'networking.istio.io');
  const plain = discover('/apis/networking.istio.io/v1').resources.filter((each: Anything) => !each.name.includes('/'));
  assert.equal(istio.versions[0].resources.length, plain.length);
  assert.ok(istio.versions[0].resources.every((each: Anything) => each.scope === 'Namespaced'));
});

test('each group version has an OpenAPI document whose references all lead somewhere', () => {
  const documents = new OpenApiDocuments(kinds, '1.0.0');
  const { paths } = documents.index() as { paths: Record<string, { serverRelativeURL: string }> };
  assert.ok(Object.keys(paths).includes('apis/networking.istio.io/v1'));
  for (const [path, { serverRelativeURL }] of Object.entries(paths)) {
    const text = documents.document(path)?.text ?? '';
    assert.ok(serverRelativeURL.endsWith(documents.document(path)?.hash ?? '?'));
    const { components, paths: operations } = JSON.parse(text) as Anything;
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]);
    assert.ok(references.length > 0 && references.every((name) => name !== undefined && name in components.schemas));
    const patches = Object.values<Anything>(operations).flatMap((each) =>
      each.patch === undefined ? [] : [each.patch],
    );
    assert.ok(
      patches.every((each) => each.parameters.some((parameter: Anything) => parameter.name === 'fieldValidation')),
    );
  }
  assert.equal(documents.document('apis/none.io/v1'), undefined);
  assert.equal(documents.document('apis'), undefined);
});

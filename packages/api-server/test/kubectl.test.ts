import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import { kubectl } from './support/kubectl.ts';

const skip = peerSkip('kubectl');

const virtualService = (host: string, extra: object = {}): unknown => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'v' },
  spec: { hosts: ['a'], http: [{ route: [{ destination: { host } }] }], ...extra },
});

test('kubectl creates every kind it has a generator for', { skip }, async (t) => {
  const k = await kubectl(t);
  await k('create namespace shop');
  for (const args of [
    'secret generic s --from-literal=a=b',
    'secret docker-registry d --docker-username=a --docker-password=b --docker-email=c@d',
    'configmap c --from-literal=a=b',
    'serviceaccount sa',
    'role r --verb=get,list --resource=services',
    'rolebinding rb --role=r --serviceaccount=shop:sa',
    'clusterrole cr --verb=get --resource=namespaces',
    'clusterrolebinding crb --clusterrole=cr --user=bob',
    'service clusterip one --tcp=80:8080',
    'service externalname two --external-name=example.com',
    'service nodeport three --tcp=81',
  ]) {
    assert.match(await k(`create ${args} -n shop`), /created/, args);
  }
  assert.equal((await k('create token sa -n shop')).trim().split('.').length, 3);
  assert.match(await k('get svc,secrets,sa,roles -n shop -o wide'), /service\/one +ClusterIP .* 80\/TCP .*app=one/);
  assert.equal(await k('get secret s -n shop -o jsonpath={.data.a}'), 'Yg==');
  assert.match(await k('create configmap c -n shop', { code: 1 }), /already exists/);
  assert.match(await k('delete namespace shop'), /deleted/);
  assert.match(await k('get namespace shop', { code: 1 }), /NotFound/);
});

test('apply, diff, edit, replace, patch, label, annotate and delete', { skip }, async (t) => {
  const k = await kubectl(t);
  const one = await k.file('one.json', virtualService('a'));
  const two = await k.file('two.json', virtualService('b'));
  assert.match(await k(`apply -f ${one}`), /created/);
  assert.match(await k(`apply -f ${one}`), /unchanged/);
  assert.match(await k(`diff -f ${two}`, { code: 1 }), /\+ +host: b/);
  assert.match(await k(`apply -f ${two} --dry-run=server`), /server dry run/);
  assert.match(await k(`apply -f ${two}`), /configured/);
  const host = 'get vs v -o jsonpath={.spec.http[0].route[0].destination.host}';
  assert.equal(await k(host), 'b');
  await k('edit vs v', { env: { KUBE_EDITOR: 'sed -i s/host:.b/host:\\ c/' } });
  assert.equal(await k(host), 'c');
  await k(`replace -f ${one}`);
  assert.equal(await k(host), 'a');
  assert.match(await k('patch vs v --type=merge -p {"spec":{"gateways":["mesh"]}}'), /patched/);
  assert.match(await k('patch vs v --type=json -p [{"op":"remove","path":"/spec/gateways"}]'), /patched/);
  assert.match(await k('label vs v tier=front'), /labeled/);
  assert.match(await k('annotate vs v note=hello'), /annotated/);
  assert.equal(await k('get vs -A -l tier=front -o name'), 'virtualservice.networking.istio.io/v\n');
  assert.equal(await k('get vs --field-selector metadata.name=other -o name'), '');
  assert.match(await k('delete vs v --cascade=foreground'), /deleted/);
  const list = await k.file('list.json', { apiVersion: 'v1', kind: 'List', items: [virtualService('a')] });
  assert.match(await k(`apply -f ${list}`), /created/);
  assert.match(await k('delete vs --all'), /deleted/);
});

test('server-side apply tells conflicts and takes over by force', { skip }, async (t) => {
  const k = await kubectl(t);
  const one = await k.file('one.json', virtualService('a'));
  const two = await k.file('two.json', virtualService('b'));
  assert.match(await k(`apply --server-side -f ${one}`), /serverside-applied/);
  assert.match(
    await k(`apply --server-side --field-manager=other -f ${two}`, { code: 1 }),
    /conflict with "kubectl": \.spec\.http/,
  );
  assert.match(await k(`apply --server-side --field-manager=other --force-conflicts -f ${two}`), /serverside-applied/);
});

test('a mistake is refused with its place and the way out', { skip }, async (t) => {
  const k = await kubectl(t);
  const bad = await k.file('bad.json', virtualService('a', { httpp: [] }));
  assert.match(await k(`apply -f ${bad}`, { code: 1 }), /spec\.httpp.*did you mean "http"/);
  assert.match(await k(`apply -f ${bad} --validate=warn`), /Warning: unknown field "spec\.httpp"/);
  assert.match(await k('get pods', { code: 1 }), /doesn't have a resource type "pods"/);
  assert.match(await k('delete namespace default', { code: 1 }), /may not be deleted/);
});

test('explain, discovery, describe, rights and raw paths', { skip }, async (t) => {
  const k = await kubectl(t);
  assert.match(await k('explain vs.spec.http.route'), /weight\t<integer>/);
  assert.match(await k('explain service --recursive'), /targetPort/);
  assert.match(await k('api-resources'), /virtualservices +vs +networking\.istio\.io\/v1 +true +VirtualService/);
  assert.match(await k('api-versions'), /networking\.istio\.io\/v1beta1/);
  assert.equal(await k('get --raw /readyz'), 'ok');
  assert.match(await k('describe namespace default'), /Status: +Active/);
  assert.match(await k('auth whoami'), /Username +admin/);
  assert.match(await k('auth can-i delete services'), /yes/);
  assert.match(await k('auth can-i delete services --as bob', { code: 1 }), /no/);
  assert.match(await k('auth can-i --list'), /\*\.\*/);
  assert.match(await k('get services --as bob', { code: 1 }), /User "bob" cannot list resource "services"/);
  assert.match(await k('get events'), /No resources found/);
});

test('wait sees conditions, fields and deletion', { skip }, async (t) => {
  const k = await kubectl(t);
  assert.match(await k('wait namespace/default --for=jsonpath={.status.phase}=Active --timeout=20s'), /condition met/);
  await k(`apply -f ${await k.file('one.json', virtualService('a'))}`);
  const waiting = k('wait vs/v --for=condition=Programmed --timeout=20s');
  const condition = {
    type: 'Programmed',
    status: 'True',
    reason: 'Programmed',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const patch = JSON.stringify({ status: { conditions: [condition] } });
  assert.match(await k(`patch vs v --subresource=status --type=merge -p ${patch}`), /patched/);
  assert.match(await waiting, /condition met/);
  const gone = k('wait vs/v --for=delete --timeout=20s');
  await k('delete vs v --wait=false');
  await gone;
});

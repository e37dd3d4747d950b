import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerSkip } from '@weft/testkit';
import { kubectl } from './support/kubectl.ts';

const skip = peerSkip('kubectl');

const meta = (kind: string, version: string, spec: unknown): unknown => ({
  apiVersion: `gateway.networking.k8s.io/${version}`,
  kind,
  metadata: { name: 'x', ...(kind === 'GatewayClass' ? {} : { namespace: 'default' }) },
  spec,
});

const objects = [
  meta('GatewayClass', 'v1', { controllerName: 'weft.dev/gateway-controller' }),
  meta('Gateway', 'v1beta1', {
    gatewayClassName: 'x',
    listeners: [{ name: 'http', port: 80, protocol: 'HTTP', hostname: '*.example.com' }],
  }),
  meta('ListenerSet', 'v1', {
    parentRef: { name: 'x' },
    listeners: [{ name: 'a', port: 81, protocol: 'HTTP' }],
  }),
  meta('HTTPRoute', 'v1', { hostnames: ['a.example.com'], rules: [{ backendRefs: [{ name: 'b', port: 80 }] }] }),
  meta('GRPCRoute', 'v1', { hostnames: ['g.example.com'], rules: [{ backendRefs: [{ name: 'b', port: 80 }] }] }),
  meta('TLSRoute', 'v1alpha2', { hostnames: ['t.example.com'], rules: [{ backendRefs: [{ name: 'b', port: 443 }] }] }),
  meta('TCPRoute', 'v1alpha2', { rules: [{ backendRefs: [{ name: 'b', port: 25 }] }] }),
  meta('ReferenceGrant', 'v1beta1', {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default' }],
    to: [{ group: '', kind: 'Service' }],
  }),
  meta('BackendTLSPolicy', 'v1alpha3', {
    targetRefs: [{ group: '', kind: 'Service', name: 'b' }],
    validation: { hostname: 'b.example.com', wellKnownCACertificates: 'System' },
  }),
];

test('kubectl applies, shows and explains every kind of the Gateway API, in each of its versions', {
  skip,
}, async (t) => {
  const k = await kubectl(t);
  const file = await k.file('all.json', { apiVersion: 'v1', kind: 'List', items: objects });
  assert.equal((await k(`apply -f ${file}`)).match(/created/g)?.length, objects.length);
  // Lists with defaults in them make kubectl send them again, which changes nothing.
  await k(`apply -f ${file}`);
  assert.equal((await k(`apply --server-side --force-conflicts -f ${file}`)).match(/applied/g)?.length, objects.length);
  assert.equal(
    await k('get gateway-api -A -o jsonpath={.items[*].metadata.generation}'),
    objects.map(() => 1).join(' '),
  );

  const inVersion = async (resource: string): Promise<string> =>
    (await k(`get ${resource} x -o jsonpath={.apiVersion}`)).replace(/Warning: .*\n$/, '');
  for (const [resource, version] of [
    ['httproutes.v1beta1.gateway.networking.k8s.io', 'v1beta1'],
    ['httproutes.v1.gateway.networking.k8s.io', 'v1'],
    ['httproutes', 'v1'],
    ['gateways', 'v1'],
    ['gtw', 'v1'],
    ['gc', 'v1'],
    ['tlsroutes', 'v1'],
    ['tlsroutes.v1alpha2.gateway.networking.k8s.io', 'v1alpha2'],
    ['tcproutes', 'v1alpha2'],
    ['refgrant', 'v1'],
    ['referencegrants.v1beta1.gateway.networking.k8s.io', 'v1beta1'],
    ['btlspolicy', 'v1'],
    ['backendtlspolicies.v1alpha3.gateway.networking.k8s.io', 'v1alpha3'],
  ] as const) {
    assert.equal(await inVersion(resource), `gateway.networking.k8s.io/${version}`, resource);
  }

  assert.match(
    await k('get tlsroutes.v1alpha2.gateway.networking.k8s.io'),
    /Warning: TLSRoute v1alpha2 is deprecated; fix: Use gateway\.networking\.k8s\.io\/v1\./,
  );
  assert.match(await k('get gateways'), /^NAME +CLASS +ADDRESS +PROGRAMMED +AGE\nx +x +<none> +Unknown /);
  assert.match(
    await k('get gatewayclasses'),
    /NAME +CONTROLLER +ACCEPTED +AGE\nx +weft\.dev\/gateway-controller +Unknown/,
  );
  assert.match(await k('get httproutes'), /NAME +HOSTNAMES +AGE\nx +a\.example\.com/);
  assert.match(await k('get gateway-api -A'), /listenerset\.gateway\.networking\.k8s\.io\/x/);

  assert.match(await k('explain httproutes.spec.rules.filters.requestRedirect.statusCode'), /<integer>\nENUM:\n +301/);
  assert.match(await k('explain gateways.spec.listeners.tls'), /FIELDS:[\s\S]*certificateRefs\t<\[\]Object>/);
  assert.match(
    await k('explain tcproutes.spec --api-version=gateway.networking.k8s.io/v1alpha2'),
    /rules\t<\[\]Object> -required-/,
  );
  for (const kind of [
    'grpcroutes',
    'tlsroutes',
    'referencegrants',
    'backendtlspolicies',
    'listenersets',
    'gatewayclasses',
  ]) {
    assert.match(await k(`explain ${kind} --recursive`), /spec\t<Object>/, kind);
  }
  assert.match(
    await k('api-resources --api-group=gateway.networking.k8s.io -o name'),
    /^backendtlspolicies[\s\S]*tlsroutes\.gateway\.networking\.k8s\.io\n$/,
  );
});

test('kinds of one name in two groups are told apart', { skip }, async (t) => {
  const k = await kubectl(t);
  const istio = {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: {
      selector: { istio: 'ingressgateway' },
      servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
    },
  };
  assert.match(await k(`apply -f ${await k.file('g.json', istio)}`), /gateway\.networking\.istio\.io\/edge created/);
  assert.match(await k('get gw'), /NAME +SELECTOR +HOSTS +PROGRAMMED +AGE\nedge +istio=ingressgateway +\* /);
  assert.match(await k('get gateways'), /No resources found/);
  assert.equal(
    await k('get gateways.v1alpha3.networking.istio.io edge -o jsonpath={.apiVersion}'),
    'networking.istio.io/v1alpha3',
  );
  assert.match(
    await k('explain gateways --api-version=networking.istio.io/v1'),
    /VERSION: +v1\n[\s\S]*VirtualServices/,
  );
});

test('a mistake is refused with its place and the way out', { skip }, async (t) => {
  const k = await kubectl(t);
  const bad = meta('HTTPRoute', 'v1', {
    rules: [{ matches: [{ path: { type: 'Exact', value: 'a' } }], backendRefs: [{ name: 'b' }] }],
  });
  const text = await k(`apply -f ${await k.file('bad.json', bad)}`, { code: 1 });
  assert.match(text, /spec\.rules\[0\]\.matches\[0\]\.path\.value: "a": not an absolute path/);
  assert.match(text, /spec\.rules\[0\]\.backendRefs\[0\]\.port: a Service is referred to with its port/);
});

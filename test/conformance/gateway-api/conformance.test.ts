import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KubeObject } from '@weft/resources';
import { conformanceData, eventually } from '@weft/testkit';
import { ConformanceMesh } from './conformance-mesh.ts';
import { conformanceTests, ownData } from './conformance-tests.ts';
import { playListenerSets } from './listener-sets.ts';
import { playMisdirected } from './misdirected.ts';
import { runTest } from './run-test.ts';
import { TlsCases } from './tls-cases.ts';

const { folder, skip } = conformanceData('gateway-api');
const only = process.env['WEFT_CONFORMANCE_ONLY'];
const tests =
  skip === false
    ? [...conformanceTests(folder), ...conformanceTests(ownData)].filter(
        ({ name }) => only === undefined || new RegExp(only).test(name),
      )
    : [];

const matrixFile = join(import.meta.dirname, '../../../docs/gateway-api-features.json');
let mesh: ConformanceMesh;
/** Features that a test which did not pass needs. */
const broken = new Set<string>();
const played = new Set<string>();

before(async () => {
  if (skip === false) {
    mesh = await ConformanceMesh.start(folder, process.env['WEFT_CONFORMANCE_ENGINE'] ?? 'weft');
  }
});

after(async () => {
  await mesh?.stop();
});

test('the data is there', { skip }, () => {
  assert.ok(tests.length > 0);
});

for (const each of tests) {
  test(`${each.name}: ${each.cases.length} cases, ${each.statusExpectations.length} sentences on the status`, async () => {
    const failures = await runTest(mesh, each);
    for (const feature of each.features) {
      played.add(feature);
      if (failures.size > 0) {
        broken.add(feature);
      }
    }
    assert.deepEqual(Object.fromEntries(failures), {});
  });
}

test('TLS at a gateway: several certificates on one listener, one that has expired, TLS that ends for a TLSRoute', {
  skip,
}, async () => {
  const cases = await TlsCases.start(mesh);
  await eventually(async () => (await cases.get('one.example.net', 'one')) === 200, { what: 'the first certificate' });
  assert.equal(await cases.get('two.example.net', 'two'), 200, 'the certificate for the name that is asked for');
  await assert.rejects(cases.get('two.example.net', 'one'), 'each name has its own');
  assert.equal(await cases.condition('both', 'Programmed'), 'True/Programmed');
  assert.equal(await cases.condition('expired', 'ResolvedRefs'), 'False/InvalidCertificateRef');
  assert.equal(await cases.condition('expired', 'Programmed'), 'False/Invalid');
  assert.equal(await cases.isOpen('expired.example.net'), false, 'the listener for more names does not answer for it');
  const backend = await eventually(() => cases.endedAtGateway(), { what: 'the TCP backend is reached' });
  assert.match(backend.pod, /^tcp-backend-/);
  assert.equal(backend.sni, undefined);
  played.add('TLSRouteModeTerminate');
});

test('a request on the connection of another listener is answered 421', { skip }, async () => {
  await playMisdirected(mesh);
  played.add('GatewayHTTPSListenerDetectMisdirectedRequests');
});

test('ListenerSets add listeners to a Gateway, and status says what became of them', { skip }, async () => {
  await playListenerSets(mesh);
  played.add('ListenerSet');
});

test('the features that are claimed are those whose cases pass', { skip: skip || only !== undefined }, async () => {
  const { claimed } = JSON.parse(readFileSync(matrixFile, 'utf8')) as { readonly claimed: readonly string[] };
  assert.deepEqual(claimed, [...played].filter((feature) => !broken.has(feature)).sort());
  const apiVersion = 'gateway.networking.k8s.io/v1';
  const name = 'claims';
  await mesh.resources.apply({
    apiVersion,
    kind: 'GatewayClass',
    metadata: { name },
    spec: { controllerName: 'weft.dev/gateway-controller' },
  } as KubeObject);
  await eventually(
    async () => {
      const found = await mesh.resources.find(apiVersion, 'GatewayClass', undefined, name);
      const features = (found?.status?.['supportedFeatures'] ?? []) as readonly { readonly name: string }[];
      assert.deepEqual(
        features.map((feature) => feature.name),
        claimed,
      );
      return true;
    },
    { what: 'the status of a GatewayClass claims the same' },
  );
});

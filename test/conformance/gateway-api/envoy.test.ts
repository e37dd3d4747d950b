import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { conformanceData, peerSkip } from '@weft/testkit';
import { ConformanceMesh } from './conformance-mesh.ts';
import { conformanceTests, ownData } from './conformance-tests.ts';
import { playListenerSets } from './listener-sets.ts';
import { playMisdirected } from './misdirected.ts';
import { runTest } from './run-test.ts';

/** Stock Envoy as gateways and sidecars, with what we generate for it: one test of the data for each thing that proxies do, and all of our own. */
const chosen: ReadonlySet<string> = new Set([
  'GRPCRouteHeaderMatching',
  'HTTPRouteCORS',
  'HTTPRouteHTTPSListener',
  'HTTPRouteMatchingAcrossRoutes',
  'HTTPRouteRedirectPath',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteResponseHeaderModifier',
  'HTTPRouteRewritePath',
  'HTTPRouteTimeoutRequest',
  'MeshHTTPRouteWeight',
  'TLSRouteSimpleSameNamespace',
]);

const { folder, skip: noData } = conformanceData('gateway-api');
const skip = noData || peerSkip('envoy');
const published = noData === false ? conformanceTests(folder).filter(({ name }) => chosen.has(name)) : [];
const tests = [...published, ...(noData === false ? conformanceTests(ownData) : [])];
let mesh: ConformanceMesh;

before(async () => {
  if (skip === false) {
    mesh = await ConformanceMesh.start(folder, 'envoy');
  }
});

after(async () => {
  await mesh?.stop();
});

test('the chosen tests are in the data', { skip }, () => {
  assert.equal(published.length, chosen.size);
});

for (const each of tests) {
  test(`${each.name} with stock Envoy`, { skip }, async () => {
    assert.deepEqual(Object.fromEntries(await runTest(mesh, each)), {});
  });
}

test('a request on the connection of another listener is answered 421, with stock Envoy', { skip }, () =>
  playMisdirected(mesh),
);

test('ListenerSets add listeners to a Gateway, with stock Envoy', { skip }, () => playListenerSets(mesh));

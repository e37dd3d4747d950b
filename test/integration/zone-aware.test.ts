import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { availableEngines, type EngineName, engineEnvironment } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';

/**
 * DestinationRule `zoneAwareLbSetting` with both engines. Two callers in zone a and two in b; one instance of the called service in a and two in
 * b. By Envoy's formula callers in b stay in b, as it has two thirds of the instances and half of the callers, while those in a keep
 * (1/3) / (1/2) of their requests in a and send the rest to b: so each instance gets a third of all. 300 requests a caller; the shares may differ
 * by a tenth, which is more than three standard deviations.
 */
const REQUESTS = 300;
const TOLERANCE = 0.1;

const application = `
require('http').createServer((request, response) => response.end(process.env.WEFT_TEST_NAME))
  .listen(process.env.PORT, '127.0.0.1')`;

const networking = 'networking.istio.io/v1';

const group = (name: string, locality: string): object => ({
  apiVersion: networking,
  kind: 'WorkloadGroup',
  metadata: { name, namespace: 'default' },
  spec: { template: { locality } },
});

const rule = (zoneAwareLbSetting: object): object => ({
  apiVersion: networking,
  kind: 'DestinationRule',
  metadata: { name: 'called', namespace: 'default' },
  spec: { host: 'called', trafficPolicy: { loadBalancer: { zoneAwareLbSetting } } },
});

let mesh: TestMesh;
const callers = new Map<string, TestWorkload>();

async function apply(...objects: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const { code, stderr } = await mesh.weft(['apply', '-f', '-'], { input });
  assert.equal(code, 0, stderr);
}

function run(service: string, name: string, zone: string, engine: EngineName): Promise<TestWorkload> {
  const flags = ['--service', service, '--name', name, '--workload-group', zone, '--engine', engine];
  return mesh.runWorkload([...flags, '--', process.execPath, '-e', application], {
    env: { ...engineEnvironment, WEFT_TEST_NAME: name },
  });
}

const callerName = (engine: EngineName, zone: string): string => `caller-${engine}-${zone}`;

before(async () => {
  mesh = await startMesh();
  await apply(group('a', 'north/a'), group('b', 'north/b'), group('far', 'south/a'), rule({ minClusterSize: 2 }));
  for (const [index, zone] of ['a', 'b', 'b', 'far'].entries()) {
    await run('called', `${zone}-${index}`, zone, 'weft');
  }
  for (const engine of availableEngines) {
    for (const zone of ['a', 'b']) {
      const name = callerName(engine, zone);
      callers.set(name, await run('calling', name, zone, engine));
    }
  }
});

after(() => mesh?.stop());

/** Parts of the requests by the zone that they went to. */
async function spread(caller: string, count: number): Promise<Readonly<Record<string, number>>> {
  const port = callers.get(caller)?.httpProxyPort ?? 0;
  const zones: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const { status, body } = await requestThroughProxy(port, 'http://called/', {});
    assert.equal(status, 200, body);
    const [zone = ''] = body.split('-');
    zones[zone] = (zones[zone] ?? 0) + 1 / count;
  }
  return zones;
}

const isNear = (zones: Readonly<Record<string, number>>, a: number): boolean =>
  Math.abs((zones['a'] ?? 0) - a) <= TOLERANCE && (zones['far'] ?? 0) === 0;

/** Waits until what a caller does is near, then looks closely. @param a the part that goes to zone a. */
async function sendsTo(caller: string, a: number): Promise<void> {
  let seen: Readonly<Record<string, number>> = {};
  await eventually(
    async () => {
      seen = await spread(caller, 60).catch(() => ({}));
      return Math.abs((seen['a'] ?? -1) - a) <= 2 * TOLERANCE && seen['far'] === undefined;
    },
    { what: `${caller} sends ${a} to a`, timeoutMs: 30_000 },
  ).catch((error: unknown) => assert.fail(`${error}: ${JSON.stringify(seen)}`));
  const zones = await spread(caller, REQUESTS);
  assert.ok(isNear(zones, a), `${caller} sends ${JSON.stringify(zones)}, of that ${a} should go to a`);
}

for (const engine of availableEngines) {
  const [a, b] = [callerName(engine, 'a'), callerName(engine, 'b')];

  test(`${engine}: requests stay in the zone as far as that keeps the load even, and in the region altogether`, async () => {
    await sendsTo(b, 0);
    await sendsTo(a, 2 / 3);
  });
}

test('it is said how zones count, where it comes from, and whom a caller takes for its like', async () => {
  const service = await mesh.weft(['explain', 'called', '--from', callerName('weft', 'a')]);
  assert.match(
    service.stdout,
    /the nearest first as seen from north\/\*; of those the own zone as far as the load stays even, with 2 endpoints or more +DestinationRule default\/called spec\.trafficPolicy\.loadBalancer\.zoneAwareLbSetting/,
  );
  const workload = await mesh.weft(['explain', callerName('weft', 'a')]);
  const each = availableEngines.length;
  assert.match(workload.stdout, new RegExp(`peers, for zones +${each} in north/a, ${each} in north/b +Service default/calling`));
  const said = await mesh.kubectl(['get', 'destinationrule', 'called', '-o', 'jsonpath={.status.conditions[*].type}']);
  assert.doesNotMatch(said.stdout, /NotYetSupported/);
});

test('callers that leave are noticed: those in the zone that is left alone go to all zones of the region', async () => {
  for (const engine of availableEngines) {
    const name = callerName(engine, 'b');
    await callers.get(name)?.process.stop();
    callers.delete(name);
  }
  for (const name of callers.keys()) {
    await sendsTo(name, 1 / 3);
  }
});

test('switched off, all zones and regions are alike', async () => {
  await apply(rule({ enabled: false }));
  for (const name of callers.keys()) {
    await eventually(async () => ((await spread(name, 40))['far'] ?? 0) > 0, {
      what: `${name} goes to another region, too`,
      timeoutMs: 30_000,
    });
    const zones = await spread(name, REQUESTS);
    for (const [zone, part] of [
      ['a', 1 / 4],
      ['b', 1 / 2],
      ['far', 1 / 4],
    ] as const) {
      assert.ok(Math.abs((zones[zone] ?? 0) - part) <= TOLERANCE, `${name}: ${JSON.stringify(zones)}`);
    }
  }
});

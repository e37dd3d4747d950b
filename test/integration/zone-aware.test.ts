import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { eventually, programs, startMesh, type TestMesh } from '@weft/testkit';
import { availableEngines, type EngineName, engineEnvironment } from './engine-pairs.ts';
import { requestThroughProxy } from './http-proxy-request.ts';

/**
 * DestinationRule `zoneAwareLbSetting` with both engines. The called service has one endpoint in zone a, two in b and one in another region; a caller
 * of each engine is in a. How many peers they have in b decides what they keep in a, by Envoy's formula. 300 requests a caller; the shares may
 * differ by a tenth, which is more than three standard deviations.
 */
const REQUESTS = 300;
const TOLERANCE = 0.1;

const networking = 'networking.istio.io/v1';
const servers: Server[] = [];
const callers = new Map<EngineName, number>();
let mesh: TestMesh;

const object = (kind: string, name: string, spec: object): object => ({
  apiVersion: kind === 'Service' ? 'v1' : networking,
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});

const entry = (app: string, name: string, locality: string, port: number): object =>
  object('WorkloadEntry', name, { address: '127.0.0.1', ports: { http: port }, labels: { app }, locality });

const rule = (zoneAwareLbSetting: object): object =>
  object('DestinationRule', 'called', { host: 'called', trafficPolicy: { loadBalancer: { zoneAwareLbSetting } } });

/** Nothing is sent to peers: their ports need not be open. */
const peers = (from: number, to: number): readonly object[] =>
  Array.from({ length: to - from }, (_, index) =>
    entry('calling', `peer-${from + index}`, 'north/b', 1 + from + index),
  );

async function weft(args: readonly string[], ...objects: readonly object[]): Promise<string> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const { code, stdout, stderr } = await mesh.weft(args, objects.length === 0 ? {} : { input });
  assert.equal(code, 0, stderr);
  return stdout;
}

const apply = (...objects: readonly object[]): Promise<string> => weft(['apply', '-f', '-'], ...objects);

async function endpoint(name: string, locality: string): Promise<object> {
  const server = createServer((_request, response) => response.end(locality));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return entry('called', name, locality, (server.address() as AddressInfo).port);
}

before(async () => {
  mesh = await startMesh();
  await apply(
    object('Service', 'called', { selector: { app: 'called' }, ports: [{ name: 'http', port: 80 }] }),
    object('WorkloadGroup', 'in-a', { template: { locality: 'north/a' } }),
    rule({ minClusterSize: 2 }),
    await endpoint('called-1', 'north/a'),
    await endpoint('called-2', 'north/b'),
    await endpoint('called-3', 'north/b'),
    await endpoint('called-4', 'south/a'),
    ...peers(0, availableEngines.length),
  );
  for (const engine of availableEngines) {
    const name = ['--service', 'calling', '--name', `caller-${engine}`, '--workload-group', 'in-a', '--engine', engine];
    const { httpProxyPort } = await mesh.runWorkload([...name, '--', process.execPath, programs.echo], {
      env: engineEnvironment,
    });
    callers.set(engine, httpProxyPort);
  }
});

after(async () => {
  await mesh?.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** Parts of the requests by the locality that they went to. */
async function spread(engine: EngineName, count: number): Promise<Readonly<Record<string, number>>> {
  const localities: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const { status, body } = await requestThroughProxy(callers.get(engine) ?? 0, 'http://called/', {});
    assert.equal(status, 200, body);
    localities[body] = (localities[body] ?? 0) + 1 / count;
  }
  return localities;
}

/** Waits until callers do it, then looks closely. */
async function callersSend(expected: Readonly<Record<string, number>>): Promise<void> {
  for (const engine of callers.keys()) {
    const isNear = (seen: Readonly<Record<string, number>>, tolerance: number): boolean =>
      ['north/a', 'north/b', 'south/a'].every((locality) => {
        const [part = 0, wanted = 0] = [seen[locality], expected[locality]];
        return Math.abs(part - wanted) <= tolerance && (wanted > 0 || part === 0);
      });
    let seen: Readonly<Record<string, number>> = {};
    const what = `${engine} sends ${JSON.stringify(expected)}`;
    await eventually(
      async () => {
        seen = await spread(engine, 60).catch(() => ({}));
        return isNear(seen, 2 * TOLERANCE);
      },
      { what, timeoutMs: 30_000 },
    );
    seen = await spread(engine, REQUESTS);
    assert.ok(isNear(seen, TOLERANCE), `${what}, but ${JSON.stringify(seen)}`);
  }
}

test('a zone with less of the endpoints than of the callers keeps what makes the load even, and the region the rest', async () => {
  await callersSend({ 'north/a': 2 / 3, 'north/b': 1 / 3 });
});

test('it is said how zones count, where it comes from, and whom a caller takes for its like', async () => {
  assert.match(
    await weft(['explain', 'called', '--from', 'caller-weft']),
    /the nearest first as seen from north\/\*; of those the own zone as far as the load stays even, with 2 endpoints or more\s+DestinationRule default\/called spec\.trafficPolicy\.loadBalancer\.zoneAwareLbSetting/,
  );
  const each = availableEngines.length;
  assert.match(
    await weft(['explain', 'caller-weft']),
    new RegExp(`peers, for zones +${each} in north/a, ${each} in north/b +Service default/calling`),
  );
  const said = await mesh.kubectl(['get', 'destinationrule', 'called', '-o', 'jsonpath={.status.conditions[*].type}']);
  assert.doesNotMatch(said.stdout, /NotYetSupported/);
});

test('everything stays in a zone that has its share: with further peers in b a has a third of both', async () => {
  await apply(...peers(availableEngines.length, 2 * availableEngines.length));
  await callersSend({ 'north/a': 1 });
});

test('callers whose peers have all left the other zones send to all zones of the region', async () => {
  await weft(['delete', '-f', '-'], ...peers(0, 2 * availableEngines.length));
  await callersSend({ 'north/a': 1 / 3, 'north/b': 2 / 3 });
});

test('switched off, all zones and regions are alike', async () => {
  await apply(rule({ enabled: false }), ...peers(0, availableEngines.length));
  await callersSend({ 'north/a': 1 / 4, 'north/b': 1 / 2, 'south/a': 1 / 4 });
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, programs, startMesh, type TestMesh, type TestWorkload } from '@weft/testkit';
import { requestThroughProxy } from './http-proxy-request.ts';
import { startSteadyLoad } from './steady-load.ts';

/** Short enough for several rotations (at 2/3 of it) during the test. */
const certificateTtlSeconds = 15;
const changes = 20;

let mesh: TestMesh;
let client: TestWorkload;
let server: TestWorkload;

before(async () => {
  mesh = await startMesh({ certificateTtlSeconds });
  server = await mesh.runWorkload(['--service', 'echo', '--version', 'v1', '--', process.execPath, programs.echo], {
    env: { NAME: 'echo', VERSION: 'v1' },
  });
  client = await mesh.runWorkload(['--name', 'client', '--', 'sleep', '1000']);
  await eventually(async () => (await requestThroughProxy(client.httpProxyPort, 'http://echo/')).status === 200, {
    what: 'echo is reached',
  });
});

after(async () => {
  await mesh?.stop();
});

/** Serial number of a sidecar's certificate, as its admin API shows it. */
async function serialOf(workload: TestWorkload): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${workload.adminPort}/certs`);
  const { certificates } = JSON.parse(await response.text()) as {
    readonly certificates: readonly { readonly cert_chain: readonly { readonly serial_number: string }[] }[];
  };
  const serial = certificates[0]?.cert_chain[0]?.serial_number;
  assert.ok(serial, 'the admin API shows the serial number');
  return serial;
}

test(`10,000 requests during ${changes} configuration changes and at least two certificate rotations on each side: none fails`, async () => {
  const serials = { client: new Set([await serialOf(client)]), server: new Set([await serialOf(server)]) };
  const seenRounds = new Set<string>();
  const load = startSteadyLoad({
    proxyPort: client.httpProxyPort,
    url: 'http://echo/',
    requestsPerSecond: 300,
    onResponse: ({ headers }) => {
      if (headers['x-round'] !== undefined) {
        seenRounds.add(String(headers['x-round']));
      }
    },
  });
  const path = '/apis/networking.istio.io/v1/namespaces/default/virtualservices/echo?fieldManager=test&force=true';
  for (let round = 1; round <= changes; round++) {
    const applied = await mesh.api().request(
      'PATCH',
      path,
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { name: 'echo', namespace: 'default' },
        spec: {
          hosts: ['echo'],
          http: [
            {
              route: [{ destination: { host: 'echo' }, headers: { response: { set: { 'x-round': String(round) } } } }],
            },
          ],
        },
      },
      'application/apply-patch+yaml',
    );
    assert.ok(applied.status === 200 || applied.status === 201, JSON.stringify(applied.body));
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    serials.client.add(await serialOf(client));
    serials.server.add(await serialOf(server));
  }
  await eventually(() => load.counts.sent >= 10_000, { what: '10,000 requests are sent', timeoutMs: 60_000 });
  const counts = await load.stop();
  assert.deepEqual(counts.failures, []);
  assert.equal(counts.succeeded, counts.sent);
  assert.ok(counts.sent >= 10_000);
  assert.equal(seenRounds.size, changes, 'every change took effect');
  assert.ok(serials.client.size >= 3, `${serials.client.size} certificates of the client were seen`);
  assert.ok(serials.server.size >= 3, `${serials.server.size} certificates of the server were seen`);
});

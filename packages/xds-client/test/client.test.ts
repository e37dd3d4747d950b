import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@weft/base';
import { createCsr, formatWorkloadId, generatePrivateKey } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { eventually } from '@weft/testkit';
import type { EncodedResource, LoadReport } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import { type ClientCredentials, createLoadReporter } from '../src/index.ts';
import { node, RealServer, temporaryFile, testClient, text } from './fixture.ts';

const {
  cluster: cds,
  endpoint: eds,
  listener: lds,
  routeConfiguration: rds,
  virtualHost: vhds,
  secret: sds,
} = typeUrls;

const mesh = (revision = 1): EncodedResource[] => [
  text(cds, 'c', `${revision}|eds c`),
  text(eds, 'c', `${revision}`),
  text(lds, 'l', `${revision}|rds r|sds s`),
  text(rds, 'r', `${revision}`),
  text(sds, 's', `${revision}`),
];
const allActive = (revision = 1): string[] =>
  ['CDS c', 'EDS c', 'LDS l', 'RDS r', 'SDS s'].map((name) => `${name}=${revision}`);

async function active(client: ReturnType<typeof testClient>, expected: readonly string[]): Promise<void> {
  await eventually(() => client.active().join() === expected.join(), {
    what: `${expected.join()} (is: ${client.active().join()})`,
    intervalMs: 2,
  });
}

test('follows references, and drops what nothing references any more', async (t) => {
  await using server = new RealServer();
  await server.start();
  const client = testClient(t, server.port);
  await client.client.start();
  server.set(...mesh());
  await active(client, allActive());
  server.set(...mesh(2));
  await active(client, allActive(2));
  await eventually(() => server.xds.client('n')?.ackedStoreVersion === 2, { what: 'acknowledged' });
  server.set(text(cds, 'c', '3'));
  await active(client, ['CDS c=3']);
  await eventually(() => server.xds.client('n')?.types.get(rds)?.nameCount === 0, { what: 'unsubscribed' });
  const kinds = client.batches.flatMap(({ changes }) => changes.map(({ kind, typeUrl }) => `${kind} ${typeUrl}`));
  assert.ok(kinds.indexOf(`remove ${lds}`) > kinds.indexOf(`remove ${rds}`), 'children are named first in the batch');
});

test('serves from its last good state when it starts alone, and resumes with differences only', async (t) => {
  const cacheFile = await temporaryFile(t);
  await using server = new RealServer();
  await server.start();
  server.set(...mesh(), text(cds, 'd', '1'));
  const first = testClient(t, server.port, { cacheFile });
  await first.client.start();
  await active(first, ['CDS c=1', 'CDS d=1', ...allActive().slice(1)]);
  await first.client.close();
  server.stop();

  const alone = testClient(t, server.port, { cacheFile });
  await alone.client.start();
  assert.deepEqual(alone.active(), ['CDS c=1', 'CDS d=1', ...allActive().slice(1)]);
  assert.equal(alone.batches[0]?.source, 'cache');
  assert.equal(alone.client.connected, false);

  await server.start();
  server.set(...mesh().map((resource) => (resource.typeUrl === rds ? text(rds, 'r', '2') : resource)));
  await active(alone, ['CDS c=1', 'EDS c=1', 'LDS l=1', 'RDS r=2', 'SDS s=1']);
  const fromServer = alone.batches.filter(({ source }) => source === 'server').flatMap(({ changes }) => changes);
  assert.deepEqual(
    fromServer.map(({ kind, name }) => `${kind} ${name}`).sort(),
    ['remove d', 'set r'],
    'nothing that was the same is sent or applied again',
  );
});

test('outlives the control plane and resumes without a full resend', async (t) => {
  await using server = new RealServer();
  await server.start();
  server.set(...mesh());
  const connectivity: boolean[] = [];
  const client = testClient(t, server.port, { onConnectivity: (connected) => connectivity.push(connected) });
  await client.client.start();
  await active(client, allActive());
  const batches = client.batches.length;
  server.stop();
  await eventually(() => !client.client.connected, { what: 'the end is noticed', intervalMs: 2 });
  assert.deepEqual(client.active(), allActive());
  await server.start();
  server.set(...mesh());
  await eventually(() => server.xds.client('n')?.ackedStoreVersion === 2, { what: 'in sync again' });
  assert.equal(client.batches.length, batches);
  assert.deepEqual(connectivity, [true, false, true]);
});

test('what is refused is named with its reason at both ends, and what is good is applied', async (t) => {
  await using server = new RealServer();
  await server.start();
  server.set(text(cds, 'a', '1'), text(cds, 'b', '1'));
  const client = testClient(t, server.port);
  await client.client.start();
  await active(client, ['CDS a=1', 'CDS b=1']);
  server.set(text(cds, 'a', 'bad 2'), text(cds, 'b', '2'));
  await active(client, ['CDS a=1', 'CDS b=2']);
  await eventually(() => server.xds.client('n')?.types.get(cds)?.status === 'NACKED', { what: 'the NACK' });
  const refused = server.xds.client('n')?.types.get(cds)?.refused;
  assert.deepEqual(
    refused?.map(({ name }) => name),
    ['a'],
  );
  assert.match(refused?.[0]?.reason ?? '', /a: bad 2 is refused/);
  const state = client.client.state().types.find(({ typeUrl }) => typeUrl === cds)?.resources;
  assert.match(state?.find(({ name }) => name === 'a')?.refused?.reason ?? '', /bad 2 is refused/);
  server.set(text(cds, 'a', '3'), text(cds, 'b', '2'));
  await active(client, ['CDS a=3', 'CDS b=2']);
});

test('on demand: found after its clusters and endpoints, missing, released, and unavailable at once without a server', async (t) => {
  const base = [text(cds, 'c', '1')];
  const late = [text(cds, 'late', '1|eds late'), text(eds, 'late', '1'), text(vhds, 'p/late.ns', '1', ['p/late'])];
  await using server = new RealServer({
    async onSubscribe(_client, _typeUrl, names) {
      await new Promise((resolve) => setImmediate(resolve));
      if (names.includes('p/late')) {
        server.set(...base, ...late);
      }
    },
  });
  await server.start();
  server.set(...base);
  const client = testClient(t, server.port);
  await client.client.start();
  await active(client, ['CDS c=1']);
  assert.equal(await client.client.demand(vhds, 'p/late', 5_000), 'active');
  assert.deepEqual(client.active(), ['CDS c=1', 'CDS late=1', 'EDS late=1', 'VHDS p/late.ns=1']);
  assert.equal(await client.client.demand(vhds, 'p/late.ns', 5_000), 'active');
  assert.equal(await client.client.demand(vhds, 'p/nowhere', 5_000), 'missing');
  client.client.release(vhds, 'p/late');
  client.client.release(vhds, 'p/late.ns');
  assert.deepEqual(client.active(), ['CDS c=1', 'CDS late=1', 'EDS late=1']);
  server.stop();
  await eventually(() => !client.client.connected, { what: 'the end is noticed', intervalMs: 2 });
  assert.equal(await client.client.demand(vhds, 'p/late', 60_000), 'unavailable');
  await server.start();
  server.set(...base, ...late);
  await active(client, ['CDS c=1', 'CDS late=1', 'EDS late=1', 'VHDS p/late.ns=1']);
});

test('load is reported at the interval of the server, on the same connection, and kept while it is away', async (t) => {
  const reports: LoadReport[] = [];
  await using server = new RealServer({
    loadReportIntervalMs: 100,
    onLoadReport: (_client, report) => reports.push(report),
  });
  await server.start();
  server.set();
  const client = testClient(t, server.port);
  await client.client.start();
  let issued = 7n;
  const reporter = createLoadReporter({
    memoryBytes: () => 50_000_000,
    protocolsSeen: (isFirst) => (isFirst ? { 'inbound|80': { http1: [2, 0] } } : undefined),
    channel: client.client.channel,
    node,
    clock: systemClock,
    logger: silentLogger,
    backoff: { baseMs: 5, maxMs: 20 },
    collect({ clusters, perEndpoint }) {
      assert.deepEqual([clusters, perEndpoint], [undefined, true]);
      const stats = { ...ClusterStats.decode(new Uint8Array(0)), clusterName: 'c', totalDroppedRequests: issued };
      const had = issued > 0n;
      issued = 0n;
      return had ? [stats] : [];
    },
  });
  t.after(() => reporter.close());
  reporter.start();
  await eventually(() => reports.length === 1, { what: 'a report', intervalMs: 2 });
  assert.equal(reports[0]?.clusters[0]?.totalDroppedRequests, 7n);
  assert.notEqual(reports[0]?.clusters[0]?.loadReportInterval, undefined);
  // Memory goes with one report in half a minute.
  assert.equal(reports[0]?.memoryBytes, 50_000_000);
  // What is known is told again to a server that has come back.
  assert.deepEqual(reports[0]?.protocolsSeen, { 'inbound|80': { http1: [2, 0] } });
  server.stop();
  await eventually(() => !client.client.connected, { what: 'the end is noticed', intervalMs: 2 });
  issued = 5n;
  await server.start();
  await eventually(() => reports.length === 2, { what: 'the report after the outage', intervalMs: 2 });
  assert.equal(reports[1]?.clusters[0]?.totalDroppedRequests, 5n);
  assert.deepEqual(reports[1]?.protocolsSeen, { 'inbound|80': { http1: [2, 0] } });
});

test('a renewed certificate is used by the next connection; the open stream stays', async (t) => {
  const authority = await temporaryAuthority(t);
  const seen: string[] = [];
  const pair = await authority.issueServer({ ipAddresses: ['127.0.0.1'] });
  const key = Buffer.from(pair.key.reveal().export({ type: 'pkcs8', format: 'pem' }));
  const keyPair = { private_key: key, cert_chain: Buffer.from(pair.chainPem) };
  await using server = new RealServer(
    {
      authorize(peer, { id }) {
        seen.push(peer?.certificate.serialNumber ?? 'none');
        return { accept: id };
      },
    },
    ServerCredentials.createSsl(Buffer.from(authority.trustBundle.value.pem), [keyPair], true),
  );
  await server.start();
  server.set(text(cds, 'a', '1'));
  let credentials = await clientCredentials(authority);
  const client = testClient(t, server.port, { credentials: () => credentials });
  await client.client.start();
  await active(client, ['CDS a=1']);
  credentials = await clientCredentials(authority);
  server.set(text(cds, 'a', '2'));
  await active(client, ['CDS a=2']);
  assert.equal(seen.length, 1, 'the stream goes on');
  server.stop();
  await server.start();
  server.set(text(cds, 'a', '3'));
  await active(client, ['CDS a=3']);
  assert.equal(new Set(seen).size, 2);
});

async function temporaryAuthority(t: TestContext): Promise<CertificateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-xds-client-ca-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  const authority = await CertificateAuthority.open({ folder, clock: systemClock, logger: silentLogger });
  t.after(() => authority.close());
  return authority;
}

async function clientCredentials(authority: CertificateAuthority): Promise<ClientCredentials> {
  const identity = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'test', serviceAccount: 'client' });
  const key = await generatePrivateKey();
  const { certChain } = await authority.issueSvid({ csrPem: createCsr(key, identity), identity });
  const keyPem = key.reveal().export({ type: 'pkcs8', format: 'pem' });
  return { kind: 'tls', tls: { ca: authority.trustBundle.value.pem, cert: certChain.join(''), key: keyPem } };
}

test('when the server renews the connection the client is never away', async (t) => {
  const lost: string[] = [];
  let streams = 0;
  await using server = new RealServer({
    authorize(_peer, { id }) {
      streams += 1;
      return { accept: id };
    },
    onDisconnect: ({ key }) => lost.push(key),
  });
  server.grpcOptions = { 'grpc.max_connection_age_ms': 50, 'grpc.max_connection_age_grace_ms': 5_000 };
  await server.start();
  server.set(...mesh());
  const connectivity: boolean[] = [];
  const client = testClient(t, server.port, { onConnectivity: (connected) => connectivity.push(connected) });
  await client.client.start();
  await active(client, allActive());
  const batches = client.batches.length;
  await eventually(() => streams >= 5, { what: 'four renewals', intervalMs: 2 });
  assert.deepEqual(connectivity, [true]);
  assert.deepEqual(lost, []);
  assert.equal(client.batches.length, batches);
  server.set(...mesh(2));
  await active(client, allActive(2));
});

test('the cache holds what is in use, not what is still warming', async (t) => {
  const cacheFile = await temporaryFile(t);
  await using server = new RealServer();
  await server.start();
  server.set(...mesh());
  const client = testClient(t, server.port, { cacheFile });
  await client.client.start();
  await active(client, allActive());
  server.set(...mesh().filter(({ typeUrl }) => typeUrl !== lds), text(lds, 'l', '2|rds r|sds other'));
  await eventually(
    () => client.client.state().types.find(({ typeUrl }) => typeUrl === lds)?.resources[0]?.status === 'warming',
    { what: 'the new listener waits for its secret', intervalMs: 2 },
  );
  assert.deepEqual(client.active(), allActive());
  await client.client.close();
  assert.match((await readFile(cacheFile)).toString('latin1'), /1\|rds r\|sds s/);
  server.stop();
  const alone = testClient(t, server.port, { cacheFile });
  await alone.client.start();
  assert.deepEqual(alone.active(), allActive());
});

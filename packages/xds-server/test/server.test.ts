import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '@weft/testkit';
import { typeUrls } from '@weft/xds-types';
import { ClientResourceStatus } from '@weft/xds-types/envoy/admin/v3/config_dump_shared.ts';
import { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import { LoadStatsRequest, LoadStatsResponse } from '@weft/xds-types/envoy/service/load_stats/v3/lrs.ts';
import {
  ClientStatusRequest,
  ClientStatusResponse,
  ConfigStatus,
} from '@weft/xds-types/envoy/service/status/v3/csds.ts';
import { type Admission, type ClientNode, createSnapshot, type LoadReport, type Peer } from '../src/index.ts';
import { type ClientPair, GrpcFixture, nodeOf, TestAuthority, TestStream } from './grpc-fixture.ts';
import { blank, opaque } from './stream-fixture.ts';

const ads = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
const csds = '/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus';
const lrs = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';
const { cluster: cds, secret: sds } = typeUrls;

type Ads = TestStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

function openAds(server: GrpcFixture, credentials?: ClientPair['credentials']): Ads {
  return new TestStream(server.channel(credentials), ads, DeltaDiscoveryRequest, DeltaDiscoveryResponse);
}

const request = (typeUrl: string, fields: Partial<DeltaDiscoveryRequest> = {}): DeltaDiscoveryRequest => ({
  ...blank(DeltaDiscoveryRequest),
  typeUrl,
  ...fields,
});

/** A node may be used by the identity `spiffe://…/sa/<node id>` and by nobody else. */
function authorize(peer: Peer | undefined, node: ClientNode): Admission {
  if (peer === undefined) {
    return { reject: 'UNAUTHENTICATED', message: 'a client certificate is needed' };
  }
  return peer.spiffeIds.length === 1 && peer.spiffeIds[0]?.endsWith(`/sa/${node.id}`) === true
    ? { accept: node.id }
    : { reject: 'PERMISSION_DENIED', message: `${peer.spiffeIds.join()} may not be ${node.id}` };
}

test('over mutual TLS a client gets what belongs to its certificate, whatever it claims to be', async () => {
  const authority = await TestAuthority.create();
  await using server = await GrpcFixture.start({ authorize }, await authority.serverCredentials());
  for (const key of ['reviews', 'ratings']) {
    server.xds.setSnapshot(key, createSnapshot(1, [opaque(sds, 'default', `key of ${key}`)]));
  }
  const reviews = await authority.client('reviews');
  const own = openAds(server, reviews.credentials);
  own.write(request(sds, { node: nodeOf('reviews'), resourceNamesSubscribe: ['default'] }));
  const [secret] = (await own.next()).resources;
  assert.match(Buffer.from(secret?.resource?.value ?? []).toString(), /key of reviews/);
  assert.deepEqual(server.xds.client('reviews')?.peer?.spiffeIds, [reviews.spiffeId]);

  const foreign = openAds(server, reviews.credentials);
  foreign.write(request(sds, { node: nodeOf('ratings'), resourceNamesSubscribe: ['default'] }));
  assert.equal((await foreign.status).code, 'PERMISSION_DENIED');
  assert.equal(server.xds.client('ratings'), undefined);
});

test('over mutual TLS nobody comes in without a certificate of our authority', async () => {
  const authority = await TestAuthority.create();
  const stranger = await TestAuthority.create();
  const authorized: (Peer | undefined)[] = [];
  await using server = await GrpcFixture.start(
    {
      authorize(peer, node) {
        authorized.push(peer);
        return authorize(peer, node);
      },
    },
    await authority.serverCredentials(),
  );
  const forged = await stranger.client('reviews', authority);
  const none: ClientPair['credentials'] = { kind: 'tls', tls: { ca: authority.rootsPem } };
  for (const credentials of [forged.credentials, none, { kind: 'plaintext' } as const]) {
    const stream = openAds(server, credentials);
    stream.write(request(sds, { node: nodeOf('reviews') }));
    assert.equal((await stream.status).code, 'UNAVAILABLE');
  }
  assert.deepEqual(authorized, [], 'the connection is refused before anything is read');
});

test('a client does not talk to a server that its roots do not vouch for', async () => {
  const authority = await TestAuthority.create();
  const stranger = await TestAuthority.create();
  await using server = await GrpcFixture.start({ authorize }, await stranger.serverCredentials());
  const stream = openAds(server, (await authority.client('reviews')).credentials);
  stream.write(request(cds, { node: nodeOf('reviews') }));
  const status = await stream.status;
  assert.equal(status.code, 'UNAVAILABLE');
  assert.match(status.details, /certificate/);
});

test('an authorization that fails or takes its time is waited for', async () => {
  await using server = await GrpcFixture.start({
    authorize: async (_peer, { id }) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (id === 'broken') {
        throw new Error('the store is away');
      }
      return { accept: id };
    },
  });
  server.xds.setSnapshot('slow', createSnapshot(1, [opaque(cds, 'a'), opaque(sds, 's')]));
  const slow = openAds(server);
  slow.write(request(cds, { node: nodeOf('slow') }));
  slow.write(request(sds, { resourceNamesSubscribe: ['s'] })); // Comes while the first is being decided about.
  const seen = [(await slow.next()).typeUrl, (await slow.next()).typeUrl];
  assert.deepEqual(seen.sort(), [cds, sds].sort());
  const broken = openAds(server);
  broken.write(request(cds, { node: nodeOf('broken') }));
  assert.equal((await broken.status).code, 'UNAVAILABLE');
});

test('bytes that are no request end the stream and nothing else', async () => {
  await using server = await GrpcFixture.start();
  server.xds.setSnapshot('n', createSnapshot(1, [opaque(cds, 'a')]));
  const good = openAds(server);
  good.write(request(cds, { node: nodeOf('n') }));
  await good.next();
  const bad = openAds(server);
  bad.writeBytes(Buffer.from([0xff, 0xff, 0xff]));
  assert.equal((await bad.status).code, 'INVALID_ARGUMENT');
  server.xds.setSnapshot('n', createSnapshot(2, [opaque(sds, 's')]));
  good.write(request(sds, { resourceNamesSubscribe: ['s'] }));
  assert.equal((await good.next()).typeUrl, sds);
});

test('a client that floods the server with requests is cut off', async () => {
  await using server = await GrpcFixture.start({ limits: { requestBurst: 50, requestsPerSecond: 1 } });
  const stream = openAds(server);
  stream.write(request(cds, { node: nodeOf('n') }));
  for (let index = 0; index < 100; index += 1) {
    stream.write(request(cds));
  }
  assert.equal((await stream.status).code, 'RESOURCE_EXHAUSTED');
  assert.deepEqual(server.xds.clients(), []);
});

test('a client may have a few streams and no more', async () => {
  await using server = await GrpcFixture.start({ limits: { maxStreamsPerClient: 2 } });
  server.xds.setSnapshot('n', createSnapshot(1, []));
  const streams = [openAds(server), openAds(server), openAds(server)];
  for (const stream of streams.slice(0, 2)) {
    stream.write(request(cds, { node: nodeOf('n') }));
    await stream.next();
  }
  streams[2]?.write(request(cds, { node: nodeOf('n') }));
  assert.equal((await streams[2]?.status)?.code, 'RESOURCE_EXHAUSTED');
  assert.equal(server.xds.client('n')?.streams, 2);
});

test('a client that is removed has to come back, and finds nothing', async () => {
  await using server = await GrpcFixture.start();
  server.xds.setSnapshot('n', createSnapshot(1, [opaque(cds, 'a')]));
  const stream = openAds(server);
  stream.write(request(cds, { node: nodeOf('n') }));
  await stream.next();
  server.xds.removeClient('n');
  assert.equal((await stream.status).code, 'UNAVAILABLE');
  const again = openAds(server);
  again.write(request(cds, { node: nodeOf('n') }));
  await eventually(() => server.xds.client('n')?.types.get(cds)?.status === 'NOT_SENT', { what: 'it is connected' });
});

test('an older snapshot does not replace a newer one', async () => {
  await using server = await GrpcFixture.start();
  server.xds.setSnapshot('n', createSnapshot(2, [opaque(cds, 'new')]));
  server.xds.setSnapshot('n', createSnapshot(1, [opaque(cds, 'old')]));
  const stream = openAds(server);
  stream.write(request(cds, { node: nodeOf('n') }));
  assert.deepEqual(
    (await stream.next()).resources.map(({ name }) => name),
    ['new'],
  );
});

test('the state of clients (CSDS) is for those who may read it', async () => {
  await using closed = await GrpcFixture.start();
  const refused = new TestStream(closed.channel(), csds, ClientStatusRequest, ClientStatusResponse);
  refused.write(blank(ClientStatusRequest));
  assert.equal((await refused.status).code, 'PERMISSION_DENIED');
});

test('CSDS tells of each resource what the client has, and never the content of a secret', async () => {
  await using server = await GrpcFixture.start({ authorizeStatus: () => true });
  server.xds.setSnapshot(
    'n',
    createSnapshot(1, [opaque(cds, 'good', 'x'), opaque(cds, 'bad'), opaque(sds, 's', 'key')]),
  );
  const stream = openAds(server);
  stream.write(request(cds, { node: nodeOf('n') }));
  const clusters = await stream.next();
  const errorDetail = { code: 3, message: 'bad: is wrong', details: [] };
  stream.write(request(cds, { responseNonce: clusters.nonce, errorDetail }));
  stream.write(request(sds, { resourceNamesSubscribe: ['s'] }));
  stream.write(request(sds, { responseNonce: (await stream.next()).nonce }));
  await eventually(() => server.xds.client('n')?.types.get(sds)?.status === 'SYNCED', { what: 'acknowledged' });

  const status = new TestStream(server.channel(), csds, ClientStatusRequest, ClientStatusResponse);
  const nodeId = { matchPattern: { $case: 'exact' as const, value: 'n' }, ignoreCase: false };
  status.write({ ...blank(ClientStatusRequest), nodeMatchers: [{ nodeId, nodeMetadatas: [] }] });
  const [config] = (await status.next()).config;
  const by = new Map(config?.genericXdsConfigs.map((resource) => [resource.name, resource]));
  assert.equal(config?.node?.id, 'n');
  assert.deepEqual(
    ['good', 'bad', 's'].map((name) => [by.get(name)?.configStatus, by.get(name)?.clientStatus]),
    [
      [ConfigStatus.SYNCED, ClientResourceStatus.ACKED],
      [ConfigStatus.ERROR, ClientResourceStatus.NACKED],
      [ConfigStatus.SYNCED, ClientResourceStatus.ACKED],
    ],
  );
  assert.equal(by.get('bad')?.errorState?.details, 'bad: is wrong');
  assert.notEqual(by.get('good')?.xdsConfig, undefined);
  assert.equal(by.get('s')?.xdsConfig, undefined);

  const prefix = { matchPattern: { $case: 'prefix' as const, value: 'n' }, ignoreCase: false };
  status.write({ ...blank(ClientStatusRequest), nodeMatchers: [{ nodeId: prefix, nodeMetadatas: [] }] });
  assert.equal((await status.status).code, 'INVALID_ARGUMENT');
});

test('load reports (LRS) reach the callback with the client that was authenticated', async () => {
  const authority = await TestAuthority.create();
  const reports: { key: string; peer: readonly string[] | undefined; report: LoadReport }[] = [];
  await using server = await GrpcFixture.start(
    {
      authorize,
      onLoadReport: ({ key, peer }, report) => reports.push({ key, peer: peer?.spiffeIds, report }),
    },
    await authority.serverCredentials(),
  );
  const reviews = await authority.client('reviews');
  const stream = new TestStream(server.channel(reviews.credentials), lrs, LoadStatsRequest, LoadStatsResponse);
  stream.write({ node: nodeOf('reviews'), clusterStats: [] });
  const wanted = await stream.next();
  assert.equal(wanted.sendAllClusters, true);
  assert.equal(wanted.reportEndpointGranularity, true);
  assert.deepEqual(wanted.loadReportingInterval, { seconds: 2n, nanos: 0 });
  stream.write({ node: undefined, clusterStats: [{ ...blank(ClusterStats), clusterName: 'ratings' }] });
  await eventually(() => reports.length > 0, { what: 'the report', intervalMs: 2 });
  assert.deepEqual([reports[0]?.key, reports[0]?.peer], ['reviews', [reviews.spiffeId]]);
  assert.equal(reports[0]?.report.clusters[0]?.clusterName, 'ratings');

  const foreign = new TestStream(server.channel(reviews.credentials), lrs, LoadStatsRequest, LoadStatsResponse);
  foreign.write({ node: nodeOf('ratings'), clusterStats: [] });
  assert.equal((await foreign.status).code, 'PERMISSION_DENIED');

  for (let index = 0; index < 100; index += 1) {
    stream.write({ node: undefined, clusterStats: [] });
  }
  assert.equal((await stream.status).code, 'RESOURCE_EXHAUSTED');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListenerConfig } from '../src/runtime-config/config.ts';
import { Exposition, formatLabels } from '../src/stats/exposition.ts';
import { BUCKET_BOUNDS, Histogram } from '../src/stats/histogram.ts';
import { IstioMetrics, MAX_SERIES } from '../src/stats/istio-metrics.ts';
import { SeriesStore } from '../src/stats/series-store.ts';
import { downstreamPeerLabels, ownLabels } from '../src/stats/workload-labels.ts';
import { noConnection, StreamInfo, type TlsFacts } from '../src/stream-info.ts';

const listener = { name: 'l', direction: 'inbound' } as ListenerConfig;

function tls(peerUri: string, peerVerified = true): TlsFacts {
  return {
    version: 'TLSv1.3',
    cipher: '',
    sni: '',
    alpn: '',
    peerVerified,
    peerUri,
    peerUris: [peerUri],
    peerDnsNames: [],
    peerSubject: '',
    peerCertificateSha256: '',
    localUri: '',
    resumed: false,
    notAfterMs: Number.POSITIVE_INFINITY,
  };
}

test('histograms are cumulative, with the bounds of Envoy and a sum', () => {
  const histogram = new Histogram();
  for (const value of [0.2, 0.5, 3, 4_000_000]) {
    histogram.record(value);
  }
  const out = new Exposition();
  out.histogram('x', '{a="b"}', histogram);
  const lines = out.toString().split('\n');
  assert.equal(lines[0], 'x_bucket{a="b",le="0.5"} 2');
  assert.equal(lines[2], 'x_bucket{a="b",le="5"} 3');
  assert.equal(lines[BUCKET_BOUNDS.length], 'x_bucket{a="b",le="+Inf"} 4');
  assert.deepEqual(lines.slice(-3), ['x_sum{a="b"} 4000003.7', 'x_count{a="b"} 4', '']);
});

test('labels are escaped', () => {
  assert.equal(formatLabels([['a', 'x"y\\z\nw']]), '{a="x\\"y\\\\z\\nw"}');
  assert.equal(formatLabels([]), '');
});

test('a store of series stays within its limit and drops what was not used for longest', () => {
  const store = new SeriesStore<{ count: number }>(100);
  for (let index = 0; index < 1000; index += 1) {
    store.get('kept', () => ({ count: 0 })).count += 1;
    store.get(`one ${index}`, () => ({ count: 0 }));
  }
  assert.ok(store.size <= 100);
  assert.equal(store.get('kept', () => ({ count: 0 })).count, 1000);
  assert.ok(store.evicted > 800);
});

test('a series that is kept by its user is found again until it was dropped', () => {
  const store = new SeriesStore<{ count: number }>(10);
  const kept = store.find('kept', () => ({ count: 0 }));
  const other = store.find('other', () => ({ count: 0 }));
  for (let index = 0; index < 50; index += 1) {
    assert.ok(store.use(kept));
    store.get(`one ${index}`, () => ({ count: 0 }));
  }
  assert.equal(
    store.find('kept', () => ({ count: 0 })),
    kept,
  );
  assert.equal(store.use(other), false);
  store.deleteWhere((key) => key === 'kept');
  assert.equal(store.use(kept), false);
});

test('requests of one pair of peers are counted by how they end', () => {
  const metrics = new IstioMetrics(ownLabels({ NAME: 'w' }), '1');
  const info = new StreamInfo();
  const ends = [
    { responseCode: 200 },
    { responseCode: 503 },
    { responseCode: 503, responseFlags: 2 },
    { responseCode: 200, isGrpc: true },
  ];
  for (let index = 0; index < 40; index += 1) {
    info.reset();
    Object.assign(info, ends[(index >> 1) % ends.length]);
    metrics.streamEnded(info, listener);
  }
  const out = new Exposition();
  metrics.write(out);
  const counts = out
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('istio_requests_total{'))
    .map((line) => line.slice(line.lastIndexOf(' ') + 1));
  assert.deepEqual(counts, ['10', '10', '10', '10']);
});

test('a peer that comes with ever new identities and codes cannot fill the memory', () => {
  const metrics = new IstioMetrics(ownLabels({ NAME: 'w' }), '1');
  const info = new StreamInfo();
  for (let index = 0; index < 3 * MAX_SERIES; index += 1) {
    info.reset();
    info.downstream = { ...noConnection, tls: tls(`spiffe://cluster.local/ns/n/sa/a${index}`) };
    info.responseCode = 200;
    metrics.streamEnded(info, listener);
  }
  assert.ok(metrics.seriesCount <= MAX_SERIES);
  assert.ok(metrics.evictedCount >= MAX_SERIES);
});

test('no series stands twice in the metrics, however many peers came and went', () => {
  const metrics = new IstioMetrics(ownLabels({ NAME: 'w' }), '1');
  const info = new StreamInfo();
  const request = (account: string): void => {
    info.reset();
    info.downstream = { ...noConnection, tls: tls(`spiffe://cluster.local/ns/n/sa/${account}`) };
    info.responseCode = 200;
    metrics.streamEnded(info, listener);
  };
  for (let index = 0; index < 4 * MAX_SERIES; index += 1) {
    request('kept');
    request(`a${index}`);
  }
  const out = new Exposition();
  metrics.write(out);
  const kept = out
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('istio_requests_total{') && line.includes('/sa/kept"'));
  assert.equal(kept.length, 1);
  assert.match(kept[0] ?? '', new RegExp(` ${4 * MAX_SERIES}$`));
});

test('only what TLS proved is said of a peer that connected to us', () => {
  const proven = downstreamPeerLabels(tls('spiffe://cluster.local/ns/shop/sa/web'));
  assert.equal(proven.principal, 'spiffe://cluster.local/ns/shop/sa/web');
  assert.equal(proven.namespace, 'shop');
  assert.equal(proven.workload, 'unknown');
  assert.equal(downstreamPeerLabels(tls('spiffe://cluster.local/ns/shop/sa/web', false)).principal, 'unknown');
  assert.equal(downstreamPeerLabels(undefined).namespace, 'unknown');
});

test('a grpc status that is no number of gRPC is left out', () => {
  const metrics = new IstioMetrics(ownLabels({}), '1');
  const info = new StreamInfo();
  const view = (fields: Readonly<Record<string, string>>) => ({
    get: (name: string) => fields[name],
    forEach: () => {},
  });
  info.isGrpc = true;
  for (const status of ['14', '14"} evil', '999']) {
    info.responseTrailers = view({ 'grpc-status': status });
    metrics.streamEnded(info, listener);
  }
  const out = new Exposition();
  metrics.write(out);
  const lines = out
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('istio_requests_total{'));
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /request_protocol="grpc".*grpc_response_status="14".* 1$/);
  assert.match(lines[1] ?? '', /grpc_response_status="".* 2$/);
});

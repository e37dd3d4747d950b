import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, findPeer, freePort, peerSkip, startBackground } from '@weft/testkit';
import { statsConfig } from './stats-tags.ts';

const extensions = 'type.googleapis.com/envoy.extensions';
const hosts = ['hello.default.svc.cluster.local', 'api.internal.example.com', 'ssl.http2.example.org', 'plain'];
const clusters = [...hosts.map((host) => `outbound|80|v1|${host}`), 'inbound|8080||'];
const prefix = 'upstream|80||hello.default.svc.cluster.local';

function cluster(name: string) {
  const socket = { '@type': `${extensions}.transport_sockets.tls.v3.UpstreamTlsContext` };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    transport_socket_matches: [
      {
        name: 'tlsMode-istio',
        match: { tlsMode: 'istio' },
        transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: socket },
      },
    ],
    outlier_detection: {},
    load_assignment: { cluster_name: name, endpoints: [] },
  };
}

function httpListener(port: number) {
  const router = { '@type': `${extensions}.filters.http.router.v3.Router` };
  const manager = {
    '@type': `${extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: prefix,
    route_config: {
      virtual_hosts: [
        {
          name: 'reviews.shop:80',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, stat_prefix: 'check.out', route: { cluster: clusters[0] } }],
        },
      ],
    },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: router }],
  };
  return {
    name: 'http',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

test("names with dots come whole out of Envoy's metrics", { skip: peerSkip('envoy') }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-stats-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const bootstrap = {
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    stats_config: statsConfig,
    static_resources: { clusters: clusters.map(cluster), listeners: [httpListener(port)] },
  };
  const file = join(folder, 'envoy.json');
  const addressFile = join(folder, 'admin');
  writeFileSync(file, JSON.stringify(bootstrap));
  const envoy = startBackground(findPeer('envoy') ?? '', [
    ...['-c', file, '--use-dynamic-base-id', '--admin-address-path', addressFile, '--concurrency', '1', '-l', 'error'],
  ]);
  t.after(() => envoy.stop());
  await eventually(() => existsSync(addressFile) && readFileSync(addressFile, 'utf8') !== '', {
    what: `Envoy is up: ${envoy.output()}`,
  });
  const admin = `http://${readFileSync(addressFile, 'utf8')}`;
  await eventually(() => fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status === 503), {
    what: 'an answer of the listener',
  });
  const text = await (await fetch(`${admin}/stats/prometheus`)).text();
  const names = new Set([...text.matchAll(/envoy_cluster_name="([^"]*)"/g)].map(([, name]) => name));
  assert.deepEqual([...names].sort(), clusters.toSorted());
  const mangled = text
    .split('\n')
    .filter((line) => /^(?:envoy_)?[a-z0-9_]*(?:outbound|inbound|upstream)_\d/.test(line));
  assert.deepEqual(mangled, []);
  assert.match(
    text,
    /envoy_cluster_external_upstream_rq\{(?=[^}]*envoy_response_code="503")[^}]*envoy_cluster_name="outbound\|80\|v1\|hello\.default\.svc\.cluster\.local"[^}]*\} [1-9]/,
  );
  assert.match(
    text,
    /envoy_vhost_route_upstream_rq\{(?=[^}]*envoy_response_code="503")(?=[^}]*envoy_virtual_host="reviews\.shop:80")[^}]*envoy_route="check\.out"[^}]*\} [1-9]/,
  );
  assert.match(
    text,
    /envoy_http_downstream_rq_xx\{(?=[^}]*envoy_response_code_class="5")[^}]*envoy_http_conn_manager_prefix="upstream\|80\|\|hello\.default\.svc\.cluster\.local"[^}]*\} [1-9]/,
  );
});

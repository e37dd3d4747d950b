import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClusterConfig, ListenerConfig } from '../src/runtime-config/config.ts';
import { clusterFromXds } from '../src/runtime-config/from-xds/cluster.ts';
import { listenerFromXds } from '../src/runtime-config/from-xds/listener.ts';
import { Cluster } from '../src/runtime-config/wire/cluster-schema.ts';
import { Listener } from '../src/runtime-config/wire/listener-schema.ts';
import { parseJsonMessage } from '../src/runtime-config/wire/parse-json.ts';
import { Problems } from '../src/runtime-config/wire/problems.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';

const type = 'type.googleapis.com/envoy.extensions';

const tcpProxy = (fields: JsonObject = {}): JsonObject => ({
  name: 'tcp',
  typed_config: {
    '@type': `${type}.filters.network.tcp_proxy.v3.TcpProxy`,
    stat_prefix: 'tcp',
    cluster: 'up',
    ...fields,
  },
});

const listenerFilter = (name: string, fields: JsonObject = {}): JsonObject => ({
  name,
  typed_config: { '@type': `${type}.filters.listener.${name}`, ...fields },
});
const proxyProtocol = (fields: JsonObject = {}): JsonObject =>
  listenerFilter('proxy_protocol.v3.ProxyProtocol', fields);
const rateType = 'local_ratelimit.v3.LocalRateLimit';
const rate = (bucket: JsonObject, fields: JsonObject = {}): JsonObject =>
  listenerFilter(rateType, {
    stat_prefix: 'r',
    token_bucket: { max_tokens: 2, fill_interval: '1s', ...bucket },
    ...fields,
  });
const tlsInspector = listenerFilter('tls_inspector.v3.TlsInspector');
const httpInspector = listenerFilter('http_inspector.v3.HttpInspector');

function listenerOf(fields: JsonObject): { readonly listener: ListenerConfig; readonly problems: readonly string[] } {
  const problems = new Problems();
  const json = {
    name: 'l',
    address: { socket_address: { address: '127.0.0.1', port_value: 1 } },
    filter_chains: [{ filters: [tcpProxy()] }],
    ...fields,
  };
  const { listener } = listenerFromXds(parseJsonMessage(Listener, json, problems), 'v', problems);
  return { listener, problems: problems.lines() };
}

function transportSocketOf(typedConfig: JsonObject): {
  readonly socket: ClusterConfig['transportSocket'];
  readonly problems: readonly string[];
} {
  const problems = new Problems();
  const json = {
    name: 'up',
    type: 'STATIC',
    load_assignment: { cluster_name: 'up' },
    transport_socket: { name: 'x', typed_config: typedConfig },
  };
  const { transportSocket } = clusterFromXds(parseJsonMessage(Cluster, json, problems), 'v', problems);
  return { socket: transportSocket, problems: problems.lines() };
}

describe('listener filters', () => {
  it('are known, with what they leave out', () => {
    const { listener, problems } = listenerOf({
      listener_filters: [proxyProtocol(), httpInspector, tlsInspector],
      listener_filters_timeout: '0.1s',
      continue_on_listener_filters_timeout: true,
      per_connection_buffer_limit_bytes: 4096,
      tcp_backlog_size: 7,
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(listener.proxyProtocol, { allowWithoutHeader: false, refusedVersions: [] });
    assert.equal(listener.httpInspector, true);
    assert.equal(listener.tlsInspector, true);
    assert.equal(listener.listenerFiltersTimeoutMs, 100);
    assert.equal(listener.continueOnListenerFiltersTimeout, true);
    assert.equal(listener.bufferLimitBytes, 4096);
    assert.equal(listener.backlog, 7);
  });

  it('are off when they are not named', () => {
    const { listener } = listenerOf({});
    assert.equal(listener.proxyProtocol, undefined);
    assert.equal(listener.httpInspector, false);
    assert.equal(listener.tlsInspector, false);
    assert.equal(listener.listenerFiltersTimeoutMs, 15_000);
    assert.equal(listener.continueOnListenerFiltersTimeout, false);
    assert.equal(listener.bufferLimitBytes, 1024 * 1024);
  });

  it('of the rate of connections stand before the PROXY protocol', () => {
    const { listener, problems } = listenerOf({ listener_filters: [rate({}), proxyProtocol()] });
    assert.deepEqual(problems, []);
    assert.deepEqual(listener.connectionRate, { maxTokens: 2, tokensPerFill: 1, fillIntervalMs: 1000 });
  });

  it('of the PROXY protocol may be optional and of one version', () => {
    const { listener, problems } = listenerOf({
      listener_filters: [proxyProtocol({ allow_requests_without_proxy_protocol: true, disallowed_versions: ['V1'] })],
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(listener.proxyProtocol, { allowWithoutHeader: true, refusedVersions: [1] });
  });

  it('that cannot do what they say are refused by name', () => {
    for (const [filters, problem] of [
      [[tlsInspector, proxyProtocol()], /listener_filters\[1\]: must be the first listener filter/],
      [[tlsInspector, tlsInspector], /listener_filters\[1\]\.typed_config: is there twice/],
      [[proxyProtocol({ disallowed_versions: ['V1', 'V2'] })], /disallowed_versions: both versions are refused/],
      [[proxyProtocol({ rules: [{ tlv_type: 1 }] })], /rules: not supported/],
      [[proxyProtocol({ pass_through_tlvs: {} })], /pass_through_tlvs: not supported/],
      [[tlsInspector, rate({})], /listener_filters\[1\]: must be the first listener filter/],
      [[rate({ max_tokens: 0 })], /typed_config\.token_bucket\.max_tokens: must be above 0/],
      [[rate({ tokens_per_fill: 0 })], /token_bucket\.tokens_per_fill: must be above 0/],
      [[rate({ fill_interval: '0.01s' })], /token_bucket\.fill_interval: must be at least 50 ms/],
      [[listenerFilter(rateType, { stat_prefix: 'r' })], /typed_config\.token_bucket: required/],
      [[rate({}, { stat_prefix: '' })], /typed_config\.stat_prefix: required/],
      [[rate({}, { runtime_enabled: { runtime_key: 'x' } })], /runtime_enabled\.default_value: required/],
      [[listenerFilter('original_dst.v3.OriginalDst')], /original_dst/],
      [[{ name: 'x' }], /listener_filters\[0\]\.typed_config: required/],
    ] as const) {
      const { problems } = listenerOf({ listener_filters: filters });
      assert.match(problems[0] ?? '', problem);
    }
    assert.match(listenerOf({ tcp_backlog_size: 0 }).problems[0] ?? '', /tcp_backlog_size: must be above 0/);
  });
});

describe('addresses of listeners', () => {
  it('are IPv6, of both families, or a Unix socket with permissions', () => {
    for (const [address, expected] of [
      [{ socket_address: { address: '::1', port_value: 80 } }, { kind: 'ip', address: '::1', port: 80 }],
      [
        { socket_address: { address: '::', port_value: 80, ipv4_compat: true } },
        { kind: 'ip', address: '::', port: 80, ipv4Compat: true },
      ],
      [{ pipe: { path: '/run/a.sock' } }, { kind: 'pipe', path: '/run/a.sock' }],
      [{ pipe: { path: '/run/a.sock', mode: 0o600 } }, { kind: 'pipe', path: '/run/a.sock', mode: 0o600 }],
    ] as const) {
      const { listener, problems } = listenerOf({ address });
      assert.deepEqual(problems, []);
      assert.deepEqual(listener.address, expected);
    }
  });

  it('that cannot be bound as they say are refused', () => {
    for (const [address, problem] of [
      [{ pipe: { path: '@abstract' } }, /an abstract socket is not supported/],
      [{ pipe: { path: '' } }, /must be a path of 1 to 107 bytes/],
      [{ pipe: { path: `/${'x'.repeat(107)}` } }, /must be a path of 1 to 107 bytes/],
      [{ pipe: { path: '/a', mode: 0o1777 } }, /permissions/],
      [{ socket_address: { address: '127.0.0.1', port_value: 1, ipv4_compat: true } }, /ipv4_compat/],
      [{ socket_address: { address: 'localhost', port_value: 1 } }, /is not an IP address/],
    ] as const) {
      assert.match(listenerOf({ address }).problems[0] ?? '', problem);
    }
  });
});

describe('the TCP proxy', () => {
  const filterOf = (fields: JsonObject) => {
    const { listener, problems } = listenerOf({ filter_chains: [{ filters: [tcpProxy(fields)] }] });
    return { filter: listener.filterChains[0]?.filter, problems };
  };

  it('may end connections of an age', () => {
    const { filter } = filterOf({ max_downstream_connection_duration: '2.5s' });
    assert.equal(filter?.kind === 'tcp-proxy' && filter.maxConnectionDurationMs, 2500);
    const { filter: without } = filterOf({});
    assert.equal(without?.kind === 'tcp-proxy' && without.maxConnectionDurationMs, 0);
    assert.match(
      filterOf({ max_downstream_connection_duration: '0s' }).problems[0] ?? '',
      /max_downstream_connection_duration: must be at least 1 ms/,
    );
  });
});

describe('the PROXY protocol to an upstream', () => {
  const upstream = `${type}.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport`;
  const raw = { name: 'raw', typed_config: { '@type': `${type}.transport_sockets.raw_buffer.v3.RawBuffer` } };

  it('goes before plaintext or TLS, version 1 where none is named', () => {
    assert.deepEqual(transportSocketOf({ '@type': upstream, transport_socket: raw }), {
      socket: { kind: 'raw', proxyProtocol: 1 },
      problems: [],
    });
    const two = transportSocketOf({ '@type': upstream, config: { version: 'V2' }, transport_socket: raw });
    assert.deepEqual(two.socket, { kind: 'raw', proxyProtocol: 2 });
  });

  it('needs what it goes before, and passes no TLVs on', () => {
    assert.match(transportSocketOf({ '@type': upstream }).problems[0] ?? '', /transport_socket: required/);
    const tlvs = { '@type': upstream, transport_socket: raw, config: { pass_through_tlvs: {} } };
    assert.match(transportSocketOf(tlvs).problems[0] ?? '', /pass_through_tlvs: not supported/);
    const nested = { '@type': upstream, transport_socket: { name: 'x', typed_config: { '@type': upstream } } };
    assert.ok(transportSocketOf(nested).problems.length > 0);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterConfig, RuntimeConfig } from '../src/runtime-config/config.ts';
import { runtimeConfigFromStatic } from '../src/runtime-config/static-resources.ts';
import type { JsonObject } from '../src/runtime-config/wire/schema.ts';

/** What xDS says about HTTP/2, and what of it is refused. */

const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function convert(parts: {
  readonly cluster?: JsonObject;
  readonly manager?: JsonObject;
  readonly route?: JsonObject;
}): { readonly ok: RuntimeConfig } | { readonly problems: readonly string[] } {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'test',
    route_config: {
      name: 'r',
      virtual_hosts: [
        { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'c', ...parts.route } }] },
      ],
    },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
    ...parts.manager,
  };
  return runtimeConfigFromStatic({
    listeners: [
      {
        name: 'l',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
      },
    ],
    clusters: [
      {
        name: 'c',
        type: 'STATIC',
        load_assignment: { cluster_name: 'c' },
        ...(parts.cluster === undefined
          ? {}
          : {
              typed_extension_protocol_options: {
                [httpOptions]: { '@type': `type.googleapis.com/${httpOptions}`, ...parts.cluster },
              },
            }),
      },
    ],
    routes: [],
    endpoints: [],
    secrets: [],
  });
}

function accepted(parts: Parameters<typeof convert>[0]): RuntimeConfig {
  const result = convert(parts);
  assert.ok('ok' in result, JSON.stringify(result));
  return result.ok;
}

function upstreamOf(cluster: JsonObject): ClusterConfig['upstreamHttp'] {
  const found = accepted({ cluster }).clusters.get('c');
  assert.ok(found !== undefined);
  return found.upstreamHttp;
}

test('the four ways to choose the protocol of an upstream', () => {
  assert.equal(upstreamOf({ explicit_http_config: { http_protocol_options: {} } }).protocol, 'http1');
  assert.equal(upstreamOf({ explicit_http_config: { http2_protocol_options: {} } }).protocol, 'http2');
  assert.equal(upstreamOf({ auto_config: {} }).protocol, 'auto');
  assert.equal(upstreamOf({ use_downstream_protocol_config: {} }).protocol, 'use-downstream');
  assert.equal(accepted({}).clusters.get('c')?.upstreamHttp.protocol, 'http1');
});

test('HTTP/2 options of a cluster, and their defaults', () => {
  assert.deepEqual(
    upstreamOf({
      common_http_protocol_options: { max_connection_duration: '60s', max_requests_per_connection: 7 },
      explicit_http_config: {
        http2_protocol_options: {
          max_concurrent_streams: 50,
          initial_stream_window_size: 1_048_576,
          initial_connection_window_size: 2_097_152,
          hpack_table_size: 8192,
          allow_connect: true,
          connection_keepalive: { interval: '30s', timeout: '5s', interval_jitter: { value: 10 } },
        },
      },
    }),
    {
      protocol: 'http2',
      idleTimeoutMs: 3_600_000,
      maxRequestsPerConnection: 7,
      maxConnectionDurationMs: 60_000,
      http2: {
        maxConcurrentStreams: 50,
        initialStreamWindowBytes: 1_048_576,
        initialConnectionWindowBytes: 2_097_152,
        headerTableSizeBytes: 8192,
        allowConnect: true,
        keepaliveIntervalMs: 30_000,
        keepaliveTimeoutMs: 5000,
        keepaliveJitterPercent: 10,
      },
    },
  );
  const defaults = upstreamOf({ auto_config: {} }).http2;
  assert.equal(defaults.maxConcurrentStreams, 1024);
  assert.equal(defaults.initialStreamWindowBytes, 256 * 1024);
  assert.equal(defaults.keepaliveIntervalMs, 0);
});

test('codec type and HTTP/2 options of a listener', () => {
  const codecOf = (manager: JsonObject): string => {
    const filter = accepted({ manager }).listeners.get('l')?.filterChains[0]?.filter;
    assert.equal(filter?.kind, 'http-connection-manager');
    return filter.kind === 'http-connection-manager'
      ? `${filter.codec} ${filter.http2.maxConcurrentStreams} ${filter.http2.allowConnect} ${filter.maxStreamDurationMs}`
      : '';
  };
  assert.equal(codecOf({}), 'auto 100 false 0');
  assert.equal(codecOf({ codec_type: 'HTTP1' }), 'http1 100 false 0');
  const manager = {
    codec_type: 'HTTP2',
    http2_protocol_options: { max_concurrent_streams: 7, allow_connect: true },
    common_http_protocol_options: { max_stream_duration: '3s' },
  };
  assert.equal(codecOf(manager), 'http2 7 true 3000');
});

test('the longest life of a request, and grpc-timeout', () => {
  const config = accepted({
    route: {
      max_stream_duration: {
        max_stream_duration: '10s',
        grpc_timeout_header_max: '0s',
        grpc_timeout_header_offset: '0.05s',
      },
    },
  });
  const [table] = config.routes.values();
  const action = table?.virtualHosts[0]?.routes[0]?.action;
  assert.deepEqual(action?.kind === 'forward' ? action.forward.maxStreamDuration : undefined, {
    maxMs: 10_000,
    grpcTimeoutMaxMs: 0,
    grpcTimeoutOffsetMs: 50,
  });
});

test('gRPC-Web is a filter before the router', () => {
  const type = 'type.googleapis.com/envoy.extensions.filters.http';
  const filters = [
    { name: 'web', typed_config: { '@type': `${type}.grpc_web.v3.GrpcWeb` } },
    { name: 'router', typed_config: { '@type': `${type}.router.v3.Router` } },
  ];
  const filter = accepted({ manager: { http_filters: filters } }).listeners.get('l')?.filterChains[0]?.filter;
  assert.deepEqual(filter?.kind === 'http-connection-manager' ? filter.httpFilters : [], [
    { kind: 'grpc-web', name: 'web', disabled: false },
    { kind: 'router', name: 'router', disabled: false },
  ]);
});

test('what is out of range or not supported is refused by name', () => {
  const refusal = (options: JsonObject): string => {
    const result = convert({ cluster: { explicit_http_config: { http2_protocol_options: options } } });
    return 'problems' in result ? result.problems.join('\n') : 'accepted';
  };
  assert.match(refusal({ max_concurrent_streams: 0 }), /max_concurrent_streams: must be from 1 to 2147483647/);
  assert.match(refusal({ initial_stream_window_size: 1000 }), /initial_stream_window_size: must be from 65535/);
  assert.match(refusal({ initial_connection_window_size: 4_000_000_000 }), /initial_connection_window_size: must be/);
  assert.match(refusal({ hpack_table_size: 1_000_000 }), /hpack_table_size: must be from 0 to 65536/);
  assert.match(refusal({ max_outbound_frames: 5 }), /max_outbound_frames/);
  assert.equal(refusal({ max_outbound_frames: 10_000 }), 'accepted');
  assert.match(refusal({ override_stream_error_on_invalid_http_message: false }), /override_stream_error/);
  assert.equal(refusal({ override_stream_error_on_invalid_http_message: true }), 'accepted');
  assert.match(refusal({ connection_keepalive: { interval: '1s' } }), /connection_keepalive\.timeout: must be/);
  assert.match(
    refusal({ connection_keepalive: { interval: '1s', timeout: '1s', connection_idle_interval: '1s' } }),
    /connection_idle_interval/,
  );
  assert.match(refusal({ custom_settings_parameters: [{ identifier: 1, value: 1 }] }), /custom_settings_parameters/);
  assert.match(refusal({ allow_metadata: true }), /allow_metadata/);
});

/** Active health checks. */

import { HeaderValueOption } from './core-schema.ts';
import { Int64Range, StringMatcher } from './matcher-schema.ts';
import {
  bool,
  boolValue,
  bytes,
  duration,
  enumeration,
  message,
  nested,
  optional,
  repeated,
  string,
  struct,
  uint32,
  uint32Value,
  uint64Value,
} from './schema.ts';

export const HealthCheckPayload = message(
  'envoy.config.core.v3.HealthCheck.Payload',
  { text: optional(string(1)), binary: optional(bytes(2)) },
  '',
  [['text', 'binary']],
);

export const HttpHealthCheck = message(
  'envoy.config.core.v3.HealthCheck.HttpHealthCheck',
  {
    host: string(1),
    path: string(2),
    receive: repeated(nested(4, HealthCheckPayload)),
    request_headers_to_add: repeated(nested(6, HeaderValueOption)),
    request_headers_to_remove: repeated(string(8)),
    expected_statuses: repeated(nested(9, Int64Range)),
    codec_client_type: enumeration(10, 'HTTP1=0 HTTP2=1 HTTP3=2'),
    service_name_matcher: nested(11, StringMatcher),
    retriable_statuses: repeated(nested(12, Int64Range)),
    method: enumeration(
      13,
      'METHOD_UNSPECIFIED=0 GET=1 HEAD=2 POST=3 PUT=4 DELETE=5 CONNECT=6 OPTIONS=7 TRACE=8 PATCH=9',
    ),
    response_buffer_size: uint64Value(14),
  },
  '3:send',
);

export const TcpHealthCheck = message(
  'envoy.config.core.v3.HealthCheck.TcpHealthCheck',
  { send: nested(1, HealthCheckPayload), receive: repeated(nested(2, HealthCheckPayload)) },
  '3:proxy_protocol_config',
);

export const GrpcHealthCheck = message('envoy.config.core.v3.HealthCheck.GrpcHealthCheck', {
  service_name: string(1),
  authority: string(2),
  initial_metadata: repeated(nested(3, HeaderValueOption)),
});

export const HealthCheckTlsOptions = message('envoy.config.core.v3.HealthCheck.TlsOptions', {
  alpn_protocols: repeated(string(1)),
});

export const HealthCheck = message(
  'envoy.config.core.v3.HealthCheck',
  {
    timeout: duration(1),
    interval: duration(2),
    interval_jitter: duration(3),
    unhealthy_threshold: uint32Value(4),
    healthy_threshold: uint32Value(5),
    reuse_connection: boolValue(7),
    http_health_check: nested(8, HttpHealthCheck),
    tcp_health_check: nested(9, TcpHealthCheck),
    grpc_health_check: nested(11, GrpcHealthCheck),
    no_traffic_interval: duration(12),
    unhealthy_interval: duration(14),
    unhealthy_edge_interval: duration(15),
    healthy_edge_interval: duration(16),
    interval_jitter_percent: uint32(18),
    always_log_health_check_failures: bool(19),
    initial_jitter: duration(20),
    tls_options: nested(21, HealthCheckTlsOptions),
    transport_socket_match_criteria: struct(23),
    no_traffic_healthy_interval: duration(24),
    always_log_health_check_success: bool(26),
  },
  '6:alt_port 13:custom_health_check 17:event_log_path 22:event_service 25:event_logger',
  [['http_health_check', 'tcp_health_check', 'grpc_health_check']],
);

import type { HeaderAddition } from '../config.ts';
import type {
  EndpointHealthCheck,
  GrpcHealthCheck,
  HealthCheckConfig,
  HttpHealthCheck,
  StatusRange,
  TcpHealthCheck,
} from '../health-check.ts';
import type { HeaderValueOption } from '../wire/core-schema.ts';
import type { EndpointHealthCheckConfig } from '../wire/endpoint-schema.ts';
import type {
  GrpcHealthCheck as GrpcSchema,
  HealthCheck,
  HealthCheckPayload,
  HttpHealthCheck as HttpSchema,
  TcpHealthCheck as TcpSchema,
} from '../wire/health-check-schema.ts';
import type { Int64Range } from '../wire/matcher-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { addressFromXds } from './address.ts';
import { checkHeaderName, headerAdditionFromXds } from './header-edits.ts';
import { labelsFromStruct } from './metadata.ts';
import { stringMatchFromXds } from './string-match.ts';

/** `HealthCheck.no_traffic_interval`, "The default value for \"no traffic interval\" is 60 seconds". */
const DEFAULT_NO_TRAFFIC_INTERVAL_MS = 60_000;
/** `HttpHealthCheck.response_buffer_size` */
const DEFAULT_SEARCHED_BYTES = 1024;
/** What "the entire response" is at most, so that no upstream can fill our memory. */
const MAX_SEARCHED_BYTES = 1024 * 1024;

/** `envoy.config.core.v3.HealthCheck`. @param speaksHttp2 whether the cluster does, which checks by gRPC need. */
export function healthCheckFromXds(
  check: Decoded<typeof HealthCheck>,
  speaksHttp2: boolean,
  problems: Problems,
): HealthCheckConfig {
  const above0 = (name: keyof typeof check, fallback: number | undefined): number => {
    const value = check[name] as number | undefined;
    if ((value === undefined && fallback === undefined) || (value !== undefined && value <= 0)) {
      problems.add('must be above 0', name);
    }
    return value ?? fallback ?? 1;
  };
  const threshold = (name: 'unhealthy_threshold' | 'healthy_threshold'): number => {
    const value = check[name];
    if (value === undefined) {
      problems.add('required', name);
    }
    return Math.max(1, value ?? 1);
  };
  const intervalMs = above0('interval', undefined);
  const noTrafficIntervalMs = above0('no_traffic_interval', DEFAULT_NO_TRAFFIC_INTERVAL_MS);
  const unhealthyIntervalMs = above0('unhealthy_interval', intervalMs);
  const { transport_socket_match_criteria: criteria } = check;
  return {
    timeoutMs: above0('timeout', undefined),
    intervalMs,
    initialJitterMs: check.initial_jitter ?? 0,
    intervalJitterMs: check.interval_jitter ?? 0,
    intervalJitterPercent: check.interval_jitter_percent,
    unhealthyThreshold: threshold('unhealthy_threshold'),
    healthyThreshold: threshold('healthy_threshold'),
    reuseConnection: check.reuse_connection ?? true,
    noTrafficIntervalMs,
    noTrafficHealthyIntervalMs: above0('no_traffic_healthy_interval', noTrafficIntervalMs),
    unhealthyIntervalMs,
    unhealthyEdgeIntervalMs: above0('unhealthy_edge_interval', unhealthyIntervalMs),
    healthyEdgeIntervalMs: above0('healthy_edge_interval', intervalMs),
    logsAllFailures: check.always_log_health_check_failures,
    logsAllSuccesses: check.always_log_health_check_success,
    alpn: check.tls_options?.alpn_protocols,
    transportSocketMatch:
      criteria === undefined ? undefined : labelsFromStruct(criteria, 'transport_socket_match_criteria', problems),
    check: checkFromXds(check, speaksHttp2, problems),
  };
}

function checkFromXds(
  { http_health_check: http, tcp_health_check: tcp, grpc_health_check: grpc }: Decoded<typeof HealthCheck>,
  speaksHttp2: boolean,
  problems: Problems,
): HealthCheckConfig['check'] {
  if (http !== undefined) {
    return problems.within('http_health_check', () => httpFromXds(http, problems));
  }
  if (grpc !== undefined) {
    if (!speaksHttp2) {
      problems.add('the cluster must speak HTTP/2', 'grpc_health_check');
    }
    return problems.within('grpc_health_check', () => grpcFromXds(grpc, problems));
  }
  if (tcp === undefined) {
    problems.add('one of http_health_check, tcp_health_check, grpc_health_check is required');
    return { kind: 'tcp', send: Buffer.alloc(0), receive: [] };
  }
  return problems.within('tcp_health_check', () => tcpFromXds(tcp, problems));
}

function httpFromXds(http: Decoded<typeof HttpSchema>, problems: Problems): HttpHealthCheck {
  if (http.path === '' || /[\0\r\n]/.test(http.path)) {
    problems.add('must be a path', 'path');
  }
  if (/[\0\r\n]/.test(http.host)) {
    problems.add('holds a line break', 'host');
  }
  if (http.codec_client_type === 'HTTP3') {
    problems.add('HTTP/3 is not supported by this proxy', 'codec_client_type');
  }
  if (http.method === 'CONNECT') {
    problems.add('CONNECT cannot be a health check', 'method');
  }
  const { service_name_matcher: serviceName, response_buffer_size: searched = DEFAULT_SEARCHED_BYTES } = http;
  if (searched > MAX_SEARCHED_BYTES) {
    problems.add(`must be at most ${MAX_SEARCHED_BYTES}`, 'response_buffer_size');
  }
  for (const name of http.request_headers_to_remove) {
    checkHeaderName(name, 'request_headers_to_remove', problems);
  }
  const expected = ranges('expected_statuses', http.expected_statuses, problems);
  return {
    kind: 'http',
    http2: http.codec_client_type === 'HTTP2',
    method: http.method === 'METHOD_UNSPECIFIED' ? 'GET' : http.method,
    path: http.path,
    host: http.host,
    headersToAdd: plainHeaders('request_headers_to_add', http.request_headers_to_add, problems),
    headersToRemove: http.request_headers_to_remove.map((name) => name.toLowerCase()),
    expectedStatuses: expected.length === 0 ? [{ start: 200, end: 201 }] : expected,
    retriableStatuses: ranges('retriable_statuses', http.retriable_statuses, problems),
    serviceName:
      serviceName === undefined
        ? undefined
        : problems.within('service_name_matcher', () => stringMatchFromXds(serviceName, problems)),
    receive: problems.each('receive', http.receive, (payload) => payloadFromXds(payload, problems)),
    searchedBytes: searched === 0 ? MAX_SEARCHED_BYTES : searched,
  };
}

function grpcFromXds(grpc: Decoded<typeof GrpcSchema>, problems: Problems): GrpcHealthCheck {
  if (/[\0\r\n]/.test(grpc.authority)) {
    problems.add('holds a line break', 'authority');
  }
  return {
    kind: 'grpc',
    serviceName: grpc.service_name,
    authority: grpc.authority,
    metadata: plainHeaders('initial_metadata', grpc.initial_metadata, problems),
  };
}

function tcpFromXds({ send, receive }: Decoded<typeof TcpSchema>, problems: Problems): TcpHealthCheck {
  return {
    kind: 'tcp',
    send: send === undefined ? Buffer.alloc(0) : problems.within('send', () => payloadFromXds(send, problems)),
    receive: problems.each('receive', receive, (payload) => payloadFromXds(payload, problems)),
  };
}

/** `text` is hexadecimal. */
function payloadFromXds({ text, binary }: Decoded<typeof HealthCheckPayload>, problems: Problems): Buffer {
  if (text === undefined) {
    if (binary === undefined) {
      problems.add('one of text, binary is required');
    }
    return Buffer.from(binary ?? []);
  }
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(text)) {
    problems.add('must be hexadecimal', 'text');
  }
  return Buffer.from(text, 'hex');
}

function ranges(
  field: 'expected_statuses' | 'retriable_statuses',
  given: readonly Decoded<typeof Int64Range>[],
  problems: Problems,
): StatusRange[] {
  return problems.each(field, given, ({ start, end }) => {
    if (start >= end || start < 100n || end > 600n) {
      problems.add('must be a range within 100 to 600, whose end is not included');
    }
    return { start: Number(start), end: Number(end) };
  });
}

/** Of a check there is nothing that a `%COMMAND%` could tell. */
function plainHeaders(
  field: 'request_headers_to_add' | 'initial_metadata',
  options: readonly Decoded<typeof HeaderValueOption>[],
  problems: Problems,
): HeaderAddition[] {
  return problems.each(field, options, (option) => {
    const addition = headerAdditionFromXds(option, problems);
    if (addition.value.replaceAll('%%', '').includes('%')) {
      problems.add('commands are not supported in the fields of health checks', 'header.value');
    }
    return { ...addition, value: addition.value.replaceAll('%%', '%') };
  });
}

/** `envoy.config.endpoint.v3.Endpoint.HealthCheckConfig`; undefined where it says nothing. */
export function endpointHealthCheckFromXds(
  config: Decoded<typeof EndpointHealthCheckConfig> | undefined,
  problems: Problems,
): EndpointHealthCheck | undefined {
  if (config === undefined) {
    return undefined;
  }
  const { port_value: port, hostname, address, disable_active_health_check: disabled } = config;
  if (port > 65_535) {
    problems.add('must be at most 65535', 'port_value');
  }
  if (/[\0\r\n]/.test(hostname)) {
    problems.add('holds a line break', 'hostname');
  }
  return {
    disabled,
    port,
    hostname,
    address:
      address === undefined ? undefined : problems.within('address', () => addressFromXds(address, false, problems)),
  };
}

import { type Any, BinaryReader, type MessageCodec, typeUrlOf } from '@weft/xds-types';
import { FileAccessLog } from '@weft/xds-types/envoy/extensions/access_loggers/file/v3/file.ts';
import { Cors, CorsPolicy } from '@weft/xds-types/envoy/extensions/filters/http/cors/v3/cors.ts';
import { HTTPFault } from '@weft/xds-types/envoy/extensions/filters/http/fault/v3/fault.ts';
import { GrpcWeb } from '@weft/xds-types/envoy/extensions/filters/http/grpc_web/v3/grpc_web.ts';
import { HealthCheck } from '@weft/xds-types/envoy/extensions/filters/http/health_check/v3/health_check.ts';
import { OnDemand } from '@weft/xds-types/envoy/extensions/filters/http/on_demand/v3/on_demand.ts';
import { Router } from '@weft/xds-types/envoy/extensions/filters/http/router/v3/router.ts';
import { StatefulSession } from '@weft/xds-types/envoy/extensions/filters/http/stateful_session/v3/stateful_session.ts';
import { HttpInspector } from '@weft/xds-types/envoy/extensions/filters/listener/http_inspector/v3/http_inspector.ts';
import { TlsInspector } from '@weft/xds-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { TcpProxy } from '@weft/xds-types/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { HeaderMutation as EarlyHeaderMutation } from '@weft/xds-types/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.ts';
import {
  LocalityLbConfig,
  SlowStartConfig,
} from '@weft/xds-types/envoy/extensions/load_balancing_policies/common/v3/common.ts';
import { LeastRequest } from '@weft/xds-types/envoy/extensions/load_balancing_policies/least_request/v3/least_request.ts';
import { PreviousHostsPredicate } from '@weft/xds-types/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.ts';
import { PreviousPrioritiesConfig } from '@weft/xds-types/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.ts';
import { ProxyProtocolUpstreamTransport } from '@weft/xds-types/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.ts';
import { RawBuffer } from '@weft/xds-types/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.ts';
import {
  DownstreamTlsContext,
  UpstreamTlsContext,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { HttpProtocolOptions } from '@weft/xds-types/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import type { XdsMessage } from '../../src/index.ts';

/** Our own message (docs/proxy.md, "Load balancing"), which no generated code knows. */
const PeakEwma = {
  decode(bytes: Uint8Array): object {
    const reader = new BinaryReader(bytes);
    const message: Record<string, unknown> = {};
    while (reader.pos < reader.len) {
      switch (reader.uint32() >>> 3) {
        case 3:
          message['localityLbConfig'] = LocalityLbConfig.decode(reader, reader.uint32());
          break;
        case 4:
          message['slowStartConfig'] = SlowStartConfig.decode(reader, reader.uint32());
          break;
        default:
          throw new Error('a field of PeakEwma that nobody has described');
      }
    }
    return message;
  },
};

const extensions: Readonly<Record<string, MessageCodec<never>>> = Object.fromEntries(
  Object.entries({
    'envoy.extensions.access_loggers.file.v3.FileAccessLog': FileAccessLog,
    'envoy.extensions.filters.http.cors.v3.Cors': Cors,
    'envoy.extensions.filters.http.cors.v3.CorsPolicy': CorsPolicy,
    'envoy.extensions.filters.http.fault.v3.HTTPFault': HTTPFault,
    'envoy.extensions.filters.http.grpc_web.v3.GrpcWeb': GrpcWeb,
    'envoy.extensions.filters.http.health_check.v3.HealthCheck': HealthCheck,
    'envoy.extensions.filters.http.on_demand.v3.OnDemand': OnDemand,
    'envoy.extensions.filters.http.router.v3.Router': Router,
    'envoy.extensions.filters.http.stateful_session.v3.StatefulSession': StatefulSession,
    'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector': HttpInspector,
    'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector': TlsInspector,
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager': HttpConnectionManager,
    'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy': TcpProxy,
    'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation': EarlyHeaderMutation,
    'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest': LeastRequest,
    'weft.load_balancing_policies.peak_ewma.v1.PeakEwma': PeakEwma,
    'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate': PreviousHostsPredicate,
    'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig': PreviousPrioritiesConfig,
    'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport':
      ProxyProtocolUpstreamTransport,
    'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer': RawBuffer,
    'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext': DownstreamTlsContext,
    'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext': UpstreamTlsContext,
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': HttpProtocolOptions,
  }).map(([name, codec]) => [typeUrlOf(name), codec as unknown as MessageCodec<never>]),
);

/** Fields of wrapper types: for them `false` is not the same as absent. */
const wrapped: ReadonlySet<string> = new Set([
  'caseSensitive',
  'useRemoteAddress',
  'validateClusters',
  'normalizePath',
]);

/** A message as people read it: extensions unpacked, durations as text, defaults left out. */
export function readable(message: XdsMessage): unknown {
  return {
    '@type': message.typeUrl.slice(message.typeUrl.lastIndexOf('.') + 1),
    ...(plain(message.message) as object),
  };
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('utf8');
  }
  if (typeof value === 'bigint') {
    return Number(value);
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields['typeUrl'] === 'string' && fields['value'] instanceof Uint8Array) {
    return unpacked(value as Any);
  }
  if (typeof fields['seconds'] === 'bigint' && typeof fields['nanos'] === 'number') {
    return `${Number(fields['seconds']) + fields['nanos'] / 1e9}s`;
  }
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(fields)) {
    if (isOneof(member)) {
      result[member.$case] = plain(member.value);
    } else if (!isDefault(member) || (member !== undefined && wrapped.has(name))) {
      result[name] = plain(member);
    }
  }
  return result;
}

function unpacked(any: Any): unknown {
  const codec = extensions[any.typeUrl];
  if (codec === undefined) {
    throw new Error(`${any.typeUrl} is not among the extensions that golden files can show`);
  }
  return {
    '@type': any.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1),
    ...(plain(codec.decode(any.value)) as object),
  };
}

function isOneof(value: unknown): value is { readonly $case: string; readonly value: unknown } {
  return typeof value === 'object' && value !== null && '$case' in value;
}

function isDefault(value: unknown): boolean {
  return (
    value === undefined ||
    value === '' ||
    value === 0 ||
    value === 0n ||
    value === false ||
    (Array.isArray(value) && value.length === 0) ||
    (value instanceof Uint8Array && value.length === 0) ||
    (typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) === Object.prototype &&
      Object.keys(value).length === 0)
  );
}

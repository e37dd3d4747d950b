import type { MessageCodec } from '@weft/xds-types';
import { type TypeUrl, typeUrlOf, typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { VirtualHost } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { FileAccessLog } from '@weft/xds-types/envoy/extensions/access_loggers/file/v3/file.ts';
import { Cors, CorsPolicy } from '@weft/xds-types/envoy/extensions/filters/http/cors/v3/cors.ts';
import { HTTPFault } from '@weft/xds-types/envoy/extensions/filters/http/fault/v3/fault.ts';
import { GrpcWeb } from '@weft/xds-types/envoy/extensions/filters/http/grpc_web/v3/grpc_web.ts';
import { OnDemand } from '@weft/xds-types/envoy/extensions/filters/http/on_demand/v3/on_demand.ts';
import { Router } from '@weft/xds-types/envoy/extensions/filters/http/router/v3/router.ts';
import {
  StatefulSession,
  StatefulSessionPerRoute,
} from '@weft/xds-types/envoy/extensions/filters/http/stateful_session/v3/stateful_session.ts';
import { HttpInspector } from '@weft/xds-types/envoy/extensions/filters/listener/http_inspector/v3/http_inspector.ts';
import { ProxyProtocol } from '@weft/xds-types/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.ts';
import { TlsInspector } from '@weft/xds-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { TcpProxy } from '@weft/xds-types/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { CookieBasedSessionState } from '@weft/xds-types/envoy/extensions/http/stateful_session/cookie/v3/cookie.ts';
import { HeaderBasedSessionState } from '@weft/xds-types/envoy/extensions/http/stateful_session/header/v3/header.ts';
import { LeastRequest } from '@weft/xds-types/envoy/extensions/load_balancing_policies/least_request/v3/least_request.ts';
import { RoundRobin } from '@weft/xds-types/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.ts';
import { PreviousHostsPredicate } from '@weft/xds-types/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.ts';
import { ProxyProtocolUpstreamTransport } from '@weft/xds-types/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.ts';
import { RawBuffer } from '@weft/xds-types/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.ts';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  DownstreamTlsContext,
  UpstreamTlsContext,
} from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { HttpProtocolOptions } from '@weft/xds-types/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';

const extensions = 'envoy.extensions';

/** Messages that appear in what we send; others are shown as their type and size. */
const codecs: ReadonlyMap<string, MessageCodec<unknown>> = new Map<string, MessageCodec<unknown>>([
  [typeUrls.listener, Listener],
  [typeUrls.routeConfiguration, RouteConfiguration],
  [typeUrls.virtualHost, VirtualHost],
  [typeUrls.cluster, Cluster],
  [typeUrls.endpoint, ClusterLoadAssignment],
  [typeUrls.secret, Secret],
  [typeUrlOf(`${extensions}.access_loggers.file.v3.FileAccessLog`), FileAccessLog],
  [typeUrlOf(`${extensions}.filters.http.cors.v3.Cors`), Cors],
  [typeUrlOf(`${extensions}.filters.http.grpc_web.v3.GrpcWeb`), GrpcWeb],
  [typeUrlOf(`${extensions}.filters.http.stateful_session.v3.StatefulSession`), StatefulSession],
  [typeUrlOf(`${extensions}.filters.listener.proxy_protocol.v3.ProxyProtocol`), ProxyProtocol],
  [
    typeUrlOf(`${extensions}.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport`),
    ProxyProtocolUpstreamTransport,
  ],
  [typeUrlOf(`${extensions}.filters.http.cors.v3.CorsPolicy`), CorsPolicy],
  [typeUrlOf(`${extensions}.filters.http.fault.v3.HTTPFault`), HTTPFault],
  [typeUrlOf(`${extensions}.filters.http.stateful_session.v3.StatefulSessionPerRoute`), StatefulSessionPerRoute],
  [typeUrlOf(`${extensions}.http.stateful_session.cookie.v3.CookieBasedSessionState`), CookieBasedSessionState],
  [typeUrlOf(`${extensions}.http.stateful_session.header.v3.HeaderBasedSessionState`), HeaderBasedSessionState],
  [typeUrlOf(`${extensions}.filters.http.on_demand.v3.OnDemand`), OnDemand],
  [typeUrlOf(`${extensions}.filters.http.router.v3.Router`), Router],
  [typeUrlOf(`${extensions}.filters.listener.http_inspector.v3.HttpInspector`), HttpInspector],
  [typeUrlOf(`${extensions}.filters.listener.tls_inspector.v3.TlsInspector`), TlsInspector],
  [typeUrlOf(`${extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager`), HttpConnectionManager],
  [typeUrlOf(`${extensions}.filters.network.tcp_proxy.v3.TcpProxy`), TcpProxy],
  [typeUrlOf(`${extensions}.load_balancing_policies.least_request.v3.LeastRequest`), LeastRequest],
  [typeUrlOf(`${extensions}.load_balancing_policies.round_robin.v3.RoundRobin`), RoundRobin],
  [typeUrlOf(`${extensions}.retry.host.previous_hosts.v3.PreviousHostsPredicate`), PreviousHostsPredicate],
  [typeUrlOf(`${extensions}.transport_sockets.tls.v3.DownstreamTlsContext`), DownstreamTlsContext],
  [typeUrlOf(`${extensions}.transport_sockets.tls.v3.UpstreamTlsContext`), UpstreamTlsContext],
  [typeUrlOf(`${extensions}.transport_sockets.raw_buffer.v3.RawBuffer`), RawBuffer],
  [typeUrlOf(`${extensions}.upstreams.http.v3.HttpProtocolOptions`), HttpProtocolOptions],
] as [string, MessageCodec<unknown>][]);

const maxDepth = 64;
/** Fields that hold key material: shown as present, never as their value. */
const secretFields: ReadonlySet<string> = new Set(['privateKey', 'password', 'privateKeyProvider', 'pkcs12', 'secret']);

/** A resource for people and `JSON.stringify`: in the shape of protobuf's JSON, nested `Any`s opened, key material left out. */
export function printableResource(typeUrl: TypeUrl, value: Uint8Array): unknown {
  return printableAny(typeUrl, value, 0);
}

function printableAny(typeUrl: string, value: Uint8Array, depth: number): unknown {
  const codec = codecs.get(typeUrl);
  if (codec === undefined || depth > maxDepth) {
    return { '@type': typeUrl, bytes: value.length };
  }
  const message = printable(codec.decode(value), depth + 1);
  return typeof message === 'object' ? { '@type': typeUrl, ...message } : message;
}

function printable(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString('utf8');
    return text.startsWith('-----BEGIN CERTIFICATE') ? text : Buffer.from(value).toString('base64');
  }
  if (Array.isArray(value)) {
    return value.map((item) => printable(item, depth + 1));
  }
  if (typeof value !== 'object' || value === null || depth > maxDepth) {
    return value;
  }
  return printableMessage(value as Readonly<Record<string, unknown>>, depth);
}

function printableMessage(message: Readonly<Record<string, unknown>>, depth: number): unknown {
  const keys = Object.keys(message);
  const { typeUrl, value, seconds, nanos } = message;
  if (keys.length === 2 && typeof typeUrl === 'string' && value instanceof Uint8Array) {
    return printableAny(typeUrl, value, depth);
  }
  if (keys.length === 2 && typeof seconds === 'bigint' && typeof nanos === 'number') {
    return `${Number(seconds) + nanos / 1e9}s`;
  }
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(message)) {
    if (field === undefined || field === '' || (Array.isArray(field) && field.length === 0)) {
      continue;
    }
    if (secretFields.has(key)) {
      result[key] = '[redacted]';
      continue;
    }
    // A oneof: its case is the name of the field.
    const { $case: name, value: inner } = field as { readonly $case?: unknown; readonly value?: unknown };
    if (typeof field === 'object' && typeof name === 'string') {
      result[name] = secretFields.has(name) ? '[redacted]' : printable(inner, depth + 1);
      continue;
    }
    result[key] = printable(field, depth + 1);
  }
  return result;
}

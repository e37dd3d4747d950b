import type { Inbound, InboundPool, OutboundCluster } from '@weft/ir';
import { type Any, packAny } from '@weft/xds-types';
import {
  HttpProtocolOptions as CommonHttpOptions,
  Http1ProtocolOptions,
  Http2ProtocolOptions,
  KeepaliveSettings,
} from '@weft/xds-types/envoy/config/core/v3/protocol.ts';
import {
  HttpProtocolOptions,
  HttpProtocolOptions_AutoHttpConfig,
  HttpProtocolOptions_ExplicitHttpConfig,
  HttpProtocolOptions_UseDownstreamHttpConfig,
} from '@weft/xds-types/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import { duration } from './core.ts';
import { errorMatch } from './error-match.ts';
import { create } from './message.ts';

type ProtocolOptions = NonNullable<HttpProtocolOptions['upstreamProtocolOptions']>;

/** Streams of one client at once; Envoy's advice for hardened listeners. Enough: another connection is opened when they are used up. */
const maxDownstreamStreams = 100;

/** Trailers are dropped by default. */
export const http1Options: Http1ProtocolOptions = create(Http1ProtocolOptions, { enableTrailers: true });

/** `allow_connect`: WebSocket goes over HTTP/2 as extended CONNECT (RFC 8441). */
export const downstreamHttp2Options: Http2ProtocolOptions = create(Http2ProtocolOptions, {
  allowConnect: true,
  maxConcurrentStreams: maxDownstreamStreams,
});

const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function explicit(protocolConfig: NonNullable<HttpProtocolOptions_ExplicitHttpConfig['protocolConfig']>) {
  return {
    $case: 'explicitHttpConfig',
    value: create(HttpProtocolOptions_ExplicitHttpConfig, { protocolConfig }),
  } as const;
}

function pack(options: Partial<HttpProtocolOptions>): { [key: string]: Any } {
  return { [optionsName]: packAny(optionsName, HttpProtocolOptions, create(HttpProtocolOptions, options)) };
}

/** How HTTP is spoken to the endpoints of a cluster. */
export function outboundHttpOptions(cluster: OutboundCluster): { [key: string]: Any } {
  const upstreamProtocolOptions = protocolOptions(cluster);
  if (upstreamProtocolOptions === undefined) {
    return {};
  }
  return pack({
    commonHttpProtocolOptions: connectionOptions(cluster),
    upstreamProtocolOptions,
    outlierDetection: errorMatch(cluster.outlierDetection?.errorStatuses),
  });
}

/** The life of pooled connections; undefined where nothing is said. */
function connectionOptions(pool: InboundPool): CommonHttpOptions | undefined {
  const { httpIdleTimeoutMs, maxRequestsPerConnection } = pool;
  const { maxDurationMs } = pool.tcp;
  const isDefault = httpIdleTimeoutMs === undefined && maxRequestsPerConnection === 0 && maxDurationMs === undefined;
  return isDefault
    ? undefined
    : create(CommonHttpOptions, {
        idleTimeout: httpIdleTimeoutMs === undefined ? undefined : duration(httpIdleTimeoutMs),
        maxRequestsPerConnection: maxRequestsPerConnection === 0 ? undefined : maxRequestsPerConnection,
        maxConnectionDuration: maxDurationMs === undefined ? undefined : duration(maxDurationMs),
      });
}

function http2Options({ maxConcurrentStreams, http2Keepalive }: InboundPool): Http2ProtocolOptions {
  return create(Http2ProtocolOptions, {
    allowConnect: true,
    maxConcurrentStreams,
    connectionKeepalive:
      http2Keepalive === undefined
        ? undefined
        : create(KeepaliveSettings, {
            interval: duration(http2Keepalive.intervalMs),
            timeout: duration(http2Keepalive.timeoutMs),
          }),
  });
}

function protocolOptions(cluster: OutboundCluster): ProtocolOptions | undefined {
  const { protocol } = cluster;
  const http2ProtocolOptions = http2Options(cluster);
  const both = { httpProtocolOptions: http1Options, http2ProtocolOptions };
  switch (protocol) {
    case 'tcp':
      return undefined;
    case 'http1':
      return explicit({ $case: 'httpProtocolOptions', value: http1Options });
    case 'http2':
      return explicit({ $case: 'http2ProtocolOptions', value: http2ProtocolOptions });
    case 'http-by-alpn':
      return { $case: 'autoConfig', value: create(HttpProtocolOptions_AutoHttpConfig, both) };
    case 'http-as-downstream':
      return {
        $case: 'useDownstreamProtocolConfig',
        value: create(HttpProtocolOptions_UseDownstreamHttpConfig, both),
      };
  }
}

/** How HTTP is spoken to the application: as its port was declared, whatever a peer's proxy chose for the way between. */
export function inboundHttpOptions({ protocol, pool }: Inbound): { [key: string]: Any } {
  const http2ProtocolOptions =
    pool === undefined ? create(Http2ProtocolOptions, { allowConnect: true }) : http2Options(pool);
  const commonHttpProtocolOptions = pool === undefined ? undefined : connectionOptions(pool);
  switch (protocol) {
    case 'tcp':
      return {};
    case 'http':
      return pack({
        commonHttpProtocolOptions,
        upstreamProtocolOptions: explicit({ $case: 'httpProtocolOptions', value: http1Options }),
      });
    case 'http2':
    case 'grpc-web':
      return pack({
        commonHttpProtocolOptions,
        upstreamProtocolOptions: explicit({ $case: 'http2ProtocolOptions', value: http2ProtocolOptions }),
      });
    case 'auto':
      return pack({
        commonHttpProtocolOptions,
        upstreamProtocolOptions: {
          $case: 'useDownstreamProtocolConfig',
          value: create(HttpProtocolOptions_UseDownstreamHttpConfig, {
            httpProtocolOptions: http1Options,
            http2ProtocolOptions,
          }),
        },
      });
  }
}

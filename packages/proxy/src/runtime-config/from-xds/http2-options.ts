import type { Http2Options } from '../config.ts';
import type { Http2ProtocolOptions } from '../wire/http-connection-manager-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

const MIN_WINDOW_BYTES = 65_535;
const MAX_31 = 2 ** 31 - 1;
/** What of a peer's HPACK table we are willing to keep at most; Envoy's default is 4,096. */
const MAX_TABLE_BYTES = 64 * 1024;

/**
 * Windows: docs/http2.md. That of a connection is never what a sender waits for: servers on nghttp2 cannot end a stream meanwhile, and
 * Node's then resets it without its end. The rest are the defaults of `envoy.config.core.v3.Http2ProtocolOptions` and `KeepaliveSettings`.
 */
const defaults = {
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 256 * 1024 * 1024,
  tableBytes: 4096,
  keepaliveJitterPercent: 15,
} as const;

/** `envoy.config.core.v3.Http2ProtocolOptions` */
export function http2OptionsFromXds(
  options: Decoded<typeof Http2ProtocolOptions> | undefined,
  defaultMaxStreams: number,
  problems: Problems,
): Http2Options {
  const within = (value: number | undefined, low: number, high: number, field: string): void => {
    if (value !== undefined && (value < low || value > high)) {
      problems.add(`must be from ${low} to ${high}`, field);
    }
  };
  within(options?.max_concurrent_streams, 1, MAX_31, 'max_concurrent_streams');
  within(options?.initial_stream_window_size, MIN_WINDOW_BYTES, MAX_31, 'initial_stream_window_size');
  within(options?.initial_connection_window_size, MIN_WINDOW_BYTES, MAX_31, 'initial_connection_window_size');
  within(options?.hpack_table_size, 0, MAX_TABLE_BYTES, 'hpack_table_size');
  const keepalive = options?.connection_keepalive;
  if (keepalive !== undefined) {
    within(keepalive.interval ?? 0, 1, MAX_31, 'connection_keepalive.interval');
    within(keepalive.timeout ?? 0, 1, MAX_31, 'connection_keepalive.timeout');
    within(keepalive.interval_jitter?.value, 0, 100, 'connection_keepalive.interval_jitter');
  }
  return {
    maxConcurrentStreams: options?.max_concurrent_streams ?? defaultMaxStreams,
    initialStreamWindowBytes: options?.initial_stream_window_size ?? defaults.streamWindowBytes,
    initialConnectionWindowBytes: options?.initial_connection_window_size ?? defaults.connectionWindowBytes,
    headerTableSizeBytes: options?.hpack_table_size ?? defaults.tableBytes,
    allowConnect: options?.allow_connect ?? false,
    keepaliveIntervalMs: keepalive?.interval ?? 0,
    keepaliveTimeoutMs: keepalive?.timeout ?? 0,
    keepaliveJitterPercent: keepalive?.interval_jitter?.value ?? defaults.keepaliveJitterPercent,
  };
}

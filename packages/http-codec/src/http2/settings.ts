/** What one of our HTTP/2 connections allows and asks for. */
export interface Http2Settings {
  /** Streams that the peer may have open at once (`SETTINGS_MAX_CONCURRENT_STREAMS`); more are refused. */
  readonly maxConcurrentStreams: number;
  /** Receive window of a stream, bytes (`SETTINGS_INITIAL_WINDOW_SIZE`), 65,535 to 2^31-1. */
  readonly initialStreamWindowBytes: number;
  /** Receive window of the connection, bytes, 65,535 to 2^31-1. */
  readonly initialConnectionWindowBytes: number;
  /** Longest frame payload that we take (`SETTINGS_MAX_FRAME_SIZE`), 16,384 to 16,777,215. */
  readonly maxFrameSizeBytes: number;
  /** Dynamic table that the peer may use (`SETTINGS_HEADER_TABLE_SIZE`), and the most that we use of what it offers. */
  readonly headerTableSizeBytes: number;
  /** A decoded head or trailer section as RFC 9113 §10.5.1 counts it, without the 32 bytes a field. Envoy's `max_request_headers_kb`. */
  readonly maxHeadBytes: number;
  /** Fields of a head. Envoy's `max_headers_count`. */
  readonly maxFields: number;
  /** Says `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441) to clients. Envoy's `allow_connect`. */
  readonly allowExtendedConnect: boolean;
  /**
   * The peer is a Weft proxy (ALPN `weft-h2`): names of fields travel as they were written, see docs/http2.md. Otherwise
   * `x-weft-names` is never sent, and removed when it comes.
   */
  readonly carryHeaderNames: boolean;
}

export const defaultHttp2Settings: Http2Settings = {
  maxConcurrentStreams: 100,
  initialStreamWindowBytes: 256 * 1024,
  initialConnectionWindowBytes: 1024 * 1024,
  maxFrameSizeBytes: 16_384,
  headerTableSizeBytes: 4096,
  maxHeadBytes: 60 * 1024,
  maxFields: 100,
  allowExtendedConnect: true,
  carryHeaderNames: false,
};

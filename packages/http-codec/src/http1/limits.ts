/** Bounds on what a peer may send. Whoever exceeds one is refused and its connection closed. */
export interface Http1Limits {
  /** Start line and fields together, bytes. Envoy's `max_request_headers_kb`, 60 KiB. */
  readonly maxHeadBytes: number;
  /** Field lines of a head. Envoy's `max_headers_count`, 100. */
  readonly maxFields: number;
  /** The line before each chunk, with its extensions, bytes. */
  readonly maxChunkLineBytes: number;
  /** Extensions of all chunks of one message, bytes. */
  readonly maxChunkExtensionBytes: number;
  /** The trailer section, bytes. */
  readonly maxTrailerBytes: number;
  /** Empty lines before a start line (RFC 9112 §2.2 lets a server ignore "at least one"). */
  readonly maxBlankLines: number;
}

export const defaultHttp1Limits: Http1Limits = {
  maxHeadBytes: 60 * 1024,
  maxFields: 100,
  maxChunkLineBytes: 1024,
  maxChunkExtensionBytes: 16 * 1024,
  maxTrailerBytes: 8 * 1024,
  maxBlankLines: 4,
};

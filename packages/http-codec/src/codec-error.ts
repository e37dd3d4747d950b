/** Why a message was refused. The names are Envoy's response code details where it has one. */
const codecErrors = {
  'http1.codec_error': 400,
  'http1.invalid_characters': 400,
  'http1.invalid_url': 400,
  'http1.invalid_host': 400,
  missing_host_header: 400,
  'http1.content_length_and_chunked_not_allowed': 400,
  'http1.invalid_content_length': 400,
  'http1.invalid_transfer_encoding': 501,
  'http1.transfer_encoding_not_allowed': 400,
  'http1.connection_header_rejected': 400,
  'http1.body_disallowed': 400,
  'http1.too_many_headers': 431,
  'http1.headers_too_large': 431,
  'http1.too_many_trailers': 431,
  'http1.trailers_too_large': 431,
  'http1.chunk_line_too_long': 400,
  'http1.invalid_chunk': 400,
  'http1.too_many_blank_lines': 400,
  'http1.unexpected_end': 400,
  low_version: 426,
  'http1.unsupported_version': 505,
  'http1.unexpected_response': 502,
  'http2.protocol_error': 400,
  'http2.compression_error': 400,
  'http2.frame_size_error': 400,
  'http2.flow_control_error': 400,
  'http2.stream_closed': 400,
  'http2.violation.of.messaging.rule': 400,
  'http2.headers_too_large': 431,
  'http2.too_many_trailers': 431,
  'http2.unexpected_end': 400,
  'http2.remote_reset': 400,
  'http2.remote_refuse': 503,
  'http2.remote_goaway': 502,
  'http2.extended_connect_not_allowed': 502,
  'http2.inbound_empty_frames_flood': 400,
  'http2.inbound_priority_frames_flood': 400,
  'http2.inbound_window_update_frames_flood': 400,
  'http2.inbound_reset_frames_flood': 400,
  'http2.inbound_continuation_frames_flood': 400,
  'http2.outbound_control_frames_flood': 400,
  'http2.outbound_frames_flood': 400,
} as const;

/** A reason of the closed set. */
export type CodecErrorDetail = keyof typeof codecErrors;

/** The status that a server answers with before it closes the connection. */
export function statusOfCodecError(detail: CodecErrorDetail): number {
  return codecErrors[detail];
}

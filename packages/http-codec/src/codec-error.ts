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
} as const;

/** A reason of the closed set. */
export type CodecErrorDetail = keyof typeof codecErrors;

/** The status that a server answers with before it closes the connection. */
export function statusOfCodecError(detail: CodecErrorDetail): number {
  return codecErrors[detail];
}

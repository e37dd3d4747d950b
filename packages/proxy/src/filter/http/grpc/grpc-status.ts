/** Numbers of gRPC statuses that the proxy uses itself. */
export const GrpcStatus = {
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What a gRPC client is told where another one would get this HTTP status (the mapping of gRPC's `http-grpc-status-mapping`). */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GrpcStatus.internal;
    case 401:
      return GrpcStatus.unauthenticated;
    case 403:
      return GrpcStatus.permissionDenied;
    case 404:
      return GrpcStatus.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.unavailable;
    default:
      return status === 200 ? 0 : GrpcStatus.unknown;
  }
}

/** The gRPC statuses that speak of a failing server, as HTTP's 5xx does: unknown, deadline, unimplemented, internal, unavailable, data loss. */
const serverFailures: ReadonlySet<string> = new Set(['2', '4', '12', '13', '14', '15']);

/** Whether a `grpc-status` counts as an error of the endpoint that sent it. */
export function isServerFailure(grpcStatus: string): boolean {
  return serverFailures.has(grpcStatus);
}

/** A `grpc-message`: everything but printable ASCII without `%` is percent-encoded as UTF-8. */
export function encodeGrpcMessage(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) {
    return text;
  }
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

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

/** HTTP statuses by the gRPC statuses 0 to 16, as Envoy's outlier detection translates them. */
const httpStatuses: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** The HTTP status that a gRPC status stands for; 500 for numbers that are none. */
export function httpStatusOfGrpc(status: number): number {
  return httpStatuses[status] ?? 500;
}

/** The number that a `grpc-status` says; -1 when there is none, or it says none. */
export function grpcStatusNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : -1;
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

/** The status codes of gRPC, in the order of their numbers. */
export const grpcCodes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type GrpcCode = (typeof grpcCodes)[number];

/** How a stream ended. */
export interface GrpcStatus {
  readonly code: GrpcCode;
  readonly details: string;
}

type Headers = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** The status in trailers (or in headers, when there is nothing but a status); undefined when there is none. */
export function statusFromTrailers(headers: Headers): GrpcStatus | undefined {
  const code = headers['grpc-status'];
  if (code === undefined) {
    return undefined;
  }
  const message = headers['grpc-message'];
  return {
    code: grpcCodes[Number(code)] ?? 'UNKNOWN',
    details: typeof message === 'string' ? decodeMessage(message) : '',
  };
}

/** What an HTTP status without a gRPC status means (gRPC, "HTTP to gRPC Status Code Mapping"). */
export function statusFromHttp(httpStatus: number): GrpcStatus {
  const codes: Readonly<Record<number, GrpcCode>> = {
    400: 'INTERNAL',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'UNIMPLEMENTED',
    429: 'UNAVAILABLE',
    502: 'UNAVAILABLE',
    503: 'UNAVAILABLE',
    504: 'UNAVAILABLE',
  };
  return { code: codes[httpStatus] ?? 'UNKNOWN', details: `the server answered with HTTP status ${httpStatus}` };
}

/** `grpc-message` is percent-encoded; what cannot be decoded is shown as it is. */
function decodeMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

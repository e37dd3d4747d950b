import type { ServerResponse } from 'node:http';
import type { ErrorCode, MeshError } from '@weft/base';

const httpStatus: Readonly<Partial<Record<ErrorCode, readonly [number, string]>>> = {
  UNAUTHENTICATED: [401, 'Unauthorized'],
  FORBIDDEN: [403, 'Forbidden'],
  NOT_FOUND: [404, 'NotFound'],
  CONFLICT: [409, 'Conflict'],
  INVALID: [422, 'Invalid'],
  TOO_LARGE: [413, 'RequestEntityTooLarge'],
  UNAVAILABLE: [503, 'ServiceUnavailable'],
  TIMEOUT: [504, 'Timeout'],
  DISK_FULL: [507, 'InternalError'],
};

/** Answers with a Kubernetes `Status`. What is not the caller's business is in the log only. */
export function sendError(response: ServerResponse, error: MeshError): void {
  const [code, reason] = httpStatus[error.code] ?? [500, 'InternalError'];
  const message = code === 500 ? 'the control plane failed; its log says why' : `${error.message}. ${error.hint}`;
  sendJson(
    response,
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(code === 500 ? {} : { details: { causes: [{ reason: error.code, message: error.message }] } }),
      code,
    },
    code,
  );
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  send(response, 'application/json', JSON.stringify(body), status);
}

export function send(response: ServerResponse, type: string, body: string | Uint8Array, status = 200): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(bytes);
}

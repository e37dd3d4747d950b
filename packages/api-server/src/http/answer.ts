import type { ServerResponse } from 'node:http';
import { statusErrorFrom } from '../registry/status-error.ts';

/** Sends `body` as JSON, a text or bytes as they are. Does nothing when the client has gone. */
export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  if (response.headersSent || response.destroyed) {
    return;
  }
  const text = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(code, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    ...headers,
    'content-length': text.length,
  } as Record<string, string | string[] | number>);
  response.end(text);
}

/** Sends anything thrown as a `Status`. */
export function sendError(response: ServerResponse, thrown: unknown): number {
  const error = statusErrorFrom(thrown);
  const retryAfter = error.details?.retryAfterSeconds;
  sendJson(response, error.code, error.toStatus(), {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(error.code === 401 ? { 'www-authenticate': 'Bearer realm="weft"' } : {}),
  });
  return error.code;
}

/** `Warning` headers (RFC 7234 §5.5, code 299) as Kubernetes clients print them. */
export function warningHeaders(warnings: readonly string[]): Readonly<Record<string, readonly string[]>> {
  if (warnings.length === 0) {
    return {};
  }
  const unique = [...new Set(warnings)].slice(0, 32);
  return { warning: unique.map((text) => `299 - "${quotable(text)}"`) };
}

function quotable(text: string): string {
  // Header values are Latin-1 and one line.
  return text
    .slice(0, 512)
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .replaceAll(/(["\\])/g, '\\$1');
}

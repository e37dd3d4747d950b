import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, MeshError } from '@weft/base';
import type { AdminAddress } from '../bootstrap/bootstrap.ts';
import type { AdminContext } from './admin-context.ts';
import { type AdminReply, adminRoutes } from './admin-routes.ts';

/** An admin request has a head and nothing else. */
const MAX_HEADER_BYTES = 8192;
const REQUEST_TIMEOUT_MS = 10_000;
/** A dump for a person and a scrape at the same time need few. */
const MAX_CONNECTIONS = 64;

/** The admin API over HTTP, for programs on the same machine. */
export interface AdminServer {
  /** The real port where 0 was asked for; undefined on a Unix socket. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** @throws MeshError `PORT_IN_USE` and the like. */
export async function startAdminServer(
  address: AdminAddress,
  context: AdminContext,
  logger: Logger,
): Promise<AdminServer> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      void answer(request, response, context).catch((error: unknown) => {
        logger.error('an admin request failed', { path: request.url, error });
        if (!response.headersSent) {
          send(response, { status: 500, body: 'internal error\n' });
        }
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, address);
  const bound = server.address();
  return {
    port: typeof bound === 'object' ? (bound as AddressInfo | null)?.port : undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, address: AdminAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = address.kind === 'pipe' ? address.path : `${address.address}:${address.port}`;
      reject(
        new MeshError(MeshError.from(error).code, `the admin API cannot listen on ${where}: ${error.message}`, {
          cause: error,
          hint: 'Set admin.port in the bootstrap file to a free port, or to 0.',
        }),
      );
    });
    if (address.kind === 'pipe') {
      // A socket of a process that was killed would be in the way; the folder is private to this proxy.
      rmSync(address.path, { force: true });
      server.listen(address.path, resolve);
    } else {
      server.listen(address.port, address.address, resolve);
    }
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, context: AdminContext): Promise<void> {
  const refusal = foreignRequestReason(request);
  if (refusal !== undefined) {
    send(response, { status: 403, body: `${refusal}\n` });
    return;
  }
  if (request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0) {
    response.shouldKeepAlive = false;
    send(response, { status: 413, body: 'admin requests have no body\n' });
    return;
  }
  const url = URL.parse(request.url ?? '/', 'http://admin');
  if (url === null) {
    send(response, { status: 400, body: 'the path is malformed\n' });
    return;
  }
  const route = adminRoutes.get(url.pathname);
  if (route === undefined) {
    send(response, { status: 404, body: `no such path; try ${[...adminRoutes.keys()].join(' ')}\n` });
    return;
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== route.method) {
    send(response, { status: 405, body: `use ${route.method}\n`, headers: { allow: route.method } });
    return;
  }
  send(response, await route.handle(context, url.searchParams));
}

/**
 * The API has no login: it is for programs of this machine. A page in a browser is none, whatever name it had resolved to
 * 127.0.0.1 (DNS rebinding), so foreign names and anything that a browser marks as its own are refused.
 */
function foreignRequestReason(request: IncomingMessage): string | undefined {
  const { host, origin } = request.headers;
  if (host === undefined || !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i.test(host)) {
    return 'the Host header must be localhost, 127.0.0.1 or [::1]';
  }
  if (origin !== undefined || request.headers['sec-fetch-site'] !== undefined) {
    return 'requests from browsers are refused';
  }
  return undefined;
}

function send(response: ServerResponse, reply: AdminReply): void {
  const body = Buffer.from(reply.body, 'utf8');
  response.writeHead(reply.status ?? 200, {
    'content-type': reply.contentType ?? 'text/plain; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...reply.headers,
  });
  response.end(body);
}

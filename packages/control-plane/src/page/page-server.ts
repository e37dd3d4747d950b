import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { adminPrefix } from '@weft/admin-api';
import { type Clock, type Logger, MeshError } from '@weft/base';
import { sendError } from '../admin/api-error.ts';
import type { ReadRoutes } from '../admin/read-routes.ts';
import { portError } from '../grpc/bind.ts';
import { PageSessions, sessionTtlMs } from './sessions.ts';
import { readStaticFiles, type StaticFile } from './static-files.ts';

export interface PageServerOptions {
  readonly host: string;
  readonly port: number;
  readonly routes: ReadRoutes;
  /** Folder with `index.html`; absent: only the data is served. */
  readonly folder?: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The first page: plain HTTP on loopback, for whoever has the printed link. It reads, and can change nothing. */
export interface PageServer {
  /** `http://127.0.0.1:7080` */
  readonly url: string;
  /** A new link, good for one login. */
  loginLink(): string;
  close(): Promise<void>;
}

const loginPath = '/login';
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** @throws MeshError `PORT_IN_USE`, `PERMISSION_DENIED`. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const page = new Page(options);
  await page.listen();
  return page;
}

class Page implements PageServer {
  readonly #options: PageServerOptions;
  readonly #server: Server;
  readonly #sessions: PageSessions;
  readonly #files: ReadonlyMap<string, StaticFile> | undefined;
  #port = 0;

  constructor(options: PageServerOptions) {
    this.#options = options;
    this.#sessions = new PageSessions(options.clock);
    this.#files = options.folder === undefined ? undefined : readStaticFiles(options.folder);
    if (options.folder !== undefined && this.#files?.get('/index.html') === undefined) {
      options.logger.warn('the files of the first page are not there', { folder: options.folder });
    }
    this.#server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => this.#fail(response, MeshError.from(error)));
    });
    this.#server.maxConnections = 256;
  }

  /** Cookies do not tell ports apart: two meshes of one machine must not take each other's. */
  get #cookieName(): string {
    return `weft-session-${this.#port}`;
  }

  get url(): string {
    const { host } = this.#options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  loginLink(): string {
    return `${this.url}${loginPath}?token=${this.#sessions.createLink().reveal()}`;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(portError(error, { host, port, what: 'the first page', flag: '--page-port' })),
      );
      this.#server.listen({ host, port }, () => {
        const address = this.#server.address();
        this.#port = typeof address === 'object' && address !== null ? address.port : port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) {
      response.setHeader(name, value);
    }
    if (!this.#isOwnHost(request.headers.host)) {
      // A name that was made to point here (DNS rebinding) must not get at the data of whoever is logged in.
      sendText(response, 421, 'This address is not served under that name.');
      return;
    }
    if (!this.#isOwnOrigin(request)) {
      sendText(response, 403, 'Requests from other sites are refused.');
      return;
    }
    const url = URL.parse(request.url ?? '/', this.url);
    if (url === null) {
      sendText(response, 400, 'The address is malformed.');
      return;
    }
    if (request.method === 'POST' && url.pathname === '/logout') {
      this.#logout(request, response);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      sendText(response, 405, 'Only GET is served here.');
      return;
    }
    // A HEAD comes from programs that look at links before their reader does: the link must not be used up by them.
    if (url.pathname === loginPath && request.method === 'GET') {
      this.#login(url, response);
      return;
    }
    if (!this.#isLoggedIn(request)) {
      sendText(response, 401, 'Please open the link that Weft printed when it started, or run: weft dashboard');
      return;
    }
    if (url.pathname.startsWith(adminPrefix)) {
      if (!(await this.#options.routes.handle(url, response))) {
        throw new MeshError('NOT_FOUND', `there is no ${url.pathname}`);
      }
      return;
    }
    this.#sendFile(url.pathname === '/' ? '/index.html' : url.pathname, request, response);
  }

  #login(url: URL, response: ServerResponse): void {
    const secret = this.#sessions.login(url.searchParams.get('token') ?? '');
    if (secret === undefined) {
      sendText(
        response,
        401,
        'This link was used or has expired: each is good for one login. Run `weft dashboard` for a new one.',
      );
      return;
    }
    const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${sessionTtlMs / 1_000}`;
    response.setHeader('set-cookie', `${this.#cookieName}=${secret.reveal()}; ${attributes}`);
    response.setHeader('cache-control', 'no-store');
    // A redirect would be a part of the cross-site navigation that may have led here (a link in a mail program), and the browser
    // would hold the strict cookie back: a page that loads the next one itself is of this site.
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', refresh: '0; url=/' });
    response.end('<!doctype html><title>Weft</title><p>Logged in. <a href="/">Continue</a>');
  }

  #logout(request: IncomingMessage, response: ServerResponse): void {
    const secret = cookieOf(request, this.#cookieName);
    if (secret !== undefined) {
      this.#sessions.logout(secret);
    }
    response.setHeader('set-cookie', `${this.#cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`);
    sendText(response, 200, 'Logged out.');
  }

  #sendFile(path: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.#files?.get(path);
    if (file === undefined) {
      sendText(response, 404, 'There is no such page.');
      return;
    }
    response.setHeader('etag', file.etag);
    response.setHeader('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.body.length });
    response.end(request.method === 'HEAD' ? undefined : file.body);
  }

  #isLoggedIn(request: IncomingMessage): boolean {
    const secret = cookieOf(request, this.#cookieName);
    return secret !== undefined && this.#sessions.isValid(secret);
  }

  #isOwnHost(host: string | undefined): boolean {
    return host !== undefined && this.#ownNames().has(host.toLowerCase());
  }

  #isOwnOrigin({ headers }: IncomingMessage): boolean {
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    // A navigation from elsewhere (a link) is fine: the strict cookie does not come with it.
    const navigation = headers['sec-fetch-mode'] === 'navigate';
    if (site !== undefined && site !== 'same-origin' && site !== 'none' && !navigation) {
      return false;
    }
    return origin === undefined || [...this.#ownNames()].some((name) => origin === `http://${name}`);
  }

  #ownNames(): ReadonlySet<string> {
    const { host } = this.#options;
    return new Set([
      `127.0.0.1:${this.#port}`,
      `localhost:${this.#port}`,
      `[::1]:${this.#port}`,
      `${host}:${this.#port}`,
    ]);
  }

  #fail(response: ServerResponse, error: MeshError): void {
    if (error.code === 'INTERNAL') {
      this.#options.logger.error('the first page failed', { error });
    }
    if (response.headersSent) {
      response.destroy();
    } else {
      sendError(response, error);
    }
  }
}

function cookieOf(request: IncomingMessage, cookieName: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === cookieName) {
      return value;
    }
  }
  return undefined;
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

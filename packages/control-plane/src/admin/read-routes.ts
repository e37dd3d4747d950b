import type { ServerResponse } from 'node:http';
import { adminPaths, adminPrefix, type EffectiveExplanation } from '@weft/admin-api';
import { type Clock, MeshError } from '@weft/base';
import type { ExplainedRequest } from '@weft/translate';
import { send, sendJson } from './api-error.ts';
import type { AdminQueries } from './queries.ts';

/** Period of the events of a stream, milliseconds. */
const streamPeriodMs = 2_000;
/** Streams that may be open at the same time; more get 503 (`UNAVAILABLE`), after which clients try again. */
export const maxStreams = 64;
/** Bytes that may wait for a slow reader before its stream is ended. */
const maxStreamBufferBytes = 1024 * 1024;
const defaultWindowSeconds = 30;
const maxWindowSeconds = 600;

/** Serves the reading part of the admin API, the same behind the API's own authentication and behind the first page's. */
export class ReadRoutes {
  readonly #queries: AdminQueries;
  readonly #clock: Clock;
  readonly #streams = new Set<ServerResponse>();

  constructor(queries: AdminQueries, clock: Clock) {
    this.#queries = queries;
    this.#clock = clock;
  }

  /**
   * Answers a `GET`.
   * @returns false when the path is none of these.
   * @throws MeshError `NOT_FOUND`, `INVALID`, `UNAVAILABLE`.
   */
  async handle(url: URL, response: ServerResponse): Promise<boolean> {
    const queries = this.#queries;
    switch (url.pathname) {
      case adminPaths.version:
        sendJson(response, queries.version());
        return true;
      case adminPaths.overview:
        sendJson(response, queries.overview(windowOf(url)));
        return true;
      case adminPaths.overviewStream:
        this.#stream(windowOf(url), response);
        return true;
      case adminPaths.proxies:
        sendJson(response, queries.proxies());
        return true;
      case adminPaths.explainName:
        sendJson(response, this.#explainName(url.searchParams));
        return true;
      case adminPaths.edges:
        sendJson(response, queries.edges(windowOf(url)));
        return true;
      case adminPaths.checks:
        sendJson(response, await queries.checks());
        return true;
      case adminPaths.trustBundle:
        sendJson(response, queries.trustBundle());
        return true;
      case adminPaths.metrics:
        send(response, 'text/plain; version=0.0.4; charset=utf-8', queries.metrics());
        return true;
    }
    return this.#proxyRoute(url, response);
  }

  close(): void {
    for (const response of this.#streams) {
      response.end();
    }
    this.#streams.clear();
  }

  #explainName(query: URLSearchParams): EffectiveExplanation {
    const name = query.get('name') ?? '';
    const namespace = query.get('namespace') ?? 'default';
    const from = query.get('from') ?? undefined;
    if (name === '') {
      throw new MeshError('INVALID', 'name= is missing');
    }
    if (from !== undefined && this.#queries.proxy(from) === undefined) {
      throw new MeshError('NOT_FOUND', `there is no Proxy ${from}`);
    }
    const explanation = this.#queries.explainName({ name, namespace, from });
    if (explanation === undefined) {
      throw new MeshError('NOT_FOUND', `neither a service nor a workload is called ${name} in namespace ${namespace}`);
    }
    return explanation;
  }

  #proxyRoute(url: URL, response: ServerResponse): boolean {
    const match = /^proxies\/([^/]+)\/([^/]+)(\/config-dump|\/explain)?$/.exec(url.pathname.slice(adminPrefix.length));
    if (match === null) {
      return false;
    }
    const proxyKey = `${decodePart(match[1])}/${decodePart(match[2])}`;
    const type = url.searchParams.get('type');
    const name = url.searchParams.get('name');
    const answer =
      match[3] === undefined
        ? this.#queries.proxy(proxyKey)
        : match[3] === '/explain'
          ? this.#queries.explain(proxyKey, explainedRequest(url.searchParams))
          : this.#queries.configDump(proxyKey, {
              ...(type === null ? {} : { type }),
              ...(name === null ? {} : { name }),
            });
    if (answer === undefined) {
      throw new MeshError('NOT_FOUND', `there is no Proxy ${proxyKey}`);
    }
    sendJson(response, answer);
    return true;
  }

  #stream(windowSeconds: number, response: ServerResponse): void {
    if (this.#streams.size >= maxStreams) {
      throw new MeshError('UNAVAILABLE', `${maxStreams} streams are open, which is the limit`);
    }
    this.#streams.add(response);
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const tick = (): void => {
      if (response.writableLength > maxStreamBufferBytes) {
        response.destroy();
        return;
      }
      response.write(`event: overview\ndata: ${JSON.stringify(this.#queries.overview(windowSeconds))}\n\n`);
      timer = this.#clock.setTimeout(tick, streamPeriodMs, { unref: true });
    };
    let timer = this.#clock.setTimeout(tick, 0);
    response.on('close', () => {
      timer.cancel();
      this.#streams.delete(response);
    });
  }
}

function windowOf(url: URL): number {
  const text = url.searchParams.get('window');
  if (text === null) {
    return defaultWindowSeconds;
  }
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > maxWindowSeconds) {
    throw new MeshError('INVALID', `window=${text}: must be a whole number of seconds from 1 to ${maxWindowSeconds}`);
  }
  return seconds;
}

/** @throws MeshError `INVALID` */
function explainedRequest(query: URLSearchParams): ExplainedRequest {
  const text = query.get('url') ?? '';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new MeshError('INVALID', `url=${text}: must be an absolute URL such as http://reviews:9080/`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new MeshError('INVALID', `url=${text}: must begin with http:// or https://`);
  }
  const headers = new Map<string, string>();
  for (const line of query.getAll('header')) {
    const colon = line.indexOf(':');
    if (colon < 1) {
      throw new MeshError('INVALID', `header=${line}: must be name: value`);
    }
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)},${value}` : value);
  }
  // A port that is the scheme's own is no part of a URL's host, but may have been written.
  const target = /^https?:\/\/([^/?#]*)/.exec(text)?.[1] ?? url.host;
  return {
    method: (query.get('method') ?? 'GET').toUpperCase(),
    scheme: url.protocol.slice(0, -1),
    authority: headers.get('host') ?? target,
    target,
    path: url.pathname,
    query: url.searchParams,
    headers,
  };
}

function decodePart(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    throw new MeshError('INVALID', 'the path is not well encoded');
  }
}

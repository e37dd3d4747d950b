import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { freePort } from '@weft/testkit';
import type { BackendRequest, ClusterSpec } from './configuration.ts';
import { fieldsOf } from './fields.ts';

/** By this field a request is known everywhere: `<side>-<number>`. */
export const idField = 'x-diff-id';

/**
 * Backends that record what they get and answer as the request's fields say: `x-backend-status` (a list is for the tries one after the
 * other), `x-backend-headers` (`name:value|name:value`), `x-backend-delay` (ms), `x-backend-size` (bytes), `x-backend-reset` (the
 * connection is cut, for the tries that the list says `1` for).
 */
export class Backends {
  readonly ports = new Map<string, readonly number[]>();
  readonly #servers: http.Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #seen = new Map<string, BackendRequest[]>();

  async add(spec: ClusterSpec): Promise<void> {
    const ports: number[] = [];
    for (let index = 0; index < (spec.endpoints ?? 1); index += 1) {
      ports.push(spec.refuses === true ? await freePort() : await this.#start(spec.name));
    }
    this.ports.set(spec.name, ports);
  }

  /** What came with this id, in an order that does not depend on time. */
  seen(id: string): readonly BackendRequest[] {
    return this.#seen.get(id) ?? [];
  }

  forget(): void {
    this.#seen.clear();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  async #start(cluster: string): Promise<number> {
    const server = http.createServer({ keepAliveTimeout: 600_000, maxHeaderSize: 1 << 20 }, (request, response) =>
      this.#answer(cluster, request, response),
    );
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  #answer(cluster: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    const pieces: Buffer[] = [];
    const id = String(request.headers[idField] ?? '');
    const list = this.#seen.get(id) ?? [];
    this.#seen.set(id, list);
    // Tries are counted when they begin: one that is given up has no end.
    const attempt = list.length;
    const entry = {
      cluster,
      method: request.method ?? '',
      path: request.url ?? '',
      headers: fieldsOf(request.rawHeaders),
      body: '',
    };
    list.push(entry);
    request.on('error', () => {});
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      entry.body = Buffer.concat(pieces).toString('latin1');
      const told = (name: string): string => {
        const values = String(request.headers[name] ?? '').split(',');
        return (values[attempt] ?? values.at(-1) ?? '').trim();
      };
      if (told('x-backend-reset') === '1') {
        request.socket.destroy();
        return;
      }
      const delay = Number(told('x-backend-delay') || 0);
      const reply = (): void => {
        if (response.destroyed) {
          return;
        }
        const headers: string[] = [];
        for (const pair of String(request.headers['x-backend-headers'] ?? '').split('|')) {
          const colon = pair.indexOf(':');
          if (colon > 0) {
            headers.push(pair.slice(0, colon), pair.slice(colon + 1));
          }
        }
        const size = Number(told('x-backend-size') || 0);
        const body = size > 0 ? 'x'.repeat(size) : `from ${cluster}`;
        headers.push('content-length', String(body.length));
        response.sendDate = true;
        response.writeHead(Number(told('x-backend-status') || 200), headers);
        response.end(request.method === 'HEAD' ? undefined : body);
      };
      if (delay > 0) {
        setTimeout(reply, delay);
      } else {
        reply();
      }
    });
  }
}

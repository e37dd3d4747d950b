import { createServer, type Server } from 'node:http';
import { MeshError } from '@weft/base';

/** `GET /ready` on loopback: 200 when the workload's gRPC library finds all that it needs, else 503. */
export class Admin {
  readonly #server: Server;

  constructor(isReady: () => boolean) {
    this.#server = createServer({ maxHeaderSize: 8_192 }, (request, response) => {
      const known = request.method === 'GET' && request.url === '/ready';
      const status = known ? (isReady() ? 200 : 503) : 404;
      response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' });
      response.end(known ? (status === 200 ? 'LIVE\n' : 'PRE_INITIALIZING\n') : 'the agent has GET /ready only\n');
    });
  }

  /** @throws MeshError `PORT_IN_USE`. */
  listen(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(MeshError.from(error)));
      this.#server.listen(port, address, resolve);
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import type { TestApi } from '@weft/testkit';

/** The services of Istio's samples, as far as routing sees them: each says who it is. */
export class StandIns {
  readonly #api: TestApi;
  readonly #servers: (Server | TcpServer)[] = [];
  /** Requests by `<app>-<version>`. */
  readonly requests = new Map<string, number>();

  constructor(api: TestApi) {
    this.#api = api;
  }

  /** An HTTP service that answers with its name, and takes upgrades as an echo. */
  async http(app: string, version: string, portName: string): Promise<void> {
    const name = `${app}-${version}`;
    const server = createServer((request, response) => {
      this.requests.set(name, (this.requests.get(name) ?? 0) + 1);
      request.resume();
      response.setHeader('x-served-by', name).end(`${name} ${request.method} ${request.url}`);
    });
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    await this.#serve(server, app, version, portName);
  }

  /** A TCP service that sends each line back with its version before it, as tcp-echo does. */
  async tcp(app: string, version: string, portName: string): Promise<void> {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (line) => socket.write(`${version} ${line.toString('utf8')}`));
    });
    await this.#serve(server, app, version, portName);
  }

  async #serve(server: Server | TcpServer, app: string, version: string, portName: string): Promise<void> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    const { port } = server.address() as AddressInfo;
    const { status, body } = await this.#api.request(
      'POST',
      '/apis/networking.istio.io/v1/namespaces/default/workloadentries',
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'WorkloadEntry',
        metadata: { name: `${app}-${version}`, namespace: 'default' },
        spec: { address: '127.0.0.1', ports: { [portName]: port }, labels: { app, version } },
      },
    );
    if (status !== 201) {
      throw new Error(`WorkloadEntry ${app}-${version}: ${status} ${JSON.stringify(body)}`);
    }
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      if ('closeAllConnections' in server) {
        server.closeAllConnections();
      }
    }
  }
}

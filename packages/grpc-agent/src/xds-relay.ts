import { createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { HostPort } from '@weft/agent';
import { type Logger, MeshError } from '@weft/base';

/** How long the control plane may take to answer a connection. */
const connectTimeoutMs = 5_000;

export interface XdsRelayOptions {
  readonly address: HostPort;
  /** Asked for each connection: a renewed certificate is shown by the next one. */
  readonly credentials: () => ConnectionOptions;
  readonly logger: Logger;
}

/**
 * Carries connections of the workload's gRPC library to the control plane, byte for byte, in mutual TLS: what is HTTP/2 in the clear on the
 * socket is HTTP/2 inside of TLS. Not every gRPC library can show a certificate to its xDS server itself.
 */
export class XdsRelay {
  readonly #options: XdsRelayOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(options: XdsRelayOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** @param path of a Unix socket. @throws MeshError when it cannot be bound. */
  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(MeshError.from(error)));
      this.#server.listen(path, resolve);
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) {
      socket.destroy();
    }
  }

  #accept(client: Socket): void {
    const { address, credentials, logger } = this.#options;
    this.#keep(client);
    const fail = (problem: string): void => {
      logger.warn('the control plane is not reached', { address: `${address.host}:${address.port}`, reason: problem });
      client.destroy();
      server.destroy();
    };
    const server: TLSSocket = connect({
      ...credentials(),
      host: address.host,
      port: address.port,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
      // Said outright: NODE_TLS_REJECT_UNAUTHORIZED=0 of a developer's shell must not open the way for others.
      rejectUnauthorized: true,
      timeout: connectTimeoutMs,
    });
    this.#keep(server);
    server.on('error', (error) => fail(error.message));
    server.once('timeout', () => fail(`no connection within ${connectTimeoutMs} ms`));
    client.on('error', () => server.destroy());
    client.once('close', () => server.destroy());
    server.once('secureConnect', () => {
      if (server.alpnProtocol !== 'h2') {
        fail('it does not speak HTTP/2');
        return;
      }
      server.setTimeout(0);
      // How a connection ends is for gRPC to judge: it connects again.
      const ended = (): void => {};
      pipeline(client, server, ended);
      pipeline(server, client, ended);
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }
}

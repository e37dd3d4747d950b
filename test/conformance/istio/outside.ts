import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { connectionOwners } from '@weft/testkit';
import { createIssuer, createKeyPair, type KeyPair } from '../gateway-api/certificates.ts';

/** One request as a host outside of the mesh saw it. */
export interface Seen {
  readonly path: string;
  readonly authority: string;
  readonly secure: boolean;
  /** Name that the client of TLS asked for; empty without TLS. */
  readonly serverName: string;
  /** SAN of the client's certificate; empty without one. */
  readonly clientNames: string;
  /** The command lines of the processes that hold the other end of the connection. */
  readonly from: string;
}

/** A host outside of the mesh: HTTP at port 80, HTTPS at 443, of an address of its own. In a private network. */
export class OutsideHost {
  readonly name: string;
  readonly address: string;
  /** Certificate of the authority that vouches for it, and for nobody else. */
  readonly authority: string;
  readonly seen: Seen[] = [];
  /** The port of each connection that came, whatever became of it. */
  readonly connections: number[] = [];
  readonly #servers: readonly ReturnType<typeof createHttpServer>[];

  private constructor(name: string, address: string, authority: string, keyPair: KeyPair) {
    this.name = name;
    this.address = address;
    this.authority = authority;
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response);
    const { certificate: cert, key } = keyPair;
    this.#servers = [
      createHttpServer(answer),
      // Whoever has a certificate is told of; none is needed.
      createHttpsServer({ cert, key, requestCert: true, rejectUnauthorized: false }, answer),
    ];
  }

  static async start(name: string, address: string): Promise<OutsideHost> {
    const issuer = await createIssuer(`authority of ${name}`);
    const keyPair = await createKeyPair([name], { issuer });
    const host = new OutsideHost(name, address, issuer.certificate, keyPair);
    await Promise.all(
      host.#servers.map((server, index) => {
        const port = index === 0 ? 80 : 443;
        server.on('connection', () => host.connections.push(port));
        return new Promise<void>((resolve) => server.listen(port, address, resolve));
      }),
    );
    return host;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as Partial<TLSSocket> & IncomingMessage['socket'];
    const secure = socket.encrypted === true;
    this.seen.push({
      path: request.url ?? '',
      authority: request.headers.host ?? '',
      secure,
      serverName: secure ? String((socket as TLSSocket & { servername?: string }).servername ?? '') : '',
      clientNames: secure ? (socket.getPeerCertificate?.().subjectaltname ?? '') : '',
      from: connectionOwners(socket.remotePort ?? 0)
        .filter((command) => !command.includes(process.argv[1] ?? ''))
        .join('\n'),
    });
    response.end(`${this.name} ${secure ? 'https' : 'http'}`);
  }

  /** The request with this path. @throws Error when there was none, or several. */
  only(path: string): Seen {
    const found = this.seen.filter((request) => request.path === path);
    const [request] = found;
    if (request === undefined || found.length > 1) {
      throw new Error(`${this.name} saw ${found.length} requests for ${path}`);
    }
    return request;
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

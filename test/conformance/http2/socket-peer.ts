import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { FrameParser } from '../../../packages/http-codec/test/hand-made-frames.ts';
import { Http2Peer } from './peer.ts';

/** A peer over TCP, or over TLS by ALPN `h2`. */
export class SocketPeer extends Http2Peer {
  readonly #socket: Socket;
  readonly #parser = new FrameParser();

  private constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (bytes) => this.received(this.#parser.push(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => this.ended());
    socket.on('end', () => this.ended());
  }

  static async connect(port: number, roots?: string): Promise<SocketPeer> {
    if (roots === undefined) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return new SocketPeer(socket);
    }
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca: roots,
      ALPNProtocols: ['h2'],
      // The certificate names an identity, not a host.
      checkServerIdentity: () => undefined,
    });
    await once(socket, 'secureConnect');
    if (socket.alpnProtocol !== 'h2') {
      throw new Error(`ALPN chose ${socket.alpnProtocol}`);
    }
    return new SocketPeer(socket);
  }

  send(...bytes: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  end(): void {
    this.#socket.destroy();
  }
}

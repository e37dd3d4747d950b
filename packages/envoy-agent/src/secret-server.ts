import { Server, ServerCredentials } from '@grpc/grpc-js';
import { PrivateSocket } from '@weft/agent';
import { type Clock, type Logger, MeshError } from '@weft/base';
import type { Svid } from '@weft/identity';
import { createSnapshot, createXdsServer, encodeResource, grpcServerOptions, type XdsServer } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import type { TlsCertificate } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';

const clientKey = 'envoy';

/**
 * Serves the key pair to the Envoy beside us: SDS on a Unix socket that only its owner can open. The same server code as the
 * control plane's, with one client and one resource.
 */
export class SecretServer {
  readonly #socket: PrivateSocket;
  readonly #grpc: Server;
  readonly #xds: XdsServer;
  #generation = 0;

  private constructor(socket: PrivateSocket, grpc: Server, xds: XdsServer) {
    this.#socket = socket;
    this.#grpc = grpc;
    this.#xds = xds;
  }

  /** @throws MeshError when the socket cannot be made. */
  static async start(options: {
    readonly folder: string;
    readonly clock: Clock;
    readonly logger: Logger;
  }): Promise<SecretServer> {
    const { clock, logger } = options;
    const xds = createXdsServer({
      clock,
      logger,
      authorize: () => ({ accept: clientKey }),
      identifier: 'weft-agent',
    });
    const grpc = new Server(grpcServerOptions);
    xds.addTo(grpc);
    const socket = new PrivateSocket(options.folder, 'sds.sock');
    await socket.bind(
      (path) =>
        new Promise<void>((resolve, reject) => {
          grpc.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
            if (error === null) {
              resolve();
            } else {
              reject(MeshError.from(error, 'PERMISSION_DENIED'));
            }
          });
        }),
    );
    return new SecretServer(socket, grpc, xds);
  }

  /** Path of the socket. */
  get socket(): string {
    return this.#socket.path;
  }

  /** Pushes a key pair to Envoy under the name `default`. */
  publish(svid: Svid): void {
    this.#generation += 1;
    const value = Secret.encode(secretOf(svid)).finish();
    const resource = encodeResource({ typeUrl: typeUrls.secret, name: 'default', value });
    this.#xds.setSnapshot(clientKey, createSnapshot(this.#generation, [resource]));
  }

  close(): void {
    this.#xds.close();
    this.#grpc.forceShutdown();
    this.#socket.remove();
  }
}

function secretOf(svid: Svid): Secret {
  return { name: 'default', type: { $case: 'tlsCertificate', value: certificateOf(svid) } };
}

function certificateOf(svid: Svid): TlsCertificate {
  const text = (inlineString: string) => ({
    specifier: { $case: 'inlineString' as const, value: inlineString },
    watchedDirectory: undefined,
  });
  return {
    certificateChain: text(svid.chainPem),
    privateKey: text(svid.key.revealPem()),
    pkcs12: undefined,
    watchedDirectory: undefined,
    privateKeyProvider: undefined,
    password: undefined,
    ocspStaple: undefined,
    signedCertificateTimestamp: [],
  };
}

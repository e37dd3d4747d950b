import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Clock, type Logger, MeshError } from '@weft/base';
import type { Svid } from '@weft/identity';
import { createSnapshot, createXdsServer, encodeResource, grpcServerOptions, type XdsServer } from '@weft/xds-server';
import { typeUrls } from '@weft/xds-types';
import type { TlsCertificate } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { Secret } from '@weft/xds-types/envoy/extensions/transport_sockets/tls/v3/secret.ts';

/** `sockaddr_un.sun_path` holds 108 bytes with its final zero. */
const maxSocketPath = 107;
const clientKey = 'envoy';

/**
 * Serves the key pair to the Envoy beside us: SDS on a Unix socket that only its owner can open. The same server code as the
 * control plane's, with one client and one resource.
 */
export class SecretServer {
  readonly socket: string;
  readonly #grpc: Server;
  readonly #xds: XdsServer;
  #generation = 0;

  private constructor(socket: string, grpc: Server, xds: XdsServer) {
    this.socket = socket;
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
    const socket = socketPath(options.folder);
    rmSync(socket, { force: true });
    // The socket gets its rights from the mask of the process at the moment it is bound.
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        grpc.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
          if (error === null) {
            resolve();
          } else {
            reject(MeshError.from(error, 'PERMISSION_DENIED'));
          }
        });
      });
    } finally {
      process.umask(mask);
    }
    return new SecretServer(socket, grpc, xds);
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
    rmSync(this.socket, { force: true });
    if (dirname(this.socket).startsWith(join(tmpdir(), temporaryPrefix))) {
      rmSync(dirname(this.socket), { recursive: true, force: true });
    }
  }
}

const temporaryPrefix = 'weft-sds-';

/** In the private folder of the workload; where that path is too long for a socket, in a private folder of its own. */
function socketPath(folder: string): string {
  const path = join(folder, 'sds.sock');
  return Buffer.byteLength(path) <= maxSocketPath
    ? path
    : join(mkdtempSync(join(tmpdir(), temporaryPrefix)), 'sds.sock');
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

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@weft/base';
import { createCsr, formatWorkloadId, generatePrivateKey } from '@weft/identity';
import { CertificateAuthority } from '@weft/identity/authority';
import { type ClientCredentials, createGrpcChannel, type GrpcChannel, type GrpcStatus } from '@weft/xds-client';
import type { MessageCodec } from '@weft/xds-types';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { createXdsServer, grpcServerOptions, type XdsServer, type XdsServerOptions } from '../src/index.ts';
import { blank } from './stream-fixture.ts';

export interface ClientPair {
  readonly spiffeId: string;
  readonly credentials: ClientCredentials;
}

/** A certificate authority and what it gives out, for one test. */
export class TestAuthority {
  readonly #authority: CertificateAuthority;

  private constructor(authority: CertificateAuthority) {
    this.#authority = authority;
  }

  static async create(): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-xds-server-'));
    try {
      return new TestAuthority(await CertificateAuthority.open({ folder, clock: systemClock, logger: silentLogger }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  get rootsPem(): string {
    return this.#authority.trustBundle.value.pem;
  }

  async serverCredentials(): Promise<ServerCredentials> {
    const pair = await this.#authority.issueServer({ dnsNames: ['control-plane.test'], ipAddresses: ['127.0.0.1'] });
    const key = Buffer.from(pemOf(pair.key));
    const keyPair = { private_key: key, cert_chain: Buffer.from(pair.chainPem) };
    return ServerCredentials.createSsl(Buffer.from(this.rootsPem), [keyPair], true);
  }

  /** @param trusts whose server the client trusts; default: ours. */
  async client(serviceAccount: string, trusts: TestAuthority = this): Promise<ClientPair> {
    const spiffeId = formatWorkloadId({ trustDomain: 'cluster.local', namespace: 'test', serviceAccount });
    const key = await generatePrivateKey();
    const { certChain } = await this.#authority.issueSvid({ csrPem: createCsr(key, spiffeId), identity: spiffeId });
    return {
      spiffeId,
      credentials: { kind: 'tls', tls: { ca: trusts.rootsPem, cert: certChain.join(''), key: pemOf(key) } },
    };
  }
}

function pemOf(key: Awaited<ReturnType<typeof generatePrivateKey>>): string {
  return key.reveal().export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** One stream of a client, with messages to wait for. */
export class TestStream<Request, Response> {
  readonly #received: Response[] = [];
  readonly #waiters: (() => void)[] = [];
  readonly #write: (bytes: Uint8Array) => void;
  readonly #request: MessageCodec<Request>;
  readonly status: Promise<GrpcStatus>;

  constructor(channel: GrpcChannel, path: string, request: MessageCodec<Request>, response: MessageCodec<Response>) {
    this.#request = request;
    let stream: { write(bytes: Uint8Array): void } | undefined;
    this.status = new Promise((resolve) => {
      stream = channel.open(path, {
        onMessage: (bytes) => {
          this.#received.push(response.decode(bytes));
          this.#waiters.shift()?.();
        },
        onEnd: resolve,
      });
    });
    this.#write = (bytes) => stream?.write(bytes);
  }

  write(message: Request): void {
    this.#write(this.#request.encode(message).finish());
  }

  writeBytes(bytes: Uint8Array): void {
    this.#write(bytes);
  }

  async next(): Promise<Response> {
    if (this.#received.length === 0) {
      const arrived = new Promise<void>((resolve) => this.#waiters.push(resolve));
      const ended = this.status.then((status) => {
        throw new Error(`the stream ended: ${JSON.stringify(status)}`);
      });
      await Promise.race([arrived, ended]);
    }
    return this.#received.shift() as Response;
  }
}

/** The server on real gRPC, with plaintext or mutual TLS. */
export class GrpcFixture implements AsyncDisposable {
  readonly xds: XdsServer;
  readonly #channels: GrpcChannel[] = [];
  #server: Server | undefined;
  port = 0;

  private constructor(options: Partial<XdsServerOptions>) {
    this.xds = createXdsServer({
      logger: silentLogger,
      clock: systemClock,
      authorize: (_peer, { id }) => ({ accept: id }),
      ...options,
    });
  }

  static async start(options: Partial<XdsServerOptions> = {}, credentials?: ServerCredentials): Promise<GrpcFixture> {
    const fixture = new GrpcFixture(options);
    const server = new Server(grpcServerOptions);
    fixture.xds.addTo(server);
    fixture.#server = server;
    fixture.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials ?? ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return fixture;
  }

  channel(credentials: ClientCredentials = { kind: 'plaintext' }): GrpcChannel {
    const channel = createGrpcChannel({
      address: { host: '127.0.0.1', port: this.port },
      credentials: () => credentials,
      clock: systemClock,
    });
    this.#channels.push(channel);
    return channel;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const channel of this.#channels) {
      channel.close();
    }
    this.xds.close();
    this.#server?.forceShutdown();
  }
}

export const nodeOf = (id: string): Node => ({ ...blank(Node), id });

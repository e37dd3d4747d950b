import { type Client, Server, ServerCredentials } from '@grpc/grpc-js';
import { silentLogger } from '@weft/base';
import { ManualClock } from '@weft/testkit';
import {
  type ClientChange,
  createSnapshot,
  createXdsServer,
  type EncodedResource,
  grpcServerOptions,
  type Snapshot,
  type XdsServer,
  type XdsServerOptions,
} from '@weft/xds-server';
import { connect } from './scripted-client.ts';
import { DeltaSession, markerPrefix, type Session, type SessionOptions, SotwSession, type Variant } from './session.ts';

/** The xDS server on a real gRPC server, with a clock that is turned by hand. */
export class ServerFixture implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly xds: XdsServer;
  readonly changes: { readonly key: string; readonly change: ClientChange }[] = [];
  readonly connected: string[] = [];
  readonly disconnected: string[] = [];
  readonly #clients: Client[] = [];
  #server: Server | undefined;
  #address = '';
  #storeVersion = 0;
  #snapshots = new Map<string, Snapshot>();

  private constructor(options: Partial<XdsServerOptions>) {
    this.xds = createXdsServer({
      logger: silentLogger,
      clock: this.clock,
      authorize: (_peer, { id }) => ({ accept: id }),
      onConnect: ({ key }) => {
        if (key.startsWith(markerPrefix)) {
          this.xds.setSnapshot(key, createSnapshot(0, []));
        } else {
          this.connected.push(key);
        }
      },
      onDisconnect: ({ key }) => {
        if (!key.startsWith(markerPrefix)) {
          this.disconnected.push(key);
        }
      },
      onChange: ({ key }, change) => {
        if (!key.startsWith(markerPrefix)) {
          this.changes.push({ key, change });
        }
      },
      ...options,
    });
  }

  static async start(options: Partial<XdsServerOptions> = {}): Promise<ServerFixture> {
    const fixture = new ServerFixture(options);
    const server = new Server(grpcServerOptions);
    fixture.xds.addTo(server);
    fixture.#server = server;
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    fixture.#address = `127.0.0.1:${port}`;
    return fixture;
  }

  get address(): string {
    return this.#address;
  }

  /** The state of a node from now on. */
  set(resources: readonly EncodedResource[], nodeId = 'n'): Snapshot {
    this.#storeVersion += 1;
    const snapshot = createSnapshot(this.#storeVersion, resources, this.#snapshots.get(nodeId));
    this.#snapshots.set(nodeId, snapshot);
    this.xds.setSnapshot(nodeId, snapshot);
    return snapshot;
  }

  connect(): Client {
    const client = connect(this.#address);
    this.#clients.push(client);
    return client;
  }

  open(variant: Variant, options: SessionOptions & { readonly nodeId?: string } = {}): Session {
    return variant === 'sotw' ? this.sotw(options) : this.delta(options);
  }

  sotw(options: SessionOptions & { readonly nodeId?: string } = {}): SotwSession {
    return new SotwSession(this.connect(), options.nodeId ?? 'n', options);
  }

  delta(options: SessionOptions & { readonly nodeId?: string } = {}): DeltaSession {
    return new DeltaSession(this.connect(), options.nodeId ?? 'n', options);
  }

  /** Ends the gRPC server as a control plane does that is stopped. */
  async stop(): Promise<void> {
    this.xds.close();
    this.#server?.forceShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await this.stop();
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@weft/base';
import {
  createSnapshot,
  createXdsServer,
  type EncodedResource,
  encodeResource,
  grpcServerOptions,
  type XdsServer,
  type XdsServerOptions,
} from '@weft/xds-server';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  type ClientCredentials,
  createXdsClient,
  type Reference,
  type ResourceType,
  type UpdateBatch,
  type XdsClient,
  type XdsClientOptions,
} from '../src/index.ts';

/**
 * Resources of these tests are text: `revision|type name|type name…`, the rest being references; `bad…` is refused. Their types
 * borrow real type URLs.
 */
export const text = (
  typeUrl: TypeUrl,
  name: string,
  content: string,
  aliases: readonly string[] = [],
): EncodedResource => encodeResource({ typeUrl, name, value: Buffer.from(content), aliases });

const short: Readonly<Record<string, TypeUrl>> = {
  eds: typeUrls.endpoint,
  sds: typeUrls.secret,
  rds: typeUrls.routeConfiguration,
  vhds: typeUrls.virtualHost,
};

function textType(typeUrl: TypeUrl, subscription: ResourceType['subscription']): ResourceType {
  return {
    typeUrl,
    subscription,
    decode(_name, bytes) {
      const content = Buffer.from(bytes).toString();
      return content.startsWith('bad') ? { error: [`${content} is refused`] } : { ok: content };
    },
    nameOf: () => undefined,
    references: (value): Reference[] =>
      String(value)
        .split('|')
        .slice(1)
        .map((reference) => {
          const [kind = '', name = ''] = reference.split(' ');
          return { typeUrl: short[kind] ?? typeUrls.endpoint, name, whenMissing: kind === 'sds' ? 'wait' : 'proceed' };
        }),
  };
}

const textTypes: readonly ResourceType[] = [
  textType(typeUrls.cluster, 'wildcard'),
  textType(typeUrls.endpoint, 'by-reference'),
  textType(typeUrls.secret, 'by-reference'),
  textType(typeUrls.listener, 'wildcard'),
  textType(typeUrls.routeConfiguration, 'by-reference'),
  textType(typeUrls.virtualHost, 'by-reference'),
];

export const node: Node = { ...Node.decode(new Uint8Array(0)), id: 'n' };

/** The real server, which can be stopped and started again on its port. */
export class RealServer implements AsyncDisposable {
  readonly #options: Partial<XdsServerOptions>;
  readonly #credentials: ServerCredentials;
  xds: XdsServer;
  /** Channel options besides the usual ones. */
  grpcOptions: Readonly<Record<string, number>> = {};
  #server: Server | undefined;
  #storeVersion = 0;
  port = 0;

  constructor(
    options: Partial<XdsServerOptions> = {},
    credentials: ServerCredentials = ServerCredentials.createInsecure(),
  ) {
    this.#options = options;
    this.#credentials = credentials;
    this.xds = this.#create();
  }

  #create(): XdsServer {
    return createXdsServer({
      logger: silentLogger,
      clock: systemClock,
      authorize: (_peer, { id }) => ({ accept: id }),
      ...this.#options,
    });
  }

  async start(): Promise<void> {
    this.xds = this.#create();
    const server = new Server({ ...grpcServerOptions, ...this.grpcOptions });
    this.xds.addTo(server);
    this.#server = server;
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, this.#credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  set(...resources: EncodedResource[]): void {
    this.#storeVersion += 1;
    this.xds.setSnapshot('n', createSnapshot(this.#storeVersion, resources));
  }

  /** As a crash: connections break. */
  stop(): void {
    this.#server?.forceShutdown();
    this.xds.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
  }
}

export interface TestClient {
  readonly client: XdsClient;
  readonly batches: UpdateBatch[];
  /** `CDS a=1` for what is active, sorted. */
  active(): string[];
}

const labels = new Map(
  Object.entries({
    CDS: typeUrls.cluster,
    EDS: typeUrls.endpoint,
    SDS: typeUrls.secret,
    LDS: typeUrls.listener,
    RDS: typeUrls.routeConfiguration,
    VHDS: typeUrls.virtualHost,
  }).map(([label, typeUrl]) => [typeUrl, label]),
);

/** A client of the text types; closed at the end of the test. */
export function testClient(t: TestContext, port: number, options: Partial<XdsClientOptions> = {}): TestClient {
  const batches: UpdateBatch[] = [];
  const values = new Map<string, string>();
  const client = createXdsClient({
    address: { host: '127.0.0.1', port },
    credentials: (): ClientCredentials => ({ kind: 'plaintext' }),
    node,
    types: textTypes,
    cacheFile: undefined,
    cacheDelayMs: 5,
    clock: systemClock,
    logger: silentLogger,
    backoff: { baseMs: 5, maxMs: 20 },
    ...options,
    onUpdate(batch) {
      batches.push(batch);
      for (const change of batch.changes) {
        const key = `${labels.get(change.typeUrl)} ${change.name}`;
        if (change.kind === 'set') {
          values.set(key, String(change.value).split('|')[0] ?? '');
        } else {
          values.delete(key);
        }
      }
    },
  });
  t.after(() => client.close());
  return { client, batches, active: () => [...values].map(([key, value]) => `${key}=${value}`).sort() };
}

export async function temporaryFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-xds-client-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return join(folder, 'xds.cache');
}

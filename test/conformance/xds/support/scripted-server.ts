import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import { type EncodedResource, encodeResource } from '@weft/xds-server';
import type { TypeUrl } from '@weft/xds-types';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
  Resource,
} from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import type { Any } from '@weft/xds-types/google/protobuf/any.ts';
import { blank } from './resources.ts';
import { type Variant, wrapperTypeUrl } from './session.ts';

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
const asIs = (bytes: Buffer): Buffer => bytes;
const patienceMs = 5_000;

/** A request in words that both variants share. */
export interface ClientRequest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error: string | undefined;
  readonly nodeId: string | undefined;
  /** SotW: all names. Delta: the names subscribed to by this request. */
  readonly names: readonly string[];
  readonly unsubscribed: readonly string[];
  /** SotW: `version_info`. */
  readonly version: string;
  /** Delta: `initial_resource_versions`. */
  readonly versions: Readonly<Record<string, string>>;
}

/** One resource to be sent, and how. */
export interface Sent {
  readonly resource: EncodedResource;
  readonly ttlSeconds?: number;
  /** A heartbeat: no body. */
  readonly empty?: boolean;
  /** Goes out under another type URL. */
  readonly typeUrl?: string;
}

const sentOf = (item: EncodedResource | Sent): Sent => ('resource' in item ? item : { resource: item });

/** One stream of the client under test. */
export class ServedStream {
  readonly variant: Variant;
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #requests: ClientRequest[] = [];
  readonly #waiters = new Set<() => void>();
  #nonces = 0;
  ended = false;

  constructor(variant: Variant, call: ServerDuplexStream<Buffer, Buffer>) {
    this.variant = variant;
    this.#call = call;
    call.on('data', (bytes: Buffer) => {
      this.#requests.push(requestFrom(variant, bytes));
      this.#wake();
    });
    const end = (): void => {
      this.ended = true;
      this.#wake();
    };
    call.on('end', () => {
      call.end();
      end();
    });
    call.on('cancelled', end);
    call.on('error', end);
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      waiter();
    }
  }

  get pending(): readonly ClientRequest[] {
    return this.#requests;
  }

  /** The next request for which `accepts` holds; the ones before it stay. */
  take(what: string, accepts: (request: ClientRequest) => boolean): Promise<ClientRequest> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const at = this.#requests.findIndex(accepts);
        const [found] = at === -1 ? [] : this.#requests.splice(at, 1);
        if (found !== undefined) {
          this.#waiters.delete(check);
          clearTimeout(timer);
          resolve(found);
        }
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(check);
        reject(new Error(`no ${what}; pending: ${JSON.stringify(this.#requests)}`));
      }, patienceMs);
      this.#waiters.add(check);
      check();
    });
  }

  /** The request that (first) asks for the type, or for `name` of it. */
  asked(typeUrl: TypeUrl, name?: string): Promise<ClientRequest> {
    return this.take(
      `request for ${name ?? 'all'} of ${typeUrl}`,
      (request) => request.typeUrl === typeUrl && (name === undefined || request.names.includes(name)),
    );
  }

  /** The ACK or NACK of a response. */
  answered(nonce: string): Promise<ClientRequest> {
    return this.take(`answer to ${nonce}`, (request) => request.nonce === nonce);
  }

  /** Sends a response; the result is its nonce. */
  send(
    typeUrl: TypeUrl,
    items: readonly (EncodedResource | Sent)[],
    options: { readonly removed?: readonly string[]; readonly version?: string } = {},
  ): string {
    this.#nonces += 1;
    const nonce = `nonce-${this.#nonces}`;
    const version = options.version ?? `version-${this.#nonces}`;
    const message =
      this.variant === 'delta'
        ? DeltaDiscoveryResponse.encode({
            ...blank(DeltaDiscoveryResponse),
            typeUrl,
            nonce,
            systemVersionInfo: version,
            resources: items.map((item) => wrapperOf(sentOf(item))),
            removedResources: [...(options.removed ?? [])],
          })
        : DiscoveryResponse.encode({
            ...blank(DiscoveryResponse),
            typeUrl,
            nonce,
            versionInfo: version,
            resources: items.map((item) => anyOf(sentOf(item))),
          });
    this.#call.write(Buffer.from(message.finish()));
    return nonce;
  }

  /** Sends and waits for the answer. */
  exchange(
    typeUrl: TypeUrl,
    items: readonly (EncodedResource | Sent)[],
    options: { readonly removed?: readonly string[]; readonly version?: string } = {},
  ): Promise<ClientRequest> {
    return this.answered(this.send(typeUrl, items, options));
  }

  /** Breaks the stream. */
  fail(): void {
    this.#call.emit('error', { code: 14, details: 'the scripted server breaks the stream' });
  }
}

function wrapperOf({ resource, ttlSeconds, empty, typeUrl }: Sent): Resource {
  return {
    ...blank(Resource),
    name: resource.name,
    version: resource.version,
    aliases: [...(resource.aliases ?? [])],
    ttl: ttlSeconds === undefined ? undefined : { seconds: BigInt(ttlSeconds), nanos: 0 },
    resource: empty === true ? undefined : { typeUrl: typeUrl ?? resource.typeUrl, value: resource.value as Buffer },
  };
}

function anyOf(sent: Sent): Any {
  if (sent.ttlSeconds !== undefined || sent.empty === true) {
    return { typeUrl: wrapperTypeUrl, value: Buffer.from(Resource.encode(wrapperOf(sent)).finish()) };
  }
  return { typeUrl: sent.typeUrl ?? sent.resource.typeUrl, value: sent.resource.value as Buffer };
}

function requestFrom(variant: Variant, bytes: Uint8Array): ClientRequest {
  if (variant === 'sotw') {
    const request = DiscoveryRequest.decode(bytes);
    return {
      typeUrl: request.typeUrl,
      nonce: request.responseNonce,
      error: request.errorDetail?.message,
      nodeId: request.node?.id,
      names: request.resourceNames,
      unsubscribed: [],
      version: request.versionInfo,
      versions: {},
    };
  }
  const request = DeltaDiscoveryRequest.decode(bytes);
  return {
    typeUrl: request.typeUrl,
    nonce: request.responseNonce,
    error: request.errorDetail?.message,
    nodeId: request.node?.id,
    names: request.resourceNamesSubscribe,
    unsubscribed: request.resourceNamesUnsubscribe,
    version: '',
    versions: request.initialResourceVersions,
  };
}

/** The same name and version with bytes that are no protobuf of the type. */
export function garbage(resource: EncodedResource): EncodedResource {
  return encodeResource({ typeUrl: resource.typeUrl, name: resource.name, value: Buffer.from([0x0a, 0xff, 0xff]) });
}

/** An ADS server that does what a scenario says and nothing else. */
export class ScriptedServer {
  readonly #streams: ServedStream[] = [];
  readonly #waiters: ((stream: ServedStream) => void)[] = [];
  #server: Server | undefined;
  port = 0;

  /** @param port 0: any. */
  async start(port = 0): Promise<void> {
    const method = (name: string): ServiceDefinition[string] => ({
      path: `${service}/${name}`,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    });
    const server = new Server();
    const names = { StreamAggregatedResources: 'sotw', DeltaAggregatedResources: 'delta' } as const;
    for (const [name, variant] of Object.entries(names)) {
      server.addService(
        { [name]: method(name) },
        { [name]: (call: ServerDuplexStream<Buffer, Buffer>) => this.#accept(new ServedStream(variant, call)) },
      );
    }
    this.#server = server;
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }

  #accept(stream: ServedStream): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#streams.push(stream);
    } else {
      waiter(stream);
    }
  }

  get waitingStreams(): number {
    return this.#streams.length;
  }

  /** The next stream that the client opens. */
  stream(): Promise<ServedStream> {
    const ready = this.#streams.shift();
    if (ready !== undefined) {
      return Promise.resolve(ready);
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the client opened no stream')), patienceMs);
      this.#waiters.push((stream) => {
        clearTimeout(timer);
        resolve(stream);
      });
    });
  }

  stop(): void {
    this.#server?.forceShutdown();
  }
}

import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import type { TypeUrl } from '@weft/xds-types';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';

const ads = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
const asIs = (bytes: Buffer): Buffer => bytes;

/** How long a message that must come is waited for. */
const patienceMs = 5_000;

/** What both kinds of stream have in common: messages as they come, and how the stream ended. */
export class ScriptedStream<Request, Response> {
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #encode: (request: Request) => Uint8Array;
  readonly #received: Response[] = [];
  readonly #waiters = new Set<() => void>();
  ended: { code: number; details: string } | undefined;

  constructor(
    client: Client,
    path: string,
    encode: (request: Request) => Uint8Array,
    decode: (bytes: Uint8Array) => Response,
  ) {
    this.#encode = encode;
    this.#call = client.makeBidiStreamRequest(path, asIs, asIs);
    this.#call.on('data', (bytes: Buffer) => {
      this.#received.push(decode(bytes));
      this.#wake();
    });
    this.#call.on('error', (error: ServiceError) => {
      this.ended ??= { code: error.code, details: error.details };
      this.#wake();
    });
    this.#call.on('status', (status) => {
      this.ended ??= { code: status.code, details: status.details };
      this.#wake();
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      waiter();
    }
  }

  /** Messages that were not taken yet. */
  get pending(): readonly Response[] {
    return this.#received;
  }

  write(request: Request): void {
    this.#call.write(Buffer.from(this.#encode(request)));
  }

  writeBytes(bytes: Uint8Array): void {
    this.#call.write(Buffer.from(bytes));
  }

  /** The next message for which `accepts` holds is taken; the ones before it stay. */
  take(what: string, accepts: (response: Response) => boolean = () => true): Promise<Response> {
    return this.#until(what, () => {
      const at = this.#received.findIndex(accepts);
      return at === -1 ? undefined : this.#received.splice(at, 1)[0];
    });
  }

  /** Resolves when the server has ended the stream. */
  end(): Promise<{ code: number; details: string }> {
    return this.#until('the end of the stream', () => this.ended);
  }

  #until<T>(what: string, look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look();
        if (found !== undefined || (this.ended !== undefined && what !== 'the end of the stream')) {
          this.#waiters.delete(check);
          clearTimeout(timer);
          if (found !== undefined) {
            resolve(found);
          } else {
            reject(new Error(`the stream ended (${JSON.stringify(this.ended)}) before ${what}`));
          }
        }
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(check);
        reject(new Error(`no ${what} within ${patienceMs} ms; pending: ${this.#received.length}`));
      }, patienceMs);
      this.#waiters.add(check);
      check();
    });
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }
}

export function openSotw(
  client: Client,
  path = `${ads}/StreamAggregatedResources`,
): ScriptedStream<DiscoveryRequest, DiscoveryResponse> {
  return new ScriptedStream(
    client,
    path,
    (request: DiscoveryRequest) => DiscoveryRequest.encode(request).finish(),
    (bytes) => DiscoveryResponse.decode(bytes),
  );
}

export function openDelta(
  client: Client,
  path = `${ads}/DeltaAggregatedResources`,
): ScriptedStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  return new ScriptedStream(
    client,
    path,
    (request: DeltaDiscoveryRequest) => DeltaDiscoveryRequest.encode(request).finish(),
    (bytes) => DeltaDiscoveryResponse.decode(bytes),
  );
}

/** A plaintext connection of its own. */
export function connect(address: string): Client {
  return new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
}

export const sotwRequest = (typeUrl: TypeUrl | string, fields: Partial<DiscoveryRequest> = {}): DiscoveryRequest => ({
  versionInfo: '',
  node: undefined,
  resourceNames: [],
  resourceLocators: [],
  typeUrl,
  responseNonce: '',
  errorDetail: undefined,
  ...fields,
});

export const deltaRequest = (
  typeUrl: TypeUrl | string,
  fields: Partial<DeltaDiscoveryRequest> = {},
): DeltaDiscoveryRequest => ({
  node: undefined,
  typeUrl,
  resourceNamesSubscribe: [],
  resourceNamesUnsubscribe: [],
  resourceLocatorsSubscribe: [],
  resourceLocatorsUnsubscribe: [],
  initialResourceVersions: {},
  responseNonce: '',
  errorDetail: undefined,
  ...fields,
});

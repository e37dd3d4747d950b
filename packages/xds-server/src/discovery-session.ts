import { DeltaDiscoveryRequest, DiscoveryRequest } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import { admitCall } from './admission.ts';
import { type BytesCall, type CallHandler, endCall, type StatusName, serveCall } from './call.ts';
import type { ClientRegistry, RegisteredStream } from './client-registry.ts';
import type { ConnectedClient } from './client-state.ts';
import type { DiscoveryMethod } from './grpc-services.ts';
import type { XdsServerOptions } from './options.ts';
import { RequestBudget } from './request-budget.ts';
import type { XdsServerSettings } from './settings.ts';
import { DiscoveryStream } from './stream/discovery-stream.ts';

/** Client feature of a SotW client that understands `Resource` wrappers. */
const wrappedResourcesFeature = 'xds.config.supports-resource-in-sotw';

type Request =
  | { readonly variant: 'sotw'; readonly request: DiscoveryRequest }
  | { readonly variant: 'delta'; readonly request: DeltaDiscoveryRequest };

/** Joins one gRPC stream of a discovery service to a {@link DiscoveryStream}. */
export function serveDiscovery(
  call: BytesCall,
  method: DiscoveryMethod,
  options: XdsServerOptions,
  settings: XdsServerSettings,
  registry: ClientRegistry,
): void {
  serveCall(call, new DiscoverySession(call, method, options, settings, registry));
}

class DiscoverySession implements CallHandler {
  readonly #call: BytesCall;
  readonly #method: DiscoveryMethod;
  readonly #options: XdsServerOptions;
  readonly #settings: XdsServerSettings;
  readonly #registry: ClientRegistry;
  readonly #budget: RequestBudget;
  /** Messages that arrived while the admission was pending; flow control keeps them few. */
  #waiting: Request[] | undefined;
  #stream: DiscoveryStream | undefined;
  #client: ConnectedClient | undefined;
  #registered: RegisteredStream | undefined;
  #closed = false;

  constructor(
    call: BytesCall,
    method: DiscoveryMethod,
    options: XdsServerOptions,
    settings: XdsServerSettings,
    registry: ClientRegistry,
  ) {
    this.#call = call;
    this.#method = method;
    this.#options = options;
    this.#settings = settings;
    this.#registry = registry;
    this.#budget = new RequestBudget(options.clock, settings.limits.requestBurst, settings.limits.requestsPerSecond);
  }

  onMessage(bytes: Buffer): void {
    if (!this.#budget.take()) {
      this.#end('RESOURCE_EXHAUSTED', 'too many requests on one stream');
      return;
    }
    const request: Request =
      this.#method.variant === 'sotw'
        ? { variant: 'sotw', request: DiscoveryRequest.decode(bytes) }
        : { variant: 'delta', request: DeltaDiscoveryRequest.decode(bytes) };
    if (this.#stream !== undefined) {
      this.#handle(this.#stream, request);
    } else if (this.#waiting !== undefined) {
      this.#waiting.push(request);
    } else {
      this.#waiting = [request];
      void this.#admit(request);
    }
  }

  onClosed(): void {
    this.#closed = true;
    this.#stream?.close();
    this.#waiting = undefined;
    if (this.#client !== undefined && this.#registered !== undefined) {
      this.#registry.remove(this.#client.key, this.#registered);
    }
  }

  async #admit(first: Request): Promise<void> {
    const client = await admitCall(this.#call, first.request.node, this.#options);
    if (client === undefined || this.#closed) {
      return;
    }
    const stream = this.#createStream(client);
    const registered: RegisteredStream = {
      discovery: stream,
      end: (reason) => this.#end('UNAVAILABLE', reason),
    };
    this.#client = client;
    this.#stream = stream;
    this.#registered = registered;
    if (!this.#registry.add(client, registered)) {
      this.#registered = undefined;
      this.#end('RESOURCE_EXHAUSTED', 'too many streams of one client');
      return;
    }
    for (const request of this.#waiting ?? []) {
      this.#handle(stream, request);
    }
    this.#waiting = undefined;
  }

  #handle(stream: DiscoveryStream, { variant, request }: Request): void {
    if (this.#closed) {
      return;
    }
    if (variant === 'sotw') {
      stream.handleSotw(request);
    } else {
      stream.handleDelta(request);
    }
  }

  #createStream(client: ConnectedClient): DiscoveryStream {
    const { limits, orderTimeoutMs, followUpTimeoutMs, onDemandTimeoutMs, identifier } = this.#settings;
    const { clock, logger } = this.#options;
    return new DiscoveryStream({
      variant: this.#method.variant,
      fixedType: this.#method.typeUrl,
      wrapsResources: client.node.message.clientFeatures.includes(wrappedResourcesFeature),
      clock,
      logger: logger.with({ client: client.key }),
      identifier,
      orderTimeoutMs,
      followUpTimeoutMs,
      onDemandTimeoutMs,
      maxNamesPerType: limits.maxNamesPerType,
      maxNameLength: limits.maxNameLength,
      maxResponseBytes: limits.maxResponseBytes,
      send: (message) => void this.#call.write(message),
      end: (code, message) => this.#end(code, message),
      onSubscribe: (typeUrl, names) => this.#options.onSubscribe?.(client, typeUrl, names),
      onProgress: () => this.#registry.progressed(client.key),
      onNack: (typeUrl, nack) => {
        logger.warn('a client refused resources', { client: client.key, typeUrl, ...nack });
        this.#options.onChange?.(client, { kind: 'nacked', typeUrl, nack });
      },
    });
  }

  #end(code: StatusName, message: string): void {
    endCall(this.#call, code, message);
  }
}

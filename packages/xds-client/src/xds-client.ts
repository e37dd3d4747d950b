import { Alarm, Backoff, type Timer } from '@weft/base';
import type { TypeUrl } from '@weft/xds-types';
import { type CachedResources, CacheFile } from './cache-file.ts';
import { createGrpcChannel, type GrpcChannel, type GrpcStream } from './grpc/channel.ts';
import type { GrpcStatus } from './grpc/status.ts';
import type { DemandResult, ResourceState, XdsClient, XdsClientOptions, XdsClientState } from './options.ts';
import { DeltaProtocol } from './protocol/delta.ts';
import type { DiscoveryProtocol } from './protocol/protocol.ts';
import { type AcceptedVersions, SotwProtocol } from './protocol/sotw.ts';
import { acceptedFrom, decode, readResponse } from './read-response.ts';
import type { Entry } from './store/entry.ts';
import { ResourceStore, type TypeStore } from './store/resource-store.ts';
import type { ResourceChange } from './update.ts';

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService';

/**
 * An xDS client that keeps what it has: it serves its last good resources however long the control plane is away, from disk if
 * it starts alone, and resumes with differences only.
 */
export function createXdsClient(options: XdsClientOptions): XdsClient {
  return new Client(options);
}

interface Demand {
  readonly store: TypeStore;
  readonly name: string;
  readonly timer: Timer;
  readonly resolve: (result: DemandResult) => void;
}

/** The stream that is open, or about to be. */
interface OpenStream {
  readonly call: GrpcStream;
  readonly protocol: DiscoveryProtocol;
  /** The connection is up. */
  started: boolean;
  /** The server sent something. */
  answered: boolean;
  /** The stream on a connection that the server is about to close: kept until this one is answered, so that we are never away. */
  previous: OpenStream | undefined;
}

class Client implements XdsClient {
  readonly channel: GrpcChannel;
  readonly #options: XdsClientOptions;
  readonly #store: ResourceStore;
  readonly #cache: CacheFile | undefined;
  readonly #backoff: Backoff;
  readonly #alarm: Alarm;
  readonly #demands = new Set<Demand>();
  /** SotW: survives streams. */
  readonly #acceptedVersions: AcceptedVersions = new Map();
  #stream: OpenStream | undefined;
  #reconnect: Timer | undefined;
  #save: Timer | undefined;
  #lastError: string | undefined;
  #state: 'new' | 'running' | 'closed' = 'new';

  constructor(options: XdsClientOptions) {
    this.#options = options;
    const { address, clock, logger, types, cacheFile, node } = options;
    this.channel = createGrpcChannel({ address, clock, credentials: () => options.credentials() });
    this.#store = new ResourceStore({ types, clock, logger, fetchTimeoutMs: options.fetchTimeoutMs ?? 15_000 });
    this.#cache = cacheFile === undefined ? undefined : new CacheFile(cacheFile, node.id, logger);
    this.#backoff = new Backoff({
      baseMs: options.backoff?.baseMs ?? 200,
      maxMs: options.backoff?.maxMs ?? 5_000,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
    this.#alarm = new Alarm(clock, () => {
      this.#store.expire();
      this.#settle('server');
    });
  }

  get connected(): boolean {
    return this.#stream?.started === true || this.#stream?.previous !== undefined;
  }

  async start(): Promise<void> {
    const cached = await this.#cache?.read();
    if (this.#state !== 'new') {
      return;
    }
    this.#state = 'running';
    if (cached !== undefined) {
      this.#restore(cached);
    }
    this.#open();
  }

  #restore(cached: CachedResources): void {
    const changes: ResourceChange[] = [];
    for (const { type } of this.#store.types.values()) {
      const accepted = (cached.get(type.typeUrl) ?? []).flatMap(({ name, version, aliases, bytes }) => {
        const result = decode(type, name, bytes);
        if ('ok' in result) {
          return [acceptedFrom(name, { version, aliases, ttlMs: undefined }, bytes, result.ok, type)];
        }
        this.#options.logger.warn('a cached resource is ignored', {
          typeUrl: type.typeUrl,
          name,
          reasons: result.error,
        });
        return [];
      });
      changes.push(...this.#store.restore(type.typeUrl, accepted));
    }
    this.#deliver(changes, 'cache');
    this.#settle('cache');
  }

  // ------------------------------------------------------------------------------------------ stream

  #open(previous?: OpenStream): void {
    const { node, variant } = this.#options;
    const delta = variant !== 'sotw';
    const write = (message: Uint8Array): void => call.write(message);
    const call = this.channel.open(`${service}/${delta ? 'Delta' : 'Stream'}AggregatedResources`, {
      onStart: () => this.#onStart(stream),
      onGoaway: () => this.#renew(stream),
      onMessage: (message) => this.#onMessage(stream, message),
      onEnd: (status) => this.#onEnd(stream, status),
    });
    const stream: OpenStream = {
      call,
      protocol: delta ? new DeltaProtocol(node, write) : new SotwProtocol(node, this.#acceptedVersions, write),
      started: false,
      answered: false,
      previous,
    };
    this.#stream = stream;
    this.#subscribe(stream);
  }

  /** Makes our interest known and starts to wait for what is not there. */
  #subscribe(stream: OpenStream): void {
    for (const store of this.#store.types.values()) {
      stream.protocol.subscribe(store.interest());
      if (stream.started) {
        this.#store.startFetchTimers(store);
      }
    }
  }

  #onMessage(stream: OpenStream, message: Uint8Array): void {
    if (stream !== this.#stream) {
      return;
    }
    let response: ReturnType<DiscoveryProtocol['read']>;
    try {
      response = stream.protocol.read(message);
    } catch (error) {
      stream.call.cancel();
      this.#onEnd(stream, { code: 'INTERNAL', details: `a response cannot be decoded: ${String(error)}` });
      return;
    }
    if (!stream.answered) {
      stream.answered = true;
      this.#backoff.reset();
      stream.previous?.call.cancel();
      stream.previous = undefined;
    }
    const store = this.#store.types.get(response.typeUrl);
    if (store === undefined) {
      this.#options.logger.warn('the server sent a type that nobody asked for', { typeUrl: response.typeUrl });
      return;
    }
    const read = readResponse(response, store.type);
    this.#store.apply(store, response, read);
    // Subscriptions go out before the ACK: the server then knows at the ACK what else is needed.
    this.#settle('server');
    const error = read.refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
    if (read.refused.length > 0) {
      this.#options.logger.warn('resources were refused; their last good versions stay in use', {
        typeUrl: response.typeUrl,
        refused: read.refused,
        accepted: read.accepted.length,
      });
    }
    stream.protocol.answer(
      response,
      store.interest(),
      read.refused.length === 0
        ? undefined
        : `${error}; ${read.accepted.length} other resources of the response were accepted`,
    );
    this.#options.onAnswer?.();
  }

  #onStart(stream: OpenStream): void {
    if (stream !== this.#stream) {
      return;
    }
    stream.started = true;
    for (const store of this.#store.types.values()) {
      this.#store.startFetchTimers(store);
    }
    this.#alarm.set(this.#store.nextDeadlineMs());
    if (stream.previous === undefined) {
      this.#options.onConnectivity?.(true);
    }
  }

  /** Make before break: the old stream goes when the server has answered on the new one. */
  #renew(stream: OpenStream): void {
    if (stream === this.#stream && this.#state === 'running') {
      stream.previous?.call.cancel();
      stream.previous = undefined;
      this.#open(stream.started ? stream : undefined);
    }
  }

  #onEnd(stream: OpenStream, status: GrpcStatus): void {
    if (stream !== this.#stream || this.#state === 'closed') {
      return;
    }
    const wasUp = this.connected;
    stream.previous?.call.cancel();
    this.#stream = undefined;
    this.#lastError = `${status.code}: ${status.details}`;
    this.#store.stopFetchTimers();
    this.#alarm.set(this.#store.nextDeadlineMs());
    for (const demand of [...this.#demands]) {
      this.#resolve(demand, 'unavailable');
    }
    const delayMs = this.#backoff.nextDelayMs();
    const fields = { code: status.code, details: status.details, retryInMs: Math.round(delayMs) };
    if (stream.answered) {
      this.#options.logger.info('the stream to the control plane ended', fields);
    } else {
      this.#options.logger.warn('the control plane cannot be reached', fields);
    }
    if (wasUp) {
      this.#options.onConnectivity?.(false);
    }
    this.#reconnect = this.#options.clock.setTimeout(() => this.#open(), delayMs);
  }

  // ------------------------------------------------------------------------------------------ changes

  /** Applies what became ready, and everything that follows from it. */
  #settle(source: 'cache' | 'server'): void {
    this.#deliver(this.#store.settle(), source);
    if (this.#stream !== undefined) {
      this.#subscribe(this.#stream);
    }
    this.#alarm.set(this.#store.nextDeadlineMs());
    for (const demand of [...this.#demands]) {
      const result = resultOf(demand.store.find(demand.name));
      if (result !== undefined) {
        this.#resolve(demand, result);
      }
    }
  }

  #deliver(changes: readonly ResourceChange[], source: 'cache' | 'server'): void {
    if (changes.length === 0 || this.#state === 'closed') {
      return;
    }
    try {
      this.#options.onUpdate({ changes, source });
    } catch (error) {
      this.#options.logger.error('applying an update failed', { error });
    }
    if (source === 'server') {
      this.#saveLater();
    }
  }

  #saveLater(): void {
    if (this.#cache !== undefined && this.#save === undefined) {
      this.#save = this.#options.clock.setTimeout(() => {
        this.#save = undefined;
        void this.#cache?.write(() => this.#lastGood());
      }, this.#options.cacheDelayMs ?? 200);
    }
  }

  #lastGood(): CachedResources {
    const resources = new Map<
      TypeUrl,
      { name: string; version: string; aliases: readonly string[]; bytes: Uint8Array }[]
    >();
    for (const [typeUrl, { entries }] of this.#store.types) {
      // What expires is not for a restart.
      const active = [...entries.values()].flatMap((entry) =>
        entry.active?.ttlMs === undefined ? (entry.active ?? []) : [],
      );
      resources.set(typeUrl, active);
    }
    return resources;
  }

  // ------------------------------------------------------------------------------------------ on demand

  demand(typeUrl: TypeUrl, name: string, timeoutMs: number): Promise<DemandResult> {
    const store = this.#store.types.get(typeUrl);
    if (store === undefined || !this.#store.demand(store, name)) {
      return Promise.resolve('unavailable');
    }
    this.#settle('server');
    const known = resultOf(store.find(name));
    if (known !== undefined) {
      return Promise.resolve(known);
    }
    if (!this.connected) {
      return Promise.resolve('unavailable');
    }
    return new Promise((resolve) => {
      const demand: Demand = {
        store,
        name,
        resolve,
        timer: this.#options.clock.setTimeout(() => this.#resolve(demand, 'unavailable'), timeoutMs),
      };
      this.#demands.add(demand);
    });
  }

  #resolve(demand: Demand, result: DemandResult): void {
    if (this.#demands.delete(demand)) {
      demand.timer.cancel();
      demand.resolve(result);
    }
  }

  release(typeUrl: TypeUrl, name: string): void {
    if (this.#store.types.get(typeUrl)?.demands.delete(name) === true) {
      this.#settle('server');
    }
  }

  // ------------------------------------------------------------------------------------------ state, end

  state(): XdsClientState {
    return {
      connected: this.connected,
      lastError: this.#lastError,
      types: [...this.#store.types].map(([typeUrl, store]) => ({
        typeUrl,
        version: store.version,
        resources: [...store.entries.values()].map(resourceStateFrom),
      })),
    };
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') {
      return;
    }
    this.#state = 'closed';
    this.#reconnect?.cancel();
    this.#alarm.cancel();
    this.#stream?.previous?.call.cancel();
    this.#stream?.call.cancel();
    this.#stream = undefined;
    for (const demand of [...this.#demands]) {
      this.#resolve(demand, 'unavailable');
    }
    this.channel.close();
    if (this.#save !== undefined) {
      this.#save.cancel();
      this.#save = undefined;
      void this.#cache?.write(() => this.#lastGood());
    }
    await this.#cache?.idle();
  }
}

function resultOf(entry: Entry | undefined): DemandResult | undefined {
  if (entry?.active !== undefined) {
    return 'active';
  }
  return entry?.missing === true ? 'missing' : undefined;
}

function resourceStateFrom(entry: Entry): ResourceState {
  return {
    name: entry.name,
    version: entry.accepted?.version ?? '',
    status:
      entry.accepted === undefined
        ? entry.missing
          ? 'missing'
          : 'requested'
        : entry.accepted === entry.active
          ? 'active'
          : 'warming',
    refused: entry.refused,
    bytes: entry.accepted?.bytes,
    updatedAtMs: entry.updatedAtMs,
  };
}

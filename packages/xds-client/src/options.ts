import type { Clock, Logger } from '@weft/base';
import type { TypeUrl } from '@weft/xds-types';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import type { ClientCredentials, GrpcAddress, GrpcChannel } from './grpc/channel.ts';
import type { ResourceType } from './resource-type.ts';
import type { UpdateBatch } from './update.ts';

export interface XdsClientOptions {
  readonly address: GrpcAddress;
  /** Asked before each connection, so that a renewed certificate is used by the next one; the open stream stays. */
  credentials(): ClientCredentials | Promise<ClientCredentials>;
  readonly node: Node;
  /** Every type the proxy knows, each once. */
  readonly types: readonly ResourceType[];
  /** Where the last good resources are kept (0600, replaced atomically); undefined: nowhere. */
  readonly cacheFile: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called synchronously with every change of what is active. Must not throw. */
  onUpdate(batch: UpdateBatch): void;
  /** A stream to the server came up or went down. Traffic must not depend on it. */
  onConnectivity?(connected: boolean): void;
  /** A response was taken over, also one without resources: what it says is in `state()`. */
  onAnswer?(): void;
  /** Default `delta`. */
  readonly variant?: 'delta' | 'sotw';
  /** Default 15,000 (Envoy's `initial_fetch_timeout`). */
  readonly fetchTimeoutMs?: number;
  /** Reconnects wait a random time below a bound that doubles from base to max. Default 200 and 5,000. */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** Changes are written to the cache this much later, all at once. Default 200. */
  readonly cacheDelayMs?: number;
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** `active`: it can be used now. `missing`: the server says it does not exist. `unavailable`: nobody could be asked, or no answer in time. */
export type DemandResult = 'active' | 'missing' | 'unavailable';

/** One resource as the client sees it. */
export interface ResourceState {
  readonly name: string;
  /** Of the version that was accepted last; empty when there is none. */
  readonly version: string;
  /** `requested`: no answer yet. `warming`: accepted, waits for what it references. */
  readonly status: 'requested' | 'missing' | 'warming' | 'active';
  /** The last refusal, until a version is accepted again. */
  readonly refused: { readonly version: string; readonly reason: string; readonly atMs: number } | undefined;
  /** The serialized resource as it was accepted; undefined when there is none. */
  readonly bytes: Uint8Array | undefined;
  /** Wall-clock time at which it was accepted. */
  readonly updatedAtMs: number | undefined;
}

/** For the admin API. */
export interface XdsClientState {
  readonly connected: boolean;
  /** Why the last stream ended; undefined before the first end. */
  readonly lastError: string | undefined;
  readonly types: readonly {
    readonly typeUrl: TypeUrl;
    /** Of the last response that was accepted as a whole. */
    readonly version: string;
    readonly resources: readonly ResourceState[];
  }[];
}

export interface XdsClient {
  /**
   * Reads the cache (its batch is delivered before the promise resolves), then connects and stays connected until `close`.
   * Does not wait for the connection.
   */
  start(): Promise<void>;
  /**
   * Asks for a resource on demand (a virtual host): subscribed until `release`. When the server cannot be reached the answer
   * is `unavailable` at once, and the resource becomes active later without further ado.
   */
  demand(typeUrl: TypeUrl, name: string, timeoutMs: number): Promise<DemandResult>;
  release(typeUrl: TypeUrl, name: string): void;
  /** A stream to the server is open. */
  readonly connected: boolean;
  /** The connection, to be shared with `createLoadReporter`. */
  readonly channel: GrpcChannel;
  state(): XdsClientState;
  /** Ends the stream and writes the cache; `onUpdate` is not called any more. */
  close(): Promise<void>;
}

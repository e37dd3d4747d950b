import type { TypeUrl } from '@weft/xds-types';
import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import type { Peer } from './peer.ts';

/** What the first request of a stream said about the client. Claims, except for what `authorize` checked. */
export interface ClientNode {
  readonly id: string;
  readonly cluster: string;
  /** `envoy`, `weft`, `gRPC Node.js`, … */
  readonly userAgentName: string;
  /** Version of the user agent, empty when unknown. */
  readonly userAgentVersion: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The message itself. */
  readonly message: Node;
}

/** A client that `authorize` accepted, identified by its key. All streams with the same key are one client. */
export interface ConnectedClient {
  readonly key: string;
  readonly node: ClientNode;
  /** Undefined on a plaintext connection. */
  readonly peer: Peer | undefined;
  /** Wall-clock time of the first of its streams that are open. */
  readonly connectedAtMs: number;
}

/**
 * - `NOT_SENT`: subscribed, nothing was sent yet (no snapshot, or nothing to send).
 * - `STALE`: something was sent and is not acknowledged, or waits to be sent.
 * - `NACKED`: the client refused a resource that is still the wanted one.
 * - `SYNCED`: the client has acknowledged all it should have.
 */
export type SyncStatus = 'SYNCED' | 'STALE' | 'NACKED' | 'NOT_SENT';

/** One resource that a client refused and that has not been replaced since. */
export interface RefusedResource {
  readonly name: string;
  readonly version: string;
  /** The client's own words. */
  readonly reason: string;
}

/** The last refusal of a response. */
export interface NackRecord {
  readonly atMs: number;
  /** The whole error message of the client, at most 8 KiB of it. */
  readonly message: string;
  /** Names of the resources refused: those that the message names, or all of the response when it names none. */
  readonly resources: readonly string[];
}

/** The state of one resource type at one client. */
export interface TypeSyncState {
  readonly typeUrl: TypeUrl;
  readonly status: SyncStatus;
  /** Content hash of what the client should have of this type; empty without a snapshot. */
  readonly wantedVersion: string;
  /** `wantedVersion` of the last state that the client fully acknowledged; empty: none. */
  readonly ackedVersion: string;
  /** Greatest store version that is fully acknowledged for this type; undefined: none. */
  readonly ackedStoreVersion: number | undefined;
  readonly wildcard: boolean;
  /** How many names the client asks for explicitly. */
  readonly nameCount: number;
  readonly resourceCount: number;
  readonly refused: readonly RefusedResource[];
  readonly lastNack: NackRecord | undefined;
}

/** All that the server knows about a connected client. A plain value, not updated afterwards. */
export interface ClientState extends ConnectedClient {
  /** Open streams that carry resources. */
  readonly streams: number;
  /** Store version of its snapshot; undefined while none is set. */
  readonly storeVersion: number | undefined;
  /**
   * Greatest store version whose snapshot the client has fully acknowledged for everything it subscribes to; undefined
   * while there is none. A snapshot that changes nothing for the client counts at once.
   */
  readonly ackedStoreVersion: number | undefined;
  readonly types: ReadonlyMap<TypeUrl, TypeSyncState>;
}

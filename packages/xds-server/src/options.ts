import type { Clock, Logger } from '@weft/base';
import type { TypeUrl } from '@weft/xds-types';
import type { ClusterStats } from '@weft/xds-types/envoy/config/endpoint/v3/load_report.ts';
import type { ClientNode, ConnectedClient, NackRecord } from './client-state.ts';
import type { Peer } from './peer.ts';

/** How a refused stream ends. */
export type RejectCode = 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'UNAVAILABLE' | 'INVALID_ARGUMENT';

/** `accept` holds the key by which the control plane knows the client: streams of the same proxy get the same key. */
export type Admission = { readonly accept: string } | { readonly reject: RejectCode; readonly message: string };

/** What changed in the state of a client. */
export type ClientChange =
  /** `ackedStoreVersion` grew: everything up to `storeVersion` is in use at the client. */
  | { readonly kind: 'acknowledged'; readonly storeVersion: number }
  /** The client refused resources. Told once for each NACK. */
  | { readonly kind: 'nacked'; readonly typeUrl: TypeUrl; readonly nack: NackRecord };

/** One load report (LRS). Counters are deltas since the report before. */
export interface LoadReport {
  readonly clusters: readonly ClusterStats[];
  readonly receivedAtMs: number;
  /** Memory that the client says it takes (`WEFT_MEMORY_BYTES` in the metadata of a node that came with the report). */
  readonly memoryBytes: number | undefined;
  /** What the client says that its own clients speak (`WEFT_PROTOCOLS_SEEN` there), not looked at; undefined: nothing was said. */
  readonly protocolsSeen: unknown;
  /** Listeners that the client says it cannot open (`WEFT_CLOSED_LISTENERS` there), not looked at; undefined: nothing was said. */
  readonly closedListeners: unknown;
}

/** Named limits; what exceeds one ends the stream with RESOURCE_EXHAUSTED. */
export interface XdsServerLimits {
  /** Streams with the same client key. Default 16. */
  readonly maxStreamsPerClient: number;
  /** Names (subscriptions and initial versions together) of one type on one stream. Default 50,000. */
  readonly maxNamesPerType: number;
  /** Length of one name in UTF-16 units. Default 2,048. */
  readonly maxNameLength: number;
  /** Requests that a stream may send at once. Default 2,000. */
  readonly requestBurst: number;
  /** Requests a second that a stream may send in the long run. Default 200. */
  readonly requestsPerSecond: number;
  /** Size of one response; larger ones are split (delta, and SotW types that need not be complete). Default 2 MiB. */
  readonly maxResponseBytes: number;
}

export interface XdsServerOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /**
   * Decides about a stream by its authenticated peer (undefined on a plaintext connection) and the node it claims to be.
   * Called once for each stream, xDS and LRS alike. A rejected promise ends the stream with UNAVAILABLE.
   */
  authorize(peer: Peer | undefined, node: ClientNode): Admission | Promise<Admission>;
  /** Whether this peer may ask for the state of all clients (CSDS). Default: nobody may. */
  authorizeStatus?(peer: Peer | undefined): boolean;
  /** The first stream of a client was accepted. `setSnapshot` may be called from here. */
  onConnect?(client: ConnectedClient): void;
  /** The last stream of a client ended. */
  onDisconnect?(client: ConnectedClient): void;
  /**
   * The client subscribed by name to what its snapshot does not hold (on-demand virtual hosts, and all else that does not
   * exist). While the result is pending the names are neither sent nor reported as missing; when it settles (or after
   * `onDemandTimeoutMs`) those that still are not in the snapshot are answered as not existing. Call `setSnapshot` with
   * the larger snapshot before settling.
   */
  onSubscribe?(client: ConnectedClient, typeUrl: TypeUrl, names: readonly string[]): void | Promise<void>;
  onChange?(client: ConnectedClient, change: ClientChange): void;
  onLoadReport?(client: ConnectedClient, report: LoadReport): void;
  /** How often clients are asked to report load, milliseconds. Default 2,000. */
  readonly loadReportIntervalMs?: number;
  /** How long the order of types waits for an acknowledgement before it goes on without it. Default 5,000. */
  readonly orderTimeoutMs?: number;
  /** How long later types wait for a client to ask for the endpoints of a new cluster. Default 500. */
  readonly followUpTimeoutMs?: number;
  /** Default 5,000. */
  readonly onDemandTimeoutMs?: number;
  readonly limits?: Partial<XdsServerLimits>;
  /** Goes into `control_plane.identifier` of responses, for people who debug. Default `weft`. */
  readonly identifier?: string;
}

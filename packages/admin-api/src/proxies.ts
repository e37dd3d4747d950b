/** Short names of the resource types, as Envoy's documentation has them. */
export type TypeShortName = 'LDS' | 'RDS' | 'VHDS' | 'CDS' | 'EDS' | 'SDS';

/** As `Proxy.status.sync[].state`. */
export type SyncState = 'SYNCED' | 'STALE' | 'NACKED' | 'NOT_SENT';

export interface TypeSync {
  readonly type: TypeShortName;
  readonly state: SyncState;
  /** How many resources of the type the proxy should have. */
  readonly resources: number;
  /** Names that are refused. */
  readonly refused: readonly string[];
  /** Hash of the state that was acknowledged last; empty: none. */
  readonly ackedVersion: string;
}

export interface Nack {
  readonly type: TypeShortName;
  readonly resources: readonly string[];
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
}

/** One row of `weft status`. */
export interface ProxySummary {
  readonly namespace: string;
  readonly name: string;
  /** SPIFFE id that it must prove, and has proved when it is connected. */
  readonly identity: string;
  readonly engine: string;
  /** Of its program; empty when unknown. */
  readonly version: string;
  readonly connected: boolean;
  /** RFC 3339; absent: never. */
  readonly lastSeen?: string;
  readonly sync: readonly TypeSync[];
  /** The worst of {@link sync}; `NOT_SENT` while it is not connected. */
  readonly state: SyncState;
  readonly lastNack?: Nack;
  /** RSS of the process where the proxy said so, bytes. */
  readonly memoryBytes?: number;
}

export interface ProxyList {
  readonly proxies: readonly ProxySummary[];
}

export interface ProxyDetail extends ProxySummary {
  /** Authorities that it was seen to call. */
  readonly observedHosts: readonly string[];
  /** State of the resource store that its configuration was made from, and the one it has acknowledged. */
  readonly storeVersion: number | null;
  readonly ackedStoreVersion: number | null;
}

/** One resource of what the control plane wants a proxy to have. */
export interface DumpedResource {
  readonly name: string;
  /** Content hash. */
  readonly version: string;
  /** The message; key material is left out. */
  readonly resource: unknown;
}

export interface ConfigDump {
  readonly proxy: { readonly namespace: string; readonly name: string };
  readonly storeVersion: number | null;
  readonly types: readonly {
    readonly type: TypeShortName;
    readonly typeUrl: string;
    readonly state: SyncState;
    readonly resources: readonly DumpedResource[];
  }[];
}

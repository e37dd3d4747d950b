/** How the names of a cluster are resolved. */
export interface DnsOptions {
  /** Strict: each address of a name is an endpoint. Logical: the name is, and connections go to its first address. */
  readonly kind: 'strict' | 'logical';
  readonly families: DnsFamily;
  readonly refreshMs: number;
  /** The time of a record is the pause, where it has one. */
  readonly respectTtl: boolean;
  /** Pauses behind failures; undefined: `refreshMs`. */
  readonly failureRefresh: { readonly baseMs: number; readonly maxMs: number } | undefined;
}

/** `dns_lookup_family` */
export type DnsFamily = 'auto' | 'v4-only' | 'v6-only' | 'v4-preferred' | 'all';

/** Requests say themselves where they go (`ORIGINAL_DST`). */
export interface OriginalDestinationOptions {
  /** Field of requests with `ip:port`, lower case; or `:authority`. */
  readonly header: string;
  /** In place of the one that a request names. Absent: that one. */
  readonly port?: number;
  /** Endpoints that were not asked for during a whole interval go. */
  readonly cleanupMs: number;
}

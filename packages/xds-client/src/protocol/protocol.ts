import type { TypeUrl } from '@weft/xds-types';

/** One resource of a response, still encoded. */
export interface ReceivedResource {
  /** Undefined: a SotW resource that is not wrapped; its name is inside. */
  readonly name: string | undefined;
  readonly version: string;
  readonly aliases: readonly string[];
  readonly ttlMs: number | undefined;
  /** Undefined: a heartbeat, or (with aliases, for a name that we do not hold) "there is no such resource". */
  readonly body: { readonly typeUrl: string; readonly value: Uint8Array } | undefined;
}

/** A response in the terms that both variants share. */
export interface ReceivedResponse {
  readonly typeUrl: TypeUrl;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly ReceivedResource[];
  readonly removed: readonly string[];
  /** What `resources` leaves out does not exist (SotW listeners and clusters). */
  readonly fullState: boolean;
}

/** What the server is to be asked for, of one type. */
export interface TypeInterest {
  readonly typeUrl: TypeUrl;
  /** Listeners and clusters: asked for as a whole from the start. */
  readonly alwaysWildcard: boolean;
  /** May hold `*`. */
  readonly names: ReadonlySet<string>;
  /** Versions held, by name; asked for when a stream begins. */
  versions(): ReadonlyMap<string, string>;
}

/** One stream's worth of the protocol: what to write, and how to read. A new stream has a new one. */
export interface DiscoveryProtocol {
  /** Tells the server what changed in our interest; nothing when nothing did. */
  subscribe(interest: TypeInterest): void;
  /** @throws on bytes that are no response. */
  read(message: Uint8Array): ReceivedResponse;
  /** Answers a response; `error` makes it a NACK. The interest must have been made known before. */
  answer(response: ReceivedResponse, interest: TypeInterest, error: string | undefined): void;
}

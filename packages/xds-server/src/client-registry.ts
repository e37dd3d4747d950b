import type { Logger } from '@weft/base';
import type { TypeUrl } from '@weft/xds-types';
import type { ClientState, ConnectedClient, SyncStatus, TypeSyncState } from './client-state.ts';
import type { ClientChange } from './options.ts';
import type { Snapshot } from './snapshot.ts';
import type { DiscoveryStream } from './stream/discovery-stream.ts';
import type { TypeState } from './stream/type-state.ts';
import { typeVersionOf } from './type-version.ts';

/** A stream as the registry sees it. */
export interface RegisteredStream {
  readonly discovery: DiscoveryStream;
  /** Ends the stream with UNAVAILABLE: the client comes back. */
  end(reason: string): void;
}

interface Entry {
  readonly client: ConnectedClient;
  /** Oldest first: the newest stream that has a type speaks for it. */
  readonly streams: Set<RegisteredStream>;
  ackedStoreVersion: number | undefined;
}

export interface RegistryOptions {
  readonly logger: Logger;
  readonly maxStreamsPerClient: number;
  onConnect(client: ConnectedClient): void;
  onDisconnect(client: ConnectedClient): void;
  onChange(client: ConnectedClient, change: ClientChange): void;
}

/** Which clients are there, what they should have, and what they have. */
export class ClientRegistry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();
  /** Kept while a client is away, so that it is served at once when it comes back. */
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** False when the client has too many streams already. */
  add(client: ConnectedClient, stream: RegisteredStream): boolean {
    let entry = this.#entries.get(client.key);
    if (entry !== undefined && entry.streams.size >= this.#options.maxStreamsPerClient) {
      return false;
    }
    const isNew = entry === undefined;
    entry ??= { client, streams: new Set(), ackedStoreVersion: undefined };
    this.#entries.set(client.key, entry);
    entry.streams.add(stream);
    if (isNew) {
      this.#options.onConnect(client);
    }
    const snapshot = this.#snapshots.get(client.key);
    if (snapshot !== undefined && stream.discovery.snapshot !== snapshot) {
      stream.discovery.setSnapshot(snapshot);
    }
    return true;
  }

  remove(key: string, stream: RegisteredStream): void {
    const entry = this.#entries.get(key);
    if (entry?.streams.delete(stream) === true && entry.streams.size === 0) {
      this.#entries.delete(key);
      this.#options.onDisconnect(entry.client);
    }
  }

  setSnapshot(key: string, snapshot: Snapshot): void {
    const current = this.#snapshots.get(key);
    if (current !== undefined && snapshot.storeVersion < current.storeVersion) {
      this.#options.logger.warn('an older snapshot was not published', {
        client: key,
        storeVersion: snapshot.storeVersion,
        current: current.storeVersion,
      });
      return;
    }
    this.#snapshots.set(key, snapshot);
    for (const stream of this.#entries.get(key)?.streams ?? []) {
      stream.discovery.setSnapshot(snapshot);
    }
  }

  forget(key: string): void {
    this.#snapshots.delete(key);
    for (const stream of [...(this.#entries.get(key)?.streams ?? [])]) {
      stream.end('this client was removed');
    }
  }

  /** A stream made progress: tells when the client as a whole did. */
  progressed(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return;
    }
    const acked = ackedStoreVersionOf(currentTypes(entry).values());
    if (acked !== undefined && (entry.ackedStoreVersion === undefined || acked > entry.ackedStoreVersion)) {
      entry.ackedStoreVersion = acked;
      this.#options.onChange(entry.client, { kind: 'acknowledged', storeVersion: acked });
    }
  }

  states(): ClientState[] {
    return [...this.#entries.keys()].sort().flatMap((key) => this.state(key) ?? []);
  }

  state(key: string): ClientState | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      return undefined;
    }
    const snapshot = this.#snapshots.get(key);
    const types = new Map<TypeUrl, TypeSyncState>();
    for (const [typeUrl, state] of currentTypes(entry)) {
      types.set(typeUrl, typeSyncState(state, snapshot));
    }
    return {
      ...entry.client,
      streams: entry.streams.size,
      storeVersion: snapshot?.storeVersion,
      ackedStoreVersion: entry.ackedStoreVersion,
      types,
    };
  }

  /** The states that count, for CSDS. */
  typeStates(key: string): ReadonlyMap<TypeUrl, TypeState> {
    const entry = this.#entries.get(key);
    return entry === undefined ? new Map() : currentTypes(entry);
  }

  endAll(reason: string): void {
    for (const entry of [...this.#entries.values()]) {
      for (const stream of [...entry.streams]) {
        stream.end(reason);
      }
    }
  }
}

function currentTypes(entry: Entry): Map<TypeUrl, TypeState> {
  const types = new Map<TypeUrl, TypeState>();
  for (const stream of entry.streams) {
    for (const [typeUrl, state] of stream.discovery.types) {
      types.set(typeUrl, state);
    }
  }
  return types;
}

function ackedStoreVersionOf(states: Iterable<TypeState>): number | undefined {
  let least: number | undefined;
  for (const { ackedStoreVersion } of states) {
    if (ackedStoreVersion === undefined) {
      return undefined;
    }
    least = least === undefined ? ackedStoreVersion : Math.min(least, ackedStoreVersion);
  }
  return least;
}

function typeSyncState(state: TypeState, snapshot: Snapshot | undefined): TypeSyncState {
  return {
    typeUrl: state.typeUrl,
    status: statusOf(state, snapshot),
    wantedVersion: snapshot === undefined ? '' : typeVersionOf(state.target),
    ackedVersion: state.ackedVersion,
    ackedStoreVersion: state.ackedStoreVersion,
    wildcard: state.subscription.wildcard,
    nameCount: state.subscription.names.size,
    resourceCount: state.held.size,
    refused: [...state.refused.values()],
    lastNack: state.lastNack,
  };
}

function statusOf(state: TypeState, snapshot: Snapshot | undefined): SyncStatus {
  if (state.refused.size > 0) {
    return 'NACKED';
  }
  if (snapshot !== undefined && state.ackedStoreVersion === snapshot.storeVersion) {
    return 'SYNCED';
  }
  return state.nonce === '' ? 'NOT_SENT' : 'STALE';
}

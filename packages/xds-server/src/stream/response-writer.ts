import { randomBytes } from 'node:crypto';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { EncodedResource } from '../snapshot.ts';
import { typeVersionOf } from '../type-version.ts';
import {
  absentPiece,
  heartbeatPiece,
  type Piece,
  sizeOf,
  unwrappedPiece,
  wrappedInAnyPiece,
  wrappedPiece,
} from '../wire/pieces.ts';
import { encodeDeltaResponse, encodeSotwResponse } from '../wire/response.ts';
import type { TypeState } from './type-state.ts';

export type Variant = 'sotw' | 'delta';

/** What one response is to say. */
export interface Work {
  readonly upserts: readonly EncodedResource[];
  readonly removals: readonly string[];
  /** Names that do not exist. */
  readonly missing: readonly string[];
  /** Send it even if there is nothing in it. */
  readonly always: boolean;
}

export function isEmpty(work: Work): boolean {
  return work.upserts.length === 0 && work.removals.length === 0 && work.missing.length === 0 && !work.always;
}

export interface ResponseWriterOptions {
  readonly variant: Variant;
  /** The client understands `Resource` wrappers in SotW responses. */
  readonly wrapsResources: boolean;
  readonly identifier: string;
  readonly maxResponseBytes: number;
  send(message: Buffer): void;
}

/** What was written. */
export interface WrittenResponse {
  readonly nonce: string;
  readonly resources: readonly EncodedResource[];
}

/**
 * Writes responses of one stream and books into the {@link TypeState} what the client has from then on. A response that would be
 * too large says as much as fits; the rest stays in the difference and follows.
 */
export class ResponseWriter {
  readonly #options: ResponseWriterOptions;
  /** Nonces of other streams must mean nothing here. */
  readonly #noncePrefix: string = randomBytes(4).toString('hex');
  #nonceCount = 0;

  constructor(options: ResponseWriterOptions) {
    this.#options = options;
  }

  get variant(): Variant {
    return this.#options.variant;
  }

  /** @returns undefined when there is nothing to be said (SotW cannot speak of removals of most types). */
  write(state: TypeState, work: Work): WrittenResponse | undefined {
    if (this.#options.variant === 'delta') {
      return this.#delta(state, work);
    }
    return state.fullState ? this.#fullState(state, work) : this.#partialState(state, work);
  }

  #delta(state: TypeState, work: Work): WrittenResponse {
    const { batch, pieces } = this.#batch(work.upserts, wrappedPiece);
    const onDemand = state.typeUrl === typeUrls.virtualHost;
    state.markSent(batch, work.removals);
    state.markMissing(work.missing);
    return this.#send(state, batch, (nonce) =>
      encodeDeltaResponse({
        systemVersionInfo: typeVersionOf(state.target),
        typeUrl: state.typeUrl,
        nonce,
        resources: [...pieces, ...(onDemand ? work.missing.map(absentPiece) : [])],
        removed: [...work.removals, ...(onDemand ? [] : work.missing)],
        identifier: this.#options.identifier,
      }),
    );
  }

  /** Listeners and clusters: everything the client is to have, and until their removal is due also those that go. */
  #fullState(state: TypeState, work: Work): WrittenResponse {
    const upserts = new Set(work.upserts);
    const removals = new Set(work.removals);
    const resources: EncodedResource[] = [];
    for (const wanted of state.wantedResources()) {
      // What may not be sent yet keeps its old version.
      const held = state.held.get(wanted.name);
      const sent = upserts.has(wanted) || held?.version === wanted.version ? wanted : held?.resource;
      if (sent !== undefined) {
        resources.push(sent);
      }
    }
    const kept = state.diff.removals.flatMap((name) =>
      removals.has(name) ? [] : (state.held.get(name)?.resource ?? []),
    );
    state.markSent(resources, work.removals);
    const suffix = kept.length > 0 ? '~' : '';
    return this.#sotw(state, [...resources, ...kept], suffix);
  }

  /** All other SotW types: what changed is enough, and a removal cannot be said. */
  #partialState(state: TypeState, work: Work): WrittenResponse | undefined {
    const { batch } = this.#batch(work.upserts, unwrappedPiece);
    state.markSent(batch, work.removals);
    return batch.length > 0 || work.always ? this.#sotw(state, batch, '') : undefined;
  }

  #sotw(state: TypeState, resources: readonly EncodedResource[], suffix: string): WrittenResponse {
    return this.#send(state, resources, (nonce) =>
      encodeSotwResponse({
        versionInfo: typeVersionOf(state.target) + suffix,
        typeUrl: state.typeUrl,
        nonce,
        resources: resources.map((resource) => this.#sotwPiece(resource)),
        identifier: this.#options.identifier,
      }),
    );
  }

  #sotwPiece(resource: EncodedResource): Piece {
    return this.#options.wrapsResources && resource.ttlMs !== undefined
      ? wrappedInAnyPiece(resource, true)
      : unwrappedPiece(resource);
  }

  /** Restarts the time to live of `due`. */
  heartbeat(state: TypeState, due: readonly EncodedResource[]): WrittenResponse {
    const { identifier, variant } = this.#options;
    const version = typeVersionOf(state.target);
    return this.#send(state, [], (nonce) => {
      const common = { typeUrl: state.typeUrl as TypeUrl, nonce, identifier };
      if (variant === 'delta') {
        const resources = due.map(heartbeatPiece);
        return encodeDeltaResponse({ ...common, systemVersionInfo: version, resources, removed: [] });
      }
      // What a full-state response leaves out is deleted, so that resources without a TTL come along.
      const others = state.fullState ? [...state.held.values()].flatMap(({ resource }) => resource ?? []) : [];
      const lasting = others.filter((resource) => resource.ttlMs === undefined);
      const resources = [...due.map((resource) => wrappedInAnyPiece(resource, false)), ...lasting.map(unwrappedPiece)];
      return encodeSotwResponse({ ...common, versionInfo: version, resources });
    });
  }

  get canHeartbeat(): boolean {
    return this.#options.variant === 'delta' || this.#options.wrapsResources;
  }

  #send(state: TypeState, resources: readonly EncodedResource[], encode: (nonce: string) => Buffer): WrittenResponse {
    this.#nonceCount += 1;
    const nonce = `${this.#noncePrefix}.${this.#nonceCount}`;
    state.nonce = nonce;
    this.#options.send(encode(nonce));
    return { nonce, resources };
  }

  /** As many resources as fit into one response, at least one. */
  #batch(
    upserts: readonly EncodedResource[],
    pieceOf: (resource: EncodedResource) => Piece,
  ): { readonly batch: readonly EncodedResource[]; readonly pieces: readonly Piece[] } {
    const pieces: Piece[] = [];
    let size = 0;
    for (const resource of upserts) {
      const piece = pieceOf(resource);
      size += sizeOf(piece);
      if (pieces.length > 0 && size > this.#options.maxResponseBytes) {
        break;
      }
      pieces.push(piece);
    }
    return { batch: upserts.slice(0, pieces.length), pieces };
  }
}

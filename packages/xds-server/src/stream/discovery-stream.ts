import { randomBytes } from 'node:crypto';
import { Alarm, type Clock, type Logger } from '@weft/base';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { DeltaDiscoveryRequest, DiscoveryRequest } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import type { NackRecord } from '../client-state.ts';
import { referencesOf } from '../references.ts';
import type { EncodedResource, Snapshot } from '../snapshot.ts';
import { findByNameOrAlias, noResources, typeVersionOf } from '../type-version.ts';
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
import { outsideTheOrder, type Step, servedTypes, steps } from './send-order.ts';
import { TypeState } from './type-state.ts';

export type Variant = 'sotw' | 'delta';

export interface DiscoveryStreamOptions {
  readonly variant: Variant;
  /** The type of a per-type service; undefined: ADS. */
  readonly fixedType: TypeUrl | undefined;
  /** The client understands `Resource` wrappers in SotW responses. */
  readonly wrapsResources: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identifier: string;
  readonly orderTimeoutMs: number;
  readonly followUpTimeoutMs: number;
  readonly onDemandTimeoutMs: number;
  readonly maxNamesPerType: number;
  readonly maxNameLength: number;
  readonly maxResponseBytes: number;
  /** Writes one serialized response. */
  send(message: Buffer): void;
  /** Ends the stream; nothing is sent afterwards. */
  end(code: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED', message: string): void;
  /** Asks for names that the snapshot does not hold. */
  onSubscribe(typeUrl: TypeUrl, names: readonly string[]): void | Promise<void>;
  /** What the client has acknowledged may have changed. */
  onProgress(): void;
  onNack(typeUrl: TypeUrl, nack: NackRecord): void;
}

/**
 * One stream of discovery requests and responses, without the transport. Each event (request, snapshot, alarm) changes the
 * state; one pass in the next microtask then sends whatever the order of types allows. What is sent is always computed from the
 * newest snapshot, so that nothing queues up however often it changes: at most one response of each type is unanswered.
 */
export class DiscoveryStream {
  readonly #options: DiscoveryStreamOptions;
  readonly #types = new Map<TypeUrl, TypeState>();
  readonly #ignoredTypes = new Set<string>();
  readonly #alarm: Alarm;
  /** Nonces of other streams must mean nothing here. */
  readonly #noncePrefix = randomBytes(4).toString('hex');
  #nonceCount = 0;
  #snapshot: Snapshot | undefined;
  /** Endpoints that the client has to ask for, or get again, because their cluster was sent. */
  readonly #awaitedEndpoints = new Set<string>();
  #followUpUntilMs = 0;
  /** Names whose lookup by the control plane is pending, by type. */
  readonly #lookups = new Map<TypeUrl, Set<string>>();
  /** Names that the control plane was asked about, by type. */
  readonly #lookedUp = new Map<TypeUrl, Set<string>>();
  #scheduled = false;
  #closed = false;

  constructor(options: DiscoveryStreamOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#schedule());
  }

  get types(): ReadonlyMap<TypeUrl, TypeState> {
    return this.#types;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  setSnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const state of this.#types.values()) {
      state.setTarget(snapshot.resources.get(state.typeUrl) ?? noResources);
    }
    this.#schedule();
  }

  /** Lets go of timers; no callback is called afterwards. */
  close(): void {
    this.#closed = true;
    this.#alarm.cancel();
  }

  // ------------------------------------------------------------------------------------------ requests

  handleSotw(request: DiscoveryRequest): void {
    const typeUrl = this.#typeOf(request.typeUrl);
    if (typeUrl === undefined || !this.#withinLimits(request.resourceNames, undefined)) {
      return;
    }
    const known = this.#types.get(typeUrl);
    const state = known ?? this.#newState(typeUrl);
    if (known !== undefined && request.responseNonce !== '') {
      if (request.responseNonce !== state.nonce) {
        return; // Stale: the client has not seen our last response yet and will answer it with all its names.
      }
      this.#answer(state, request.responseNonce, request.errorDetail);
    }
    const change = state.subscription.replace(request.resourceNames);
    state.answerOwed ||= change.wildcardStarted;
    for (const name of change.added) {
      this.#owe(state, name);
    }
    if (typeUrl === typeUrls.endpoint) {
      this.#oweAwaited(state);
    }
    state.forgetUnwanted();
    this.#schedule();
  }

  handleDelta(request: DeltaDiscoveryRequest): void {
    const typeUrl = this.#typeOf(request.typeUrl);
    const { resourceNamesSubscribe: subscribe, resourceNamesUnsubscribe: unsubscribe } = request;
    const initial = Object.entries(request.initialResourceVersions);
    if (typeUrl === undefined || !this.#withinLimits([...subscribe, ...unsubscribe], initial)) {
      return;
    }
    const known = this.#types.get(typeUrl);
    const state = known ?? this.#newState(typeUrl);
    if (known !== undefined && request.responseNonce !== '') {
      this.#answer(state, request.responseNonce, request.errorDetail);
    }
    const change = state.subscription.update(subscribe, unsubscribe, known === undefined);
    if (state.subscription.names.size > this.#options.maxNamesPerType) {
      this.#options.end('RESOURCE_EXHAUSTED', `more than ${this.#options.maxNamesPerType} names of ${typeUrl}`);
      return;
    }
    state.answerOwed ||= change.wildcardStarted;
    if (known === undefined) {
      this.#resume(state, initial);
    }
    for (const name of change.added) {
      if (known !== undefined || !state.held.has(name)) {
        this.#owe(state, name);
      }
    }
    if (state.subscription.wildcard) {
      for (const name of change.removed) {
        state.owed.add(name);
      }
    }
    state.forgetUnwanted();
    this.#schedule();
  }

  #typeOf(requested: string): TypeUrl | undefined {
    const { fixedType } = this.#options;
    if (fixedType !== undefined && (requested === '' || requested === fixedType)) {
      return fixedType;
    }
    if (requested === '' || fixedType !== undefined) {
      this.#options.end(
        'INVALID_ARGUMENT',
        fixedType === undefined
          ? 'type_url is required on an aggregated stream'
          : `this service serves ${fixedType} only`,
      );
      return undefined;
    }
    if (servedTypes.has(requested)) {
      return requested as TypeUrl;
    }
    if (!this.#ignoredTypes.has(requested) && this.#ignoredTypes.size < 32) {
      this.#ignoredTypes.add(requested);
      this.#options.logger.warn('a client asks for a resource type that is not served', { typeUrl: requested });
    }
    return undefined;
  }

  #withinLimits(names: readonly string[], initial: readonly (readonly [string, string])[] | undefined): boolean {
    const { maxNamesPerType, maxNameLength } = this.#options;
    if (names.length + (initial?.length ?? 0) > maxNamesPerType) {
      this.#options.end('RESOURCE_EXHAUSTED', `more than ${maxNamesPerType} names in one request`);
      return false;
    }
    const isLong = (text: string): boolean => text.length > maxNameLength;
    if (names.some(isLong) || initial?.some(([name, version]) => isLong(name) || isLong(version)) === true) {
      this.#options.end('INVALID_ARGUMENT', `a resource name is longer than ${maxNameLength}`);
      return false;
    }
    return true;
  }

  #newState(typeUrl: TypeUrl): TypeState {
    const state = new TypeState(typeUrl);
    state.setTarget(this.#snapshot?.resources.get(typeUrl) ?? noResources);
    this.#types.set(typeUrl, state);
    return state;
  }

  /** Delta reconnect: what the client already has. An entry is no subscription. */
  #resume(state: TypeState, initial: readonly (readonly [string, string])[]): void {
    for (const [name, version] of initial) {
      if (state.subscription.wants(name)) {
        state.held.set(name, { version, resource: undefined });
      }
    }
  }

  #owe(state: TypeState, name: string): void {
    state.owed.add(name);
    state.urgent.add(name);
    this.#lookedUp.get(state.typeUrl)?.delete(name);
  }

  /** The client asks for endpoints after a cluster was sent: it is warming that cluster and needs an answer. */
  #oweAwaited(state: TypeState): void {
    for (const name of this.#awaitedEndpoints) {
      if (state.subscription.wants(name)) {
        state.owed.add(name);
        state.urgent.add(name);
      }
    }
  }

  #answer(state: TypeState, nonce: string, error: { readonly message: string } | undefined): void {
    const push = state.inFlight;
    if (push === undefined || push.nonce !== nonce) {
      return;
    }
    const nack = state.answer(push, error, this.#options.clock.now());
    if (state.typeUrl === typeUrls.cluster && push.place < outsideTheOrder) {
      this.#followUpUntilMs = this.#options.clock.monotonicMs() + this.#options.followUpTimeoutMs;
      for (const refused of state.refused.keys()) {
        for (const reference of referencesOf(findByNameOrAlias(state.target, refused) ?? noReferences)) {
          this.#awaitedEndpoints.delete(reference.name);
        }
      }
    }
    if (nack !== undefined) {
      this.#options.onNack(state.typeUrl, nack);
    }
  }

  // ------------------------------------------------------------------------------------------ sending

  #schedule(): void {
    if (this.#scheduled || this.#closed) {
      return;
    }
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) {
        this.#pass();
      }
    });
  }

  #pass(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) {
      return;
    }
    const now = this.#options.clock.monotonicMs();
    for (const state of this.#types.values()) {
      this.#lookUpMissing(state);
    }
    this.#prepareAwaited(now);
    this.#walk(snapshot, now);
    for (const state of this.#types.values()) {
      this.#heartbeat(state, snapshot, now);
      if (this.#isSynced(state)) {
        state.acknowledged(snapshot.storeVersion, typeVersionOf(state.target));
      }
    }
    this.#alarm.set(this.#nextDeadline(now));
    this.#options.onProgress();
  }

  /** Walks the order of types and sends what may be sent. */
  #walk(snapshot: Snapshot, now: number): void {
    // `unsent`: an earlier step has something that could not be sent. `waiting`: an earlier step awaits its answer.
    let unsent = false;
    let waiting = false;
    steps.forEach((step, place) => {
      const state = this.#types.get(step.typeUrl);
      if (state !== undefined) {
        const work = this.#workOf(state, step);
        if (!isEmpty(work)) {
          if (state.inFlight === undefined && !unsent && !waiting) {
            this.#push(state, place, work, snapshot, now);
          } else if (state.inFlight === undefined && !unsent && step.followsRequests) {
            this.#push(state, place, urgentOnly(state, work), snapshot, now);
          }
          unsent ||= !isEmpty(this.#workOf(state, step));
        }
        const push = state.inFlight;
        waiting ||= push !== undefined && push.place <= place && now < push.sentAtMs + this.#options.orderTimeoutMs;
      }
      if (place === 0) {
        this.#pushKnownEndpoints(snapshot, now);
      }
      if (step.typeUrl === typeUrls.endpoint && step.part === 'upserts') {
        waiting ||= this.#awaitedEndpoints.size > 0 && now < this.#followUpUntilMs;
      }
    });
  }

  /** The short path: endpoints of clusters that the client uses do not wait for anything but their own last answer. */
  #pushKnownEndpoints(snapshot: Snapshot, now: number): void {
    const state = this.#types.get(typeUrls.endpoint);
    if (state !== undefined && state.inFlight === undefined) {
      const known = (resource: EncodedResource): boolean =>
        state.held.has(resource.name) && !this.#awaitedEndpoints.has(resource.name);
      const upserts = state.diff.upserts.filter(known);
      this.#push(state, outsideTheOrder, { upserts, removals: [], missing: [], always: false }, snapshot, now);
    }
  }

  #workOf(state: TypeState, step: Step): Work {
    const { diff } = state;
    const lookups = this.#lookups.get(state.typeUrl);
    const delta = this.#options.variant === 'delta';
    return {
      upserts: step.part === 'removals' ? [] : diff.upserts,
      removals: step.part === 'upserts' ? [] : diff.removals,
      missing: step.part === 'removals' || !delta ? [] : diff.missing.filter((name) => lookups?.has(name) !== true),
      always: step.part !== 'removals' && diff.firstAnswer,
    };
  }

  #push(state: TypeState, place: number, work: Work, snapshot: Snapshot, now: number): void {
    if (isEmpty(work)) {
      return;
    }
    if (this.#options.variant === 'delta') {
      this.#pushDelta(state, place, work, snapshot, now);
    } else if (state.fullState) {
      this.#pushFullState(state, place, work, snapshot, now);
    } else {
      this.#pushPartialState(state, place, work, snapshot, now);
    }
  }

  #pushDelta(state: TypeState, place: number, work: Work, snapshot: Snapshot, now: number): void {
    const { batch, pieces } = this.#batch(work.upserts, wrappedPiece);
    const absent = state.typeUrl === typeUrls.virtualHost ? work.missing : [];
    const gone = absent === work.missing ? [] : work.missing;
    this.#sent(state, batch, work.removals);
    state.markMissing(work.missing);
    const nonce = this.#register(state, place, batch, snapshot, now);
    this.#options.send(
      encodeDeltaResponse({
        systemVersionInfo: typeVersionOf(state.target),
        typeUrl: state.typeUrl,
        nonce,
        resources: [...pieces, ...absent.map(absentPiece)],
        removed: [...work.removals, ...gone],
        identifier: this.#options.identifier,
      }),
    );
  }

  /** Listeners and clusters: everything the client is to have, and until their removal is due also those that go. */
  #pushFullState(state: TypeState, place: number, work: Work, snapshot: Snapshot, now: number): void {
    const wanted = [...state.target.values()].filter((resource) => this.#isWanted(state, resource));
    const removals = new Set(work.removals);
    const kept = state.diff.removals.flatMap((name) => {
      const resource = removals.has(name) ? undefined : state.held.get(name)?.resource;
      return resource === undefined ? [] : [resource];
    });
    const resources = [...wanted, ...kept];
    const changed = new Set(work.upserts);
    this.#sent(state, wanted, work.removals, (resource) => changed.has(resource));
    this.#sendSotw(state, place, resources, snapshot, now, kept.length > 0 ? '~' : '');
  }

  /** All other SotW types: what changed is enough, and a removal cannot be said. */
  #pushPartialState(state: TypeState, place: number, work: Work, snapshot: Snapshot, now: number): void {
    const { batch } = this.#batch(work.upserts, unwrappedPiece);
    this.#sent(state, batch, work.removals);
    if (batch.length > 0 || work.always) {
      this.#sendSotw(state, place, batch, snapshot, now, '');
    }
  }

  #sendSotw(
    state: TypeState,
    place: number,
    resources: readonly EncodedResource[],
    snapshot: Snapshot,
    now: number,
    suffix: string,
  ): void {
    const nonce = this.#register(state, place, resources, snapshot, now);
    this.#options.send(
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

  #isWanted(state: TypeState, resource: EncodedResource): boolean {
    return (
      state.subscription.wants(resource.name) ||
      resource.aliases?.some((alias) => state.subscription.wants(alias)) === true
    );
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

  #sent(
    state: TypeState,
    resources: readonly EncodedResource[],
    removed: readonly string[],
    isChanged: (resource: EncodedResource) => boolean = () => true,
  ): void {
    for (const resource of resources) {
      if (state.typeUrl === typeUrls.endpoint) {
        this.#awaitedEndpoints.delete(resource.name);
      } else if (state.typeUrl === typeUrls.cluster && isChanged(resource)) {
        this.#awaitEndpointsOf(resource);
      }
    }
    state.markSent(resources, removed);
  }

  #awaitEndpointsOf(cluster: EncodedResource): void {
    const endpoints = this.#snapshot?.resources.get(typeUrls.endpoint);
    for (const reference of referencesOf(cluster)) {
      // Counted anew from the client's answer.
      if (endpoints?.has(reference.name) === true && this.#options.fixedType === undefined) {
        this.#awaitedEndpoints.add(reference.name);
        this.#followUpUntilMs =
          this.#options.clock.monotonicMs() + this.#options.orderTimeoutMs + this.#options.followUpTimeoutMs;
      }
    }
  }

  /** Endpoints whose cluster was acknowledged are sent again even if they did not change: the cluster is warming. */
  #prepareAwaited(now: number): void {
    const endpoints = this.#snapshot?.resources.get(typeUrls.endpoint);
    const state = this.#types.get(typeUrls.endpoint);
    const clusterAnswered = this.#types.get(typeUrls.cluster)?.inFlight === undefined;
    for (const name of this.#awaitedEndpoints) {
      if (endpoints?.has(name) !== true) {
        this.#awaitedEndpoints.delete(name);
      } else if (state?.subscription.wants(name) === true) {
        if (clusterAnswered && !state.owed.has(name)) {
          state.owed.add(name);
          state.changed();
        }
      } else if (now >= this.#followUpUntilMs) {
        this.#awaitedEndpoints.delete(name);
      }
    }
  }

  #register(
    state: TypeState,
    place: number,
    resources: readonly EncodedResource[],
    snapshot: Snapshot,
    now: number,
  ): string {
    this.#nonceCount += 1;
    const nonce = `${this.#noncePrefix}.${this.#nonceCount}`;
    state.nonce = nonce;
    state.inFlight = {
      nonce,
      resources,
      place,
      storeVersion: snapshot.storeVersion,
      typeVersion: typeVersionOf(state.target),
      complete: this.#isUpToDate(state),
      sentAtMs: now,
    };
    return nonce;
  }

  // ------------------------------------------------------------------------------------------ names nobody knows

  #lookUpMissing(state: TypeState): void {
    const { missing } = state.diff;
    if (missing.length === 0) {
      return;
    }
    const lookedUp = setOf(this.#lookedUp, state.typeUrl);
    for (const name of lookedUp) {
      if (!state.subscription.names.has(name)) {
        lookedUp.delete(name);
      }
    }
    const names = missing.filter((name) => !lookedUp.has(name));
    if (names.length === 0) {
      return;
    }
    for (const name of names) {
      lookedUp.add(name);
    }
    if (state.typeUrl === typeUrls.secret) {
      this.#options.logger.warn('a client asks for secrets that it is not given', { names: names.slice(0, 8) });
    }
    const result = this.#options.onSubscribe(state.typeUrl, names);
    if (result === undefined) {
      return;
    }
    const pending = setOf(this.#lookups, state.typeUrl);
    for (const name of names) {
      pending.add(name);
    }
    let settled = false;
    const settle = (): void => {
      if (!settled) {
        settled = true;
        timer.cancel();
        for (const name of names) {
          pending.delete(name);
        }
        this.#schedule();
      }
    };
    const timer = this.#options.clock.setTimeout(settle, this.#options.onDemandTimeoutMs, { unref: true });
    result.then(settle, (error: unknown) => {
      this.#options.logger.warn('looking up names on demand failed', { typeUrl: state.typeUrl, error });
      settle();
    });
  }

  // ------------------------------------------------------------------------------------------ state

  #isUpToDate(state: TypeState): boolean {
    const { upserts, removals, missing, firstAnswer } = state.diff;
    return (
      upserts.length === 0 &&
      removals.length === 0 &&
      (missing.length === 0 || this.#options.variant === 'sotw') &&
      (this.#lookups.get(state.typeUrl)?.size ?? 0) === 0 &&
      !firstAnswer
    );
  }

  /** The client has acknowledged all that it should have of this type. */
  #isSynced(state: TypeState): boolean {
    return (
      state.inFlight === undefined &&
      state.refused.size === 0 &&
      (state.typeUrl !== typeUrls.endpoint || this.#awaitedEndpoints.size === 0) &&
      this.#isUpToDate(state)
    );
  }

  #heartbeat(state: TypeState, snapshot: Snapshot, now: number): void {
    if (this.#options.variant === 'sotw' && !this.#options.wrapsResources) {
      return;
    }
    const due = [...state.held.keys()].flatMap((name) => {
      const resource = state.target.get(name);
      return resource?.ttlMs === undefined || resource.version !== state.held.get(name)?.version ? [] : [resource];
    });
    if (due.length === 0) {
      state.heartbeatAtMs = undefined;
      return;
    }
    const intervalMs = Math.min(...due.map((resource) => resource.ttlMs ?? Number.POSITIVE_INFINITY)) / 2;
    state.heartbeatAtMs ??= now + intervalMs;
    if (now < state.heartbeatAtMs || state.inFlight !== undefined || !isEmpty(this.#workOf(state, wholeType))) {
      return;
    }
    state.heartbeatAtMs = now + intervalMs;
    this.#sendHeartbeat(state, due, snapshot, now);
  }

  #sendHeartbeat(state: TypeState, due: readonly EncodedResource[], snapshot: Snapshot, now: number): void {
    const nonce = this.#register(state, outsideTheOrder, [], snapshot, now);
    const common = { typeUrl: state.typeUrl, nonce, identifier: this.#options.identifier };
    const version = typeVersionOf(state.target);
    if (this.#options.variant === 'delta') {
      const resources = due.map(heartbeatPiece);
      this.#options.send(encodeDeltaResponse({ ...common, systemVersionInfo: version, resources, removed: [] }));
      return;
    }
    // What a full-state response leaves out is deleted, so that resources without a TTL come along.
    const others = state.fullState
      ? [...state.held.values()].flatMap(({ resource }) =>
          resource === undefined || resource.ttlMs !== undefined ? [] : [resource],
        )
      : [];
    const resources = [...due.map((resource) => wrappedInAnyPiece(resource, false)), ...others.map(unwrappedPiece)];
    this.#options.send(encodeSotwResponse({ ...common, versionInfo: version, resources }));
  }

  #nextDeadline(now: number): number {
    let next = this.#awaitedEndpoints.size > 0 ? this.#followUpUntilMs : Number.POSITIVE_INFINITY;
    for (const state of this.#types.values()) {
      if (state.inFlight !== undefined) {
        const overdueAt = state.inFlight.sentAtMs + this.#options.orderTimeoutMs;
        next = overdueAt > now ? Math.min(next, overdueAt) : next;
      } else {
        next = Math.min(next, state.heartbeatAtMs ?? Number.POSITIVE_INFINITY);
      }
    }
    return next;
  }
}

/** What one response is to say. */
interface Work {
  readonly upserts: readonly EncodedResource[];
  readonly removals: readonly string[];
  readonly missing: readonly string[];
  /** Send it even if there is nothing in it. */
  readonly always: boolean;
}

const wholeType = { part: 'all' } as Step;
const noReferences = { typeUrl: '' as TypeUrl, name: '', version: '', value: new Uint8Array(0) };

function isEmpty(work: Work): boolean {
  return work.upserts.length === 0 && work.removals.length === 0 && work.missing.length === 0 && !work.always;
}

function urgentOnly(state: TypeState, work: Work): Work {
  const isUrgent = (resource: EncodedResource): boolean =>
    state.urgent.has(resource.name) || resource.aliases?.some((alias) => state.urgent.has(alias)) === true;
  return {
    upserts: work.upserts.filter(isUrgent),
    removals: [],
    missing: work.missing.filter((name) => state.urgent.has(name)),
    always: work.always,
  };
}

function setOf<K>(sets: Map<K, Set<string>>, key: K): Set<string> {
  let set = sets.get(key);
  if (set === undefined) {
    set = new Set();
    sets.set(key, set);
  }
  return set;
}

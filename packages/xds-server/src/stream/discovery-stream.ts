import { Alarm, type Clock, type Logger } from '@weft/base';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { DeltaDiscoveryRequest, DiscoveryRequest } from '@weft/xds-types/envoy/service/discovery/v3/discovery.ts';
import type { NackRecord } from '../client-state.ts';
import { referencesOf } from '../references.ts';
import type { EncodedResource, Snapshot } from '../snapshot.ts';
import { noResources, typeVersionOf } from '../type-version.ts';
import { AwaitedEndpoints } from './awaited-endpoints.ts';
import { NameLookup } from './name-lookup.ts';
import { isEmpty, ResponseWriter, type Variant, type Work, type WrittenResponse } from './response-writer.ts';
import { outsideTheOrder, type Step, servedTypes, steps } from './send-order.ts';
import { TypeState } from './type-state.ts';

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

/** Types that are not served and were asked for, remembered so that each is logged once. */
const maxIgnoredTypes = 32;

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
  readonly #writer: ResponseWriter;
  readonly #awaited = new AwaitedEndpoints();
  readonly #lookup: NameLookup;
  #snapshot: Snapshot | undefined;
  #scheduled = false;
  #closed = false;

  constructor(options: DiscoveryStreamOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#schedule());
    this.#writer = new ResponseWriter(options);
    this.#lookup = new NameLookup({
      clock: options.clock,
      logger: options.logger,
      timeoutMs: options.onDemandTimeoutMs,
      onSubscribe: (typeUrl, names) => options.onSubscribe(typeUrl, names),
      onSettled: () => this.#schedule(),
    });
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
    if (typeUrl === undefined || !this.#withinLimits(request.resourceNames, [])) {
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
    this.#subscriptionChanged(state);
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
    for (const [name, version] of known === undefined ? initial : []) {
      if (state.subscription.wants(name)) {
        state.resume(name, version); // An entry there is no subscription.
      }
    }
    for (const name of change.added) {
      if (known !== undefined || !state.held.has(name)) {
        this.#owe(state, name);
      }
    }
    if (state.subscription.wildcard) {
      for (const name of change.removed) {
        state.owed.add(name); // The client has to learn whether it stays as part of the wildcard.
      }
    }
    this.#subscriptionChanged(state);
  }

  #subscriptionChanged(state: TypeState): void {
    if (state.typeUrl === typeUrls.endpoint) {
      this.#awaited.owe(state);
    }
    state.forgetUnwanted();
    this.#schedule();
  }

  #typeOf(requested: string): TypeUrl | undefined {
    const { fixedType } = this.#options;
    if (fixedType !== undefined) {
      if (requested !== '' && requested !== fixedType) {
        this.#options.end('INVALID_ARGUMENT', `this service serves ${fixedType} only`);
        return undefined;
      }
      return fixedType;
    }
    if (requested === '') {
      this.#options.end('INVALID_ARGUMENT', 'type_url is required on an aggregated stream');
      return undefined;
    }
    if (servedTypes.has(requested)) {
      return requested as TypeUrl;
    }
    if (!this.#ignoredTypes.has(requested) && this.#ignoredTypes.size < maxIgnoredTypes) {
      this.#ignoredTypes.add(requested);
      this.#options.logger.warn('a client asks for a resource type that is not served', { typeUrl: requested });
    }
    return undefined;
  }

  #withinLimits(names: readonly string[], initial: readonly (readonly [string, string])[]): boolean {
    const { maxNamesPerType, maxNameLength } = this.#options;
    if (names.length + initial.length > maxNamesPerType) {
      this.#options.end('RESOURCE_EXHAUSTED', `more than ${maxNamesPerType} names in one request`);
      return false;
    }
    const isLong = (text: string): boolean => text.length > maxNameLength;
    if (names.some(isLong) || initial.some(([name, version]) => isLong(name) || isLong(version))) {
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

  #owe(state: TypeState, name: string): void {
    state.owe(name);
    this.#lookup.forget(state.typeUrl, name);
  }

  #answer(state: TypeState, nonce: string, error: { readonly message: string } | undefined): void {
    const push = state.inFlight;
    if (push === undefined || push.nonce !== nonce) {
      return;
    }
    const nack = state.answer(push, error, this.#options.clock.now());
    if (state.typeUrl === typeUrls.cluster) {
      this.#awaited.answered(this.#options.clock.monotonicMs() + this.#options.followUpTimeoutMs);
      for (const resource of push.resources) {
        if (state.refused.has(resource.name)) {
          referencesOf(resource).endpoints.forEach((name) => void this.#awaited.sent(name));
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
    if (this.#snapshot === undefined) {
      return;
    }
    for (const state of this.#types.values()) {
      this.#lookup.look(state);
    }
    // Read after the look-ups: whoever answers one at once has set a new snapshot, and the targets of all types with it.
    const snapshot = this.#snapshot;
    const now = this.#options.clock.monotonicMs();
    const endpoints = snapshot.resources.get(typeUrls.endpoint);
    this.#awaited.expire((name) => endpoints?.has(name) === true, this.#types.get(typeUrls.endpoint), now);
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
    // `unsent`: an earlier step has something that could not be sent. `waiting`: an earlier step awaits its answer. Behind both, what the
    // client asked for is answered all the same: Envoy acknowledges no clusters while one of them waits for its endpoints or secrets.
    // `withholding`: something still uses what the removals at the end would take away.
    let unsent = false;
    let waiting = false;
    let withholding = false;
    steps.forEach((step, place) => {
      const state = this.#types.get(step.typeUrl);
      if (state !== undefined) {
        const work = this.#workOf(state, step);
        const held = withholding && step.part === 'removals';
        const behind = waiting || unsent;
        if (state.inFlight === undefined && !held && (!behind || step.followsRequests)) {
          this.#push(state, place, behind ? urgentOnly(state, work) : work, snapshot, now);
        }
        unsent ||= !isEmpty(this.#workOf(state, step));
        withholding ||= this.#withheld(state).size > 0;
        const push = state.inFlight;
        waiting ||= push !== undefined && push.place <= place && now < push.sentAtMs + this.#options.orderTimeoutMs;
      }
      if (place === 0) {
        this.#pushKnownEndpoints(snapshot, now);
      }
      waiting ||= step.typeUrl === typeUrls.endpoint && this.#awaited.blocks(now);
    });
  }

  /** The short path: endpoints of clusters that the client uses do not wait for anything but their own last answer. */
  #pushKnownEndpoints(snapshot: Snapshot, now: number): void {
    const state = this.#types.get(typeUrls.endpoint);
    if (state !== undefined && state.inFlight === undefined) {
      const known = ({ name }: EncodedResource): boolean => state.held.has(name) && !this.#awaited.has(name);
      const upserts = state.diff.upserts.filter(known);
      this.#push(state, outsideTheOrder, { upserts, removals: [], missing: [], always: false }, snapshot, now);
    }
  }

  #workOf(state: TypeState, step: Step): Work {
    const { diff } = state;
    const withheld = this.#withheld(state);
    const tellsMissing = step.part !== 'removals' && this.#writer.variant === 'delta';
    return {
      upserts: step.part === 'removals' ? [] : diff.upserts.filter((resource) => !withheld.has(resource)),
      removals: step.part === 'upserts' ? [] : diff.removals,
      missing: tellsMissing ? diff.missing.filter((name) => !this.#lookup.isPending(state.typeUrl, name)) : [],
      always: step.part !== 'removals' && diff.firstAnswer,
    };
  }

  /**
   * Listeners, routes and virtual hosts that would send traffic to a cluster that the client refused and has no other version of:
   * they stay as they are until the cluster is mended, because the old state works and the new one cannot.
   */
  #withheld(state: TypeState): ReadonlySet<EncodedResource> {
    const clusters = this.#types.get(typeUrls.cluster);
    if (clusters === undefined || clusters.refused.size === 0 || state.typeUrl === typeUrls.cluster) {
      return nothing;
    }
    const isUnusable = (name: string): boolean => clusters.refused.has(name) && !clusters.usable.has(name);
    return new Set(state.diff.upserts.filter((resource) => referencesOf(resource).clusters.some(isUnusable)));
  }

  #push(state: TypeState, place: number, work: Work, snapshot: Snapshot, now: number): void {
    if (isEmpty(work)) {
      return;
    }
    const onDemandRoots = work.always && state.typeUrl === typeUrls.virtualHost ? emptyOnDemandNames(snapshot) : [];
    const upserts = new Set(work.upserts);
    const written = this.#writer.write(state, {
      ...work,
      removals: work.upserts.length + work.removals.length === 0 ? onDemandRoots : work.removals,
    });
    if (written === undefined) {
      return;
    }
    this.#register(state, place, written, snapshot, now);
    if (state.typeUrl === typeUrls.endpoint) {
      for (const { name } of written.resources) {
        this.#awaited.sent(name);
      }
    } else if (state.typeUrl === typeUrls.cluster && this.#options.fixedType === undefined) {
      this.#awaitEndpoints(
        written.resources.filter((resource) => upserts.has(resource)),
        snapshot,
        now,
      );
    }
  }

  #awaitEndpoints(clusters: readonly EncodedResource[], snapshot: Snapshot, now: number): void {
    const endpoints = snapshot.resources.get(typeUrls.endpoint);
    const names = clusters.flatMap((cluster) => referencesOf(cluster).endpoints);
    this.#awaited.add(
      names.filter((name) => endpoints?.has(name) === true),
      this.#types.get(typeUrls.endpoint),
      now + this.#options.orderTimeoutMs + this.#options.followUpTimeoutMs,
    );
  }

  #register(state: TypeState, place: number, written: WrittenResponse, snapshot: Snapshot, now: number): void {
    state.inFlight = {
      ...written,
      place,
      storeVersion: snapshot.storeVersion,
      typeVersion: typeVersionOf(state.target),
      complete: this.#isUpToDate(state),
      sentAtMs: now,
    };
  }

  #heartbeat(state: TypeState, snapshot: Snapshot, now: number): void {
    const due = this.#writer.canHeartbeat ? state.expiring() : [];
    if (due.length === 0) {
      state.heartbeatAtMs = undefined;
      return;
    }
    const intervalMs = Math.min(...due.map((resource) => resource.ttlMs ?? Number.POSITIVE_INFINITY)) / 2;
    state.heartbeatAtMs ??= now + intervalMs;
    if (now >= state.heartbeatAtMs && state.inFlight === undefined) {
      state.heartbeatAtMs = now + intervalMs;
      this.#register(state, outsideTheOrder, this.#writer.heartbeat(state, due), snapshot, now);
    }
  }

  // ------------------------------------------------------------------------------------------ state

  #isUpToDate(state: TypeState): boolean {
    const { upserts, removals, missing, firstAnswer } = state.diff;
    return (
      upserts.length === 0 &&
      removals.length === 0 &&
      (missing.length === 0 || this.#writer.variant === 'sotw') &&
      !this.#lookup.hasPending(state.typeUrl) &&
      !firstAnswer
    );
  }

  /** The client has acknowledged all that it should have of this type. */
  #isSynced(state: TypeState): boolean {
    return (
      state.inFlight === undefined &&
      state.refused.size === 0 &&
      (state.typeUrl !== typeUrls.endpoint || this.#awaited.size === 0) &&
      this.#isUpToDate(state)
    );
  }

  #nextDeadline(now: number): number {
    let next = this.#awaited.untilMs > now ? this.#awaited.untilMs : Number.POSITIVE_INFINITY;
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

const nothing: ReadonlySet<EncodedResource> = new Set();

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

/**
 * Envoy holds back a listener until the first virtual hosts of its route configuration are there, and takes no notice of a response
 * without any name: where there are none yet, a name below the route configuration that does not exist ends the wait.
 */
function emptyOnDemandNames(snapshot: Snapshot): string[] {
  const tables = [...(snapshot.resources.get(typeUrls.routeConfiguration)?.values() ?? [])];
  return tables.filter((table) => referencesOf(table).onDemand).map(({ name }) => `${name}/*`);
}

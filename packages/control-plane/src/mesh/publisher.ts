import { type Clock, type Logger, MeshError, type Timer } from '@weft/base';
import type { OriginRef, WorkloadIr } from '@weft/ir';
import {
  type ChangeEffect,
  clusterLoadAssignment,
  loadAssignments,
  type MeshState,
  proxyMessages,
  type ResourceChange,
  workloadIr,
  type XdsMessage,
} from '@weft/translate';
import {
  createSnapshot,
  type EncodedResource,
  findInconsistencies,
  type Snapshot,
  type XdsServer,
} from '@weft/xds-server';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import { EncodeCache } from './encode-cache.ts';
import type { Counter, Histogram } from './metrics.ts';

/** What one proxy has been given, and what it was made from. */
export interface Publication {
  readonly proxyKey: string;
  readonly ir: WorkloadIr;
  readonly messages: readonly XdsMessage[];
  /** By name; the load assignments of the clusters. */
  readonly assignments: ReadonlyMap<string, XdsMessage>;
  readonly common: readonly EncodedResource[];
  readonly snapshot: Snapshot;
}

export interface PublisherOptions {
  readonly state: MeshState;
  readonly xds: Pick<XdsServer, 'setSnapshot' | 'removeClient'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Authorities that a proxy has asked for on demand. */
  readonly observedHosts: (proxyKey: string) => readonly string[];
  /** Resources that every proxy gets besides its own: the trust bundle. */
  readonly common: () => readonly EncodedResource[];
  /** Something was published, or the revision grew without anything to publish. */
  readonly onPublished: () => void;
  readonly metrics: { readonly pushSeconds: Histogram; readonly failures: Counter };
  /** How long changes of configuration are gathered, milliseconds; bounded, not pushed back by further changes. Default 5. */
  readonly gatherMs?: number;
}

/**
 * Turns changes of resources into snapshots of the proxies that are there. Changes of endpoints go out at once and touch
 * nothing else; other changes are gathered for a moment. A translation that fails leaves the proxy its last good snapshot.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #encoded = new EncodeCache();
  readonly #publications = new Map<string, Publication>();
  readonly #active = new Set<string>();
  #revision: number;
  /** What the snapshots of all active proxies show. */
  #publishedRevision: number;
  #pending: { readonly timer: Timer; readonly since: number } | undefined;

  /** @param firstRevision the first store version; later ones must be greater. */
  constructor(options: PublisherOptions, firstRevision: number) {
    this.#options = options;
    this.#revision = firstRevision;
    this.#publishedRevision = firstRevision;
  }

  /** Grows with each change that may matter to a proxy; the `storeVersion` of snapshots. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether there are changes that no snapshot shows yet. */
  get dirty(): boolean {
    return this.#pending !== undefined;
  }

  publication(proxyKey: string): Publication | undefined {
    return this.#publications.get(proxyKey);
  }

  /** Of the proxies that are connected. */
  publications(): Iterable<Publication> {
    return this.#publications.values();
  }

  /** Takes over changes of resources. @returns the revision from which snapshots hold them. */
  apply(changes: readonly ResourceChange[]): number {
    return this.applyEffect(this.#options.state.apply(changes));
  }

  applyEffect(effect: ChangeEffect): number {
    if (!effect.config && effect.endpointServices.size === 0) {
      return this.#revision;
    }
    this.#revision += 1;
    // A snapshot of this revision must show every change before it: endpoints wait for what is being gathered.
    if (effect.config || this.#pending !== undefined) {
      this.#gather();
    } else {
      this.#publishEndpoints(effect.endpointServices);
    }
    return this.#revision;
  }

  /** A proxy has connected: from now on it is kept up to date. */
  activate(proxyKey: string): void {
    this.#active.add(proxyKey);
    this.publishTo(proxyKey);
  }

  /** A proxy has gone; the xDS server keeps its last snapshot. */
  deactivate(proxyKey: string): void {
    this.#active.delete(proxyKey);
    this.#publications.delete(proxyKey);
  }

  /** A proxy is gone for good, or is not who it was: its streams end, and it has to prove itself again. */
  remove(proxyKey: string): void {
    this.deactivate(proxyKey);
    this.#options.xds.removeClient(proxyKey);
  }

  /** Makes one proxy's snapshot again, at once: it asked for something new. */
  publishTo(proxyKey: string): void {
    // While changes are being gathered their revision is not claimed: the flush gives it to all proxies alike.
    this.#publish(proxyKey, this.#publishedRevision);
    this.#options.onPublished();
  }

  /** Publishes now what is being gathered. */
  flush(): void {
    const pending = this.#pending;
    pending?.timer.cancel();
    this.#pending = undefined;
    this.#publishedRevision = this.#revision;
    for (const proxyKey of this.#active) {
      this.#publish(proxyKey, this.#revision);
    }
    if (pending !== undefined) {
      this.#options.metrics.pushSeconds.observe((this.#options.clock.monotonicMs() - pending.since) / 1_000);
    }
    this.#options.onPublished();
  }

  /** Something that is common to all proxies has changed. */
  refresh(): void {
    this.#revision += 1;
    this.#gather();
  }

  close(): void {
    this.#pending?.timer.cancel();
    this.#pending = undefined;
    this.#active.clear();
  }

  #gather(): void {
    if (this.#pending === undefined) {
      const { clock, gatherMs = 5 } = this.#options;
      this.#pending = { timer: clock.setTimeout(() => this.flush(), gatherMs), since: clock.monotonicMs() };
    }
  }

  #publish(proxyKey: string, storeVersion: number): void {
    const { state, xds, logger, metrics } = this.#options;
    try {
      const previous = this.#publications.get(proxyKey);
      const ir = workloadIr(state, proxyKey, this.#options.observedHosts(proxyKey));
      if (ir === undefined) {
        this.remove(proxyKey);
        return;
      }
      const messages = proxyMessages(state, proxyKey, ir);
      const common = this.#options.common();
      const assignments = loadAssignments(state, proxyKey, ir);
      if (previous !== undefined && isSame(previous, messages, assignments, common)) {
        const snapshot = { storeVersion, resources: previous.snapshot.resources };
        this.#publications.set(proxyKey, { ...previous, ir, snapshot });
        xds.setSnapshot(proxyKey, snapshot);
        return;
      }
      const snapshot = createSnapshot(
        storeVersion,
        this.#encodeAll(messages, assignments.values(), common),
        previous?.snapshot,
      );
      const problems = findInconsistencies(snapshot);
      if (problems.length > 0) {
        throw new MeshError(
          'INTERNAL',
          `the snapshot of ${proxyKey} is not consistent: ${problems.slice(0, 5).join('; ')}`,
        );
      }
      this.#publications.set(proxyKey, { proxyKey, ir, messages, assignments, common, snapshot });
      xds.setSnapshot(proxyKey, snapshot);
    } catch (error) {
      metrics.failures.add();
      logger.error('translation failed; the proxy keeps its last configuration', { proxy: proxyKey, error });
    }
  }

  #publishEndpoints(names: ReadonlySet<string>): void {
    const { state, xds, clock, logger, metrics } = this.#options;
    const since = clock.monotonicMs();
    this.#publishedRevision = this.#revision;
    for (const [proxyKey, publication] of this.#publications) {
      try {
        const changed = new Map<string, XdsMessage>();
        for (const name of names.size < publication.assignments.size ? names : publication.assignments.keys()) {
          const old = names.has(name) ? publication.assignments.get(name) : undefined;
          if (old === undefined) {
            continue;
          }
          const assignment = clusterLoadAssignment(state, proxyKey, name);
          if (assignment !== old) {
            changed.set(name, assignment);
          }
        }
        const assignments =
          changed.size === 0 ? publication.assignments : new Map([...publication.assignments, ...changed]);
        const snapshot = withEndpoints(
          publication.snapshot,
          this.#revision,
          [...changed.values()].map((message) => this.#encoded.encode(message)),
        );
        this.#publications.set(proxyKey, { ...publication, assignments, snapshot });
        xds.setSnapshot(proxyKey, snapshot);
      } catch (error) {
        metrics.failures.add();
        logger.error('endpoints failed; the proxy keeps its last ones', { proxy: proxyKey, error });
      }
    }
    metrics.pushSeconds.observe((clock.monotonicMs() - since) / 1_000);
    this.#options.onPublished();
  }

  *#encodeAll(
    messages: readonly XdsMessage[],
    assignments: Iterable<XdsMessage>,
    common: readonly EncodedResource[],
  ): Generator<EncodedResource> {
    for (const message of messages) {
      yield this.#encoded.encode(message);
    }
    for (const message of assignments) {
      yield this.#encoded.encode(message);
    }
    for (const resource of common) {
      yield this.#encoded.share(resource);
    }
  }
}

/** The resources that one publication was made from, each once or more. */
export function* originsOf(publication: Publication): Generator<OriginRef> {
  yield* publication.ir.origins;
  for (const message of publication.assignments.values()) {
    yield* message.origins;
  }
}

/** The resources that one xDS resource of a publication was made from. */
export function originsOfResource(publication: Publication, typeUrl: TypeUrl, name: string): readonly OriginRef[] {
  if (typeUrl === typeUrls.endpoint) {
    return publication.assignments.get(name)?.origins ?? [];
  }
  return publication.messages.find((message) => message.typeUrl === typeUrl && message.name === name)?.origins ?? [];
}

/** Translation gives the same objects for what has not changed: most proxies are not touched by most changes. */
function isSame(
  previous: Publication,
  messages: readonly XdsMessage[],
  assignments: ReadonlyMap<string, XdsMessage>,
  common: readonly EncodedResource[],
): boolean {
  if (
    previous.messages !== messages ||
    previous.assignments.size !== assignments.size ||
    previous.common.length !== common.length ||
    previous.common.some((resource, at) => resource !== common[at])
  ) {
    return false;
  }
  for (const [name, assignment] of assignments) {
    if (previous.assignments.get(name) !== assignment) {
      return false;
    }
  }
  return true;
}

function withEndpoints(snapshot: Snapshot, storeVersion: number, changed: readonly EncodedResource[]): Snapshot {
  const old = snapshot.resources.get(typeUrls.endpoint) ?? new Map<string, EncodedResource>();
  const differing = changed.filter((resource) => old.get(resource.name)?.version !== resource.version);
  if (differing.length === 0) {
    return { storeVersion, resources: snapshot.resources };
  }
  const endpoints = new Map(old);
  for (const resource of differing) {
    endpoints.set(resource.name, resource);
  }
  return { storeVersion, resources: new Map([...snapshot.resources, [typeUrls.endpoint, endpoints]]) };
}

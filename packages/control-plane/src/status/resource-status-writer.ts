import type { Clock, Logger } from '@weft/base';
import { type Condition, type KubeObject, parseApiVersion, type ResourceClient } from '@weft/resources';
import { type MeshState, type ResourceStatus, resourceStatus } from '@weft/translate';
import type { XdsServer } from '@weft/xds-server';
import type { ClosedListeners } from '../mesh/closed-listeners.ts';
import { PortProtocols } from '../mesh/port-protocols.ts';
import type { Publisher } from '../mesh/publisher.ts';
import type { Revisions, TrackedResource } from '../mesh/revisions.ts';
import type { SeenProtocols } from '../mesh/seen-protocols.ts';
import { compareConditions, mergeConditions, storedProtocolConditions, type WantedCondition } from './conditions.ts';
import { GatheredLook } from './gathered-look.ts';
import { patchStatus } from './patch-status.ts';
import { ProgrammedView } from './programmed.ts';
import { protocolConditions } from './protocol-conditions.ts';
import { type TurnResult, WriteQueue } from './write-queue.ts';

export interface ResourceStatusWriterOptions {
  readonly state: MeshState;
  readonly publisher: Publisher;
  readonly closedListeners: ClosedListeners;
  readonly revisions: Revisions;
  readonly seenProtocols: SeenProtocols;
  readonly xds: Pick<XdsServer, 'client'>;
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `Pending` is written only when proxies take longer than this; most changes are applied before. */
const pendingDelayMs = 150;
/** Changed numbers in a message are not urgent: proxies come and go. */
const wordingDelayMs = 1_500;

/**
 * Keeps `status.conditions` of every resource that translation reads: `Accepted` and what else translation says, and
 * `Programmed`. Writes a resource only when something differs from what is stored.
 */
export class ResourceStatusWriter {
  readonly #options: ResourceStatusWriterOptions;
  readonly #queue: WriteQueue;
  readonly #gathered: GatheredLook;
  #statuses: ReadonlyMap<string, ResourceStatus> = new Map();
  #view: ProgrammedView | undefined;
  #protocols: PortProtocols | undefined;

  constructor(options: ResourceStatusWriterOptions) {
    this.#options = options;
    this.#gathered = new GatheredLook(options.clock, () => this.#look());
    this.#queue = new WriteQueue({
      clock: options.clock,
      logger: options.logger,
      what: 'status of a resource',
      run: (key) => this.#write(key),
    });
  }

  /** Begins to write; before, changes are only noted. */
  start(): void {
    this.#gathered.start();
  }

  /** A resource, a snapshot or an acknowledgement has changed. */
  changed(): void {
    this.#view = undefined;
    this.#protocols = undefined;
    this.#gathered.changed();
  }

  close(): void {
    this.#gathered.close();
    this.#queue.close();
  }

  #look(): void {
    const { state, revisions } = this.#options;
    this.#statuses = resourceStatus(state);
    for (const [key, status] of this.#statuses) {
      const resource = revisions.get(key);
      if (resource === undefined) {
        continue;
      }
      const wanted = this.#wanted(key, status, resource);
      switch (compareConditions(storedConditions(resource.object), wanted, resource.generation)) {
        case 'none':
          this.#queue.forget(key);
          break;
        case 'wording':
          this.#queue.mark(key, wordingDelayMs);
          break;
        case 'substance':
          this.#queue.mark(key, isPending(wanted) ? pendingDelayMs : 0);
          break;
      }
    }
  }

  async #write(key: string): Promise<TurnResult> {
    const { revisions, client, clock } = this.#options;
    const resource = revisions.get(key);
    const status = this.#statuses.get(key);
    if (resource === undefined || status === undefined) {
      return undefined;
    }
    const wanted = this.#wanted(key, status, resource);
    const stored = storedConditions(resource.object);
    if (compareConditions(stored, wanted, resource.generation) === 'none') {
      return undefined;
    }
    const { group } = parseApiVersion(resource.apiVersion);
    await patchStatus(client, resource, {
      conditions: mergeConditions(stored, wanted, resource.generation, new Date(clock.now())),
      // Kubernetes' own kinds and ours say it in the conditions alone.
      ...(group.endsWith('.istio.io') ? { observedGeneration: resource.generation } : {}),
    });
    return undefined;
  }

  #wanted(key: string, status: ResourceStatus, resource: TrackedResource): readonly WantedCondition[] {
    const wanted = wantedConditions(key, status, resource, this.#currentView());
    return resource.kind === 'Service' && resource.apiVersion === 'v1'
      ? [...wanted, ...this.#protocolConditions(resource)]
      : wanted;
  }

  #protocolConditions(resource: TrackedResource): readonly WantedCondition[] {
    const { state, seenProtocols } = this.#options;
    this.#protocols ??= new PortProtocols(state, seenProtocols);
    const protocols = this.#protocols;
    const ports = state.services
      .ofObject(`Service/${resource.namespace}/${resource.name}`)
      .flatMap((service) => protocols.describe(service));
    return (
      protocolConditions(ports) ?? storedProtocolConditions(storedConditions(resource.object), resource.generation)
    );
  }

  #currentView(): ProgrammedView {
    this.#view ??= new ProgrammedView(this.#options);
    return this.#view;
  }
}

function wantedConditions(
  key: string,
  status: ResourceStatus,
  resource: TrackedResource,
  view: ProgrammedView,
): readonly WantedCondition[] {
  const refused = status.conditions.find(({ type, status: value }) => type === 'Accepted' && value === 'False');
  const programmed: WantedCondition =
    refused === undefined
      ? view.condition(key, resource)
      : { type: 'Programmed', status: 'False', reason: refused.reason, message: 'it is not accepted' };
  return [
    ...status.conditions.map(({ type, status: value, reason, message }) => ({ type, status: value, reason, message })),
    programmed,
  ];
}

function isPending(wanted: readonly WantedCondition[]): boolean {
  return wanted.some(({ type, reason }) => type === 'Programmed' && reason === 'Pending');
}

function storedConditions(object: KubeObject): readonly Condition[] {
  const { status } = object as { readonly status?: { readonly conditions?: readonly Condition[] } };
  return status?.conditions ?? [];
}

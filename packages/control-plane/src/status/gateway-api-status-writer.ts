import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '@weft/base';
import type { Condition, KubeObject, ResourceClient } from '@weft/resources';
import {
  type GatewayApiStatus,
  type GatewayCondition,
  gatewayApiStatus,
  gatewayControllerName,
  type MeshState,
  routeGroup,
} from '@weft/translate';
import type { XdsServer } from '@weft/xds-server';
import type { ClosedListeners } from '../mesh/closed-listeners.ts';
import type { Publisher } from '../mesh/publisher.ts';
import type { Revisions, TrackedResource } from '../mesh/revisions.ts';
import { GatheredLook } from './gathered-look.ts';
import { patchStatus } from './patch-status.ts';
import { ProgrammedView } from './programmed.ts';
import { type TurnResult, WriteQueue } from './write-queue.ts';

export interface GatewayApiStatusWriterOptions {
  readonly state: MeshState;
  readonly publisher: Publisher;
  readonly closedListeners: ClosedListeners;
  readonly revisions: Revisions;
  readonly xds: Pick<XdsServer, 'client'>;
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The parts of a status that are ours, as they are stored. */
type StoredStatus = Readonly<Record<string, unknown>>;
/** What a controller says of an object at one of those that it is attached to. */
interface StoredEntry {
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

/**
 * Keeps the status of GatewayClasses, Gateways, ListenerSets, routes and policies, in the shape that Gateway API gives them. Entries of other
 * controllers in the status of a route or policy stay. Writes an object only when something differs from what is stored.
 */
export class GatewayApiStatusWriter {
  readonly #options: GatewayApiStatusWriterOptions;
  readonly #queue: WriteQueue;
  readonly #gathered: GatheredLook;
  #statuses: ReadonlyMap<string, GatewayApiStatus> = new Map();
  #view: ProgrammedView | undefined;

  constructor(options: GatewayApiStatusWriterOptions) {
    this.#options = options;
    this.#gathered = new GatheredLook(options.clock, () => this.#look());
    this.#queue = new WriteQueue({
      clock: options.clock,
      logger: options.logger,
      what: 'status of a resource of Gateway API',
      run: (key) => this.#write(key),
    });
  }

  start(): void {
    this.#gathered.start();
  }

  /** A resource, a snapshot or an acknowledgement has changed. */
  changed(): void {
    this.#view = undefined;
    this.#gathered.changed();
  }

  close(): void {
    this.#gathered.close();
    this.#queue.close();
  }

  #look(): void {
    const { state, revisions } = this.#options;
    this.#statuses = gatewayApiStatus(state);
    for (const [key, status] of this.#statuses) {
      const resource = revisions.get(key);
      if (resource === undefined) {
        continue;
      }
      if (this.#isStored(key, status, resource)) {
        this.#queue.forget(key);
      } else {
        this.#queue.mark(key, 0);
      }
    }
  }

  #isStored(key: string, status: GatewayApiStatus, resource: TrackedResource): boolean {
    const stored = storedStatus(resource.object);
    return isDeepStrictEqual(this.#wanted(key, status, resource, stored), stored);
  }

  async #write(key: string): Promise<TurnResult> {
    const { revisions, client } = this.#options;
    const resource = revisions.get(key);
    const status = this.#statuses.get(key);
    if (resource === undefined || status === undefined || this.#isStored(key, status, resource)) {
      return undefined;
    }
    await patchStatus(client, resource, this.#wanted(key, status, resource, storedStatus(resource.object)));
    return undefined;
  }

  /** The whole status as it should be stored. */
  #wanted(key: string, status: GatewayApiStatus, resource: TrackedResource, stored: StoredStatus): StoredStatus {
    const merge = this.#merge(resource);
    switch (status.kind) {
      case 'class':
        return {
          ...stored,
          conditions: merge(stored['conditions'], status.conditions),
          supportedFeatures: status.supportedFeatures.map((name) => ({ name })),
        };
      case 'listener-set':
        return { ...stored, ...this.#withListeners(key, status, resource, stored) };
      case 'gateway': {
        const { attachedListenerSets = 'attachedListenerSets' in stored ? 0 : undefined } = status;
        return {
          ...stored,
          ...this.#withListeners(key, status, resource, stored),
          addresses: status.addresses.map((value) => ({ type: 'IPAddress', value })),
          ...(attachedListenerSets === undefined ? {} : { attachedListenerSets }),
        };
      }
      case 'route':
        return { ...stored, parents: this.#entries(stored['parents'], 'parentRef', status.parents, resource) };
      case 'policy': {
        const applied = this.#applied(key, resource);
        const ancestors = status.ancestors.map(({ ref, conditions }) => ({ ref, conditions: conditions.map(applied) }));
        return { ...stored, ancestors: this.#entries(stored['ancestors'], 'ancestorRef', ancestors, resource) };
      }
    }
  }

  /** What Gateways and ListenerSets have in common. */
  #withListeners(
    key: string,
    status: Extract<GatewayApiStatus, { readonly listeners: unknown }>,
    resource: TrackedResource,
    stored: StoredStatus,
  ): StoredStatus {
    const merge = this.#merge(resource);
    const applied = this.#applied(key, resource);
    const listeners = (stored['listeners'] ?? []) as readonly {
      readonly name: string;
      readonly conditions: readonly Condition[];
    }[];
    return {
      conditions: merge(stored['conditions'], status.conditions.map(applied)),
      listeners: status.listeners.map((listener) => ({
        name: listener.name,
        supportedKinds: listener.supportedKinds.map((kind) => ({ group: routeGroup, kind })),
        attachedRoutes: listener.attachedRoutes,
        conditions: merge(
          listeners.find(({ name }) => name === listener.name)?.conditions,
          listener.conditions.map(applied),
        ),
      })),
    };
  }

  #merge({ generation }: TrackedResource): (old: unknown, wanted: readonly GatewayCondition[]) => readonly Condition[] {
    return (old, wanted) => this.#conditions((old ?? []) as readonly Condition[], wanted, generation);
  }

  /** Our entries in a list that several controllers write to, after those of the others. */
  #entries(
    stored: unknown,
    refField: 'parentRef' | 'ancestorRef',
    wanted: readonly { readonly ref: unknown; readonly conditions: readonly GatewayCondition[] }[],
    resource: TrackedResource,
  ): readonly unknown[] {
    const merge = this.#merge(resource);
    const all = (stored ?? []) as readonly (StoredEntry & Readonly<Record<typeof refField, unknown>>)[];
    const own = all.filter(({ controllerName }) => controllerName === gatewayControllerName);
    return [
      ...all.filter(({ controllerName }) => controllerName !== gatewayControllerName),
      ...wanted.map(({ ref, conditions }) => ({
        [refField]: ref,
        controllerName: gatewayControllerName,
        conditions: merge(own.find((entry) => isDeepStrictEqual(entry[refField], ref))?.conditions, conditions),
      })),
    ];
  }

  /** `Programmed` holds when the proxies have applied it, too. */
  #applied(key: string, resource: TrackedResource): (condition: GatewayCondition) => GatewayCondition {
    this.#view ??= new ProgrammedView(this.#options);
    const view = this.#view.condition(key, resource);
    return (condition) =>
      condition.type !== 'Programmed' || condition.status === 'False' || view.status === 'True'
        ? condition
        : { ...condition, status: 'False', reason: 'Pending', message: view.message };
  }

  /** Times move only when the status of a condition does. */
  #conditions(
    stored: readonly Condition[],
    wanted: readonly GatewayCondition[],
    generation: number,
  ): readonly Condition[] {
    const time = `${new Date(this.#options.clock.now()).toISOString().slice(0, 19)}Z`;
    return wanted.map(({ type, status, reason, message }) => {
      const old = stored.find((condition) => condition.type === type);
      const lastTransitionTime = old?.status === status ? old.lastTransitionTime : time;
      return { type, status, reason, message, observedGeneration: generation, lastTransitionTime };
    });
  }
}

function storedStatus(object: KubeObject): StoredStatus {
  return (object as { readonly status?: StoredStatus }).status ?? {};
}

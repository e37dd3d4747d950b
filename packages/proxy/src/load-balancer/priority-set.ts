import type { LoadBalancerPolicy, LocalityBalancing } from '../runtime-config/load-balancing.ts';
import type { BackgroundWork } from './background-work.ts';
import type { Balancer } from './balancer.ts';
import { HashTables } from './hash-tables.ts';
import { type Hash64, hashModulo } from './hash64.ts';
import { type HostAvailability, HostSet, type LocalityGroup, type Prioritised } from './host-set.ts';
import type { PickContext } from './pick-context.ts';
import { createPicker, type PickerContext } from './picker.ts';
import { isInPanic, type PriorityLoad, priorityLoad } from './priority-load.ts';
import type { RetryPriority } from './retry-priority.ts';
import { chooseZone, type LocalCluster, type ZoneRoute, zoneRoute } from './zone-routing.ts';

/** What the balancer counts; names as Envoy's `lb_…`. */
export class BalancerCounters {
  healthyPanic = 0;
  zoneRoutingAllDirectly = 0;
  zoneRoutingSampled = 0;
  zoneRoutingCrossZone = 0;
  zoneClusterTooSmall = 0;
  localClusterNotOk = 0;
  recalculateZoneStructures = 0;
  originalDstHostInvalid = 0;
  subsetsActive = 0;
  subsetsSelected = 0;
  subsetsFallback = 0;
  subsetsFallbackPanic = 0;
}

/** The endpoints of one priority. */
export interface PriorityLevel<T> {
  /** In the order of the assignment. */
  readonly endpoints: readonly T[];
  /** The own locality first, where it has endpoints. */
  readonly localities: readonly LocalityGroup<T>[];
  /** Whether the first locality is that of this proxy. */
  readonly ownLocalityFirst: boolean;
}

export interface PriorityOptions<T> extends PickerContext {
  readonly policy: LoadBalancerPolicy;
  readonly locality: LocalityBalancing;
  /** Percent of endpoints that must be healthy for the others to be left out; 0: always. */
  readonly panicThresholdPercent: number;
  readonly counters: BalancerCounters;
  readonly work: BackgroundWork;
  readonly keyOf: (endpoint: T) => string;
  readonly activeTotal: () => number;
  /** Who else is in the cluster of this proxy. Absent: this proxy belongs to none that is known, and zones are not looked at. */
  readonly localCluster?: (() => LocalCluster | undefined) | undefined;
  /** A first choice can be made; called once, unless {@link PrioritySet.ready} was true after the first update. */
  readonly onReady: () => void;
}

/** Percent, `overprovisioning_factor` and `weighted_priority_health` of an assignment. */
export interface PriorityPolicy {
  readonly overprovisioningFactor: number;
  readonly weightedHealth: boolean;
}

/**
 * The balancer of a cluster: a priority by health, in it a locality where the configuration says so, in that an endpoint by the policy. With
 * ring hash and Maglev the priority's table chooses. Orders and defaults are Envoy's.
 */
export class PrioritySet<T extends Prioritised> implements Balancer<T> {
  readonly #options: PriorityOptions<T>;
  readonly #tables: HashTables<T> | undefined;
  #levels: readonly HostSet<T>[] = [];
  #ownLocalityFirst = false;
  #overprovisioningFactor = 140;
  #load: PriorityLoad = priorityLoad([], 140, 0);
  #zones: ZoneRoute = { kind: 'none', reason: 'no-localities' };
  #lastLocalCluster: LocalCluster | undefined = undefined;
  /** This cluster as those see it that balance by zone, until something changes. */
  #asLocalCluster: LocalCluster | undefined = undefined;
  /** Everything goes to healthy endpoints of the first priority. */
  #isSimple = false;
  #dirty = false;
  readonly #randomHash: Hash64 = { hi: 0, lo: 0 };

  constructor(options: PriorityOptions<T>) {
    this.#options = options;
    const { policy } = options;
    this.#tables =
      policy.kind === 'ring-hash' || policy.kind === 'maglev'
        ? new HashTables({ ...options, policy, byLocalityWeight: options.locality.kind === 'weighted' })
        : undefined;
  }

  /** A first choice can be made. */
  get ready(): boolean {
    return this.#tables === undefined || this.#tables.ready;
  }

  /** Takes new endpoints, by priority. */
  update(levels: readonly PriorityLevel<T>[], { overprovisioningFactor, weightedHealth }: PriorityPolicy): void {
    const { policy, random } = this.#options;
    this.#overprovisioningFactor = overprovisioningFactor;
    this.#ownLocalityFirst = levels[0]?.ownLocalityFirst === true;
    this.#levels = levels.map(
      ({ endpoints, localities }) =>
        new HostSet(endpoints, localities, {
          createPicker: (hosts) =>
            policy.kind === 'ring-hash' || policy.kind === 'maglev'
              ? createPicker({ kind: 'random' }, hosts, this.#options)
              : createPicker(policy, hosts, this.#options),
          overprovisioningFactor,
          random,
          weightedHealth,
        }),
    );
    this.#recalculate();
  }

  /** The health of some endpoint changed. Many changes in a row cost as much as one: lists are renewed at the next choice. */
  healthChanged(): void {
    if (this.#dirty) {
      return;
    }
    this.#dirty = true;
    if (this.#tables !== undefined) {
      // Tables take a while, so that they are begun before somebody asks.
      this.#options.work.run(nothing(), () => this.#refresh());
    }
  }

  /** Gives up what is being built. */
  stop(): void {
    this.#tables?.stop();
  }

  /** undefined when no endpoint may be used. */
  pick(context?: PickContext<T>): T | undefined {
    if (this.#dirty) {
      this.#refresh();
    }
    const tables = this.#tables;
    const retries = context === undefined ? 0 : context.hostSelectionRetries;
    const hash = tables === undefined ? undefined : (context?.hash ?? this.#drawHash());
    const priority = tables === undefined || hash === undefined ? 0 : this.#priorityOf(hash);
    for (let attempt = 0; ; attempt += 1) {
      const endpoint =
        tables === undefined || hash === undefined
          ? this.#pickOnce(context?.retryPriority)
          : (tables.choose(priority, hash, attempt) ?? this.#pickBeside(tables, priority));
      if (endpoint === undefined || attempt >= retries || context === undefined || !context.shouldSkip(endpoint)) {
        return endpoint;
      }
    }
  }

  /** The state of the first priority, for those that balance by zone; the same object until something changes. */
  localCluster(): LocalCluster {
    if (this.#dirty) {
      this.#refresh();
    }
    this.#asLocalCluster ??= this.#describe();
    return this.#asLocalCluster;
  }

  #describe(): LocalCluster {
    const [first] = this.#levels;
    return {
      localities: first === undefined ? [] : healthyGroups(first),
      inOwnLocality: this.#ownLocalityFirst ? (first?.localities[0]?.endpoints.length ?? 0) : 0,
      localityCount: first?.localities.length ?? 0,
      panic: first === undefined || isInPanic(first.health, this.#options.panicThresholdPercent),
    };
  }

  #refresh(): void {
    if (!this.#dirty) {
      return;
    }
    for (const level of this.#levels) {
      level.refresh();
    }
    this.#recalculate();
  }

  #recalculate(): void {
    const { panicThresholdPercent, locality, localCluster } = this.#options;
    this.#dirty = false;
    this.#load = priorityLoad(
      this.#levels.map(({ health }) => health),
      this.#overprovisioningFactor,
      panicThresholdPercent,
    );
    this.#lastLocalCluster = undefined;
    this.#asLocalCluster = undefined;
    const hasZones = localCluster !== undefined && (this.#levels[0]?.localities.length ?? 0) > 1;
    const ignoresLocality = locality.kind === 'none' || (locality.kind === 'zone-aware' && !hasZones);
    this.#isSimple = ignoresLocality && this.#load.healthy[0] === 100 && this.#load.panic[0] === false;
    this.#tables?.update(this.#levels, this.#load.panic);
  }

  #drawHash(): Hash64 {
    const { random } = this.#options;
    this.#randomHash.hi = Math.floor(random() * 0x1_0000_0000);
    this.#randomHash.lo = Math.floor(random() * 0x1_0000_0000);
    return this.#randomHash;
  }

  #priorityOf(hash: Hash64): number {
    const point = hashModulo(hash, 100);
    const { healthy, degraded, panic } = this.#load;
    const found = levelAt(healthy, point);
    const priority = found >= 0 ? found : Math.max(0, levelAt(degraded, point - sumOf(healthy)));
    if (panic[priority] === true) {
      this.#options.counters.healthyPanic += 1;
    }
    return priority;
  }

  /** Any endpoint of a priority, while the table that would say which is not there yet, or has none but those that have left. */
  #pickBeside(tables: HashTables<T>, priority: number): T | undefined {
    const level = this.#levels[priority];
    if (level === undefined || tables.isCurrent(priority)) {
      return undefined;
    }
    return this.#load.panic[priority] === true ? level.pickAny() : level.pick('healthy');
  }

  #pickOnce(retryPriority: RetryPriority<T> | undefined): T | undefined {
    if (this.#isSimple && retryPriority === undefined) {
      return this.#levels[0]?.pick('healthy');
    }
    const { random } = this.#options;
    const { healthy, degraded } = retryPriority === undefined ? this.#load : retryPriority.loadOf(this.#load);
    const point = Math.floor(random() * 100);
    let index = levelAt(healthy, point);
    let availability: HostAvailability = 'healthy';
    if (index < 0) {
      index = levelAt(degraded, point - sumOf(healthy));
      availability = 'degraded';
    }
    const level = this.#levels[index];
    return level === undefined ? undefined : this.#pickIn(level, index, availability);
  }

  #pickIn(level: HostSet<T>, index: number, availability: HostAvailability): T | undefined {
    const { locality, counters } = this.#options;
    if (this.#load.panic[index] === true) {
      counters.healthyPanic += 1;
      return locality.kind === 'zone-aware' && locality.failTrafficOnPanic ? undefined : level.pickAny();
    }
    if (locality.kind === 'weighted') {
      const chosen = level.chooseLocality(availability);
      return chosen === undefined ? level.pick(availability) : level.pickIn(availability, chosen);
    }
    return locality.kind === 'zone-aware' && index === 0
      ? this.#pickByZone(level, availability, locality)
      : level.pick(availability);
  }

  #pickByZone(
    level: HostSet<T>,
    availability: HostAvailability,
    options: Extract<LocalityBalancing, { readonly kind: 'zone-aware' }>,
  ): T | undefined {
    const { random, counters } = this.#options;
    const local = this.#options.localCluster?.();
    if (local === undefined) {
      return level.pick(availability);
    }
    if (local !== this.#lastLocalCluster) {
      this.#lastLocalCluster = local;
      this.#recalculateZones(level, local, options);
    }
    const zones = this.#zones;
    if (zones.kind === 'none' || random() * 100 >= options.routingEnabledPercent) {
      return level.pick(availability);
    }
    if (local.panic) {
      counters.localClusterNotOk += 1;
      return options.failTrafficOnPanic ? undefined : level.pick(availability);
    }
    const zone = chooseZone(zones, random);
    if (zones.kind === 'direct') {
      counters.zoneRoutingAllDirectly += 1;
    } else if (zone === 0 && this.#ownLocalityFirst) {
      counters.zoneRoutingSampled += 1;
    } else {
      counters.zoneRoutingCrossZone += 1;
    }
    return level.pickIn(availability, zone);
  }

  #recalculateZones(
    level: HostSet<T>,
    local: LocalCluster,
    options: Extract<LocalityBalancing, { readonly kind: 'zone-aware' }>,
  ): void {
    const { counters } = this.#options;
    counters.recalculateZoneStructures += 1;
    this.#zones = zoneRoute(healthyGroups(level), this.#ownLocalityFirst, local, options);
    if (this.#zones.kind === 'none') {
      counters.localClusterNotOk += this.#zones.reason === 'local-cluster-not-ok' ? 1 : 0;
      counters.zoneClusterTooSmall += this.#zones.reason === 'cluster-too-small' ? 1 : 0;
    }
  }
}

function healthyGroups<T extends Prioritised>(level: HostSet<T>): readonly LocalityGroup<T>[] {
  return level.localities.map((group, index) => ({ ...group, endpoints: level.healthyByLocality[index] ?? [] }));
}

/** The first level whose part of `loads` holds `point`, -1 when none does. */
function levelAt(loads: Uint32Array, point: number): number {
  let sum = 0;
  for (let index = 0; index < loads.length; index += 1) {
    sum += loads[index] as number;
    if (point < sum) {
      return index;
    }
  }
  return -1;
}

function sumOf(loads: Uint32Array): number {
  let sum = 0;
  for (let index = 0; index < loads.length; index += 1) {
    sum += loads[index] as number;
  }
  return sum;
}

function* nothing(): Generator<void, void, void> {}

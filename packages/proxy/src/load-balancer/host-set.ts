import { EdfSchedule } from './edf-schedule.ts';
import type { Balanced, Picker } from './picker.ts';
import type { PriorityHealth } from './priority-load.ts';

/** What failover looks at. */
export interface Prioritised extends Balanced {
  /** Of EDS, active checks and outlier detection together. */
  readonly condition: 'healthy' | 'degraded' | 'unhealthy';
  /** It has not been looked at yet and does not count (`ignore_new_hosts_until_first_hc`). */
  readonly excluded: boolean;
  readonly priority: number;
  /** It has left the cluster; tables that are about to be replaced may still have it. */
  readonly removed: boolean;
}

/** The endpoints of one locality in one priority. */
export interface LocalityGroup<T> {
  /** Names the locality; groups of different priorities have the same. */
  readonly locality: string;
  /** 0: gets nothing where localities are weighted. */
  readonly weight: number;
  readonly endpoints: readonly T[];
}

/** Which endpoints of a priority are chosen among. */
export type HostAvailability = 'healthy' | 'degraded';

/** The pickers of one list and of its localities, made when they are needed first. */
interface Pickers<T extends Balanced> {
  readonly hosts: readonly T[];
  readonly byLocality: readonly (readonly T[])[];
  picker: Picker<T> | undefined;
  readonly localityPickers: (Picker<T> | undefined)[];
  /** Localities in turn by their effective weights; null: none has any; undefined: not made yet. */
  schedule: EdfSchedule<number> | null | undefined;
}

export interface HostSetOptions<T extends Balanced> {
  readonly createPicker: (hosts: readonly T[]) => Picker<T>;
  /** Percent. */
  readonly overprovisioningFactor: number;
  readonly random: () => number;
  /** Counts weights rather than endpoints (`weighted_priority_health`). */
  readonly weightedHealth: boolean;
}

/**
 * The endpoints of one priority, apart by health and locality. A change of health renews the lists when somebody asks
 * next, and of the pickers only those that were in use.
 */
export class HostSet<T extends Prioritised> {
  readonly all: readonly T[];
  readonly localities: readonly LocalityGroup<T>[];
  readonly #options: HostSetOptions<T>;
  #allPicker: Picker<T> | undefined = undefined;
  #healthy: Pickers<T>;
  #degraded: Pickers<T>;
  #health: PriorityHealth;

  /**
   * @param all in the order of the assignment, which hash tables go by.
   * @param localities the same endpoints by locality.
   */
  constructor(all: readonly T[], localities: readonly LocalityGroup<T>[], options: HostSetOptions<T>) {
    this.all = all;
    this.localities = localities;
    this.#options = options;
    this.#healthy = this.#pickersOf('healthy');
    this.#degraded = this.#pickersOf('degraded');
    this.#health = this.#count();
  }

  get healthy(): readonly T[] {
    return this.#healthy.hosts;
  }

  /** By locality, in the order of {@link localities}. */
  get healthyByLocality(): readonly (readonly T[])[] {
    return this.#healthy.byLocality;
  }

  get health(): PriorityHealth {
    return this.#health;
  }

  /** Looks at the health of all endpoints again. */
  refresh(): void {
    this.#healthy = this.#pickersOf('healthy');
    this.#degraded = this.#pickersOf('degraded');
    this.#health = this.#count();
  }

  /** Whatever the health. */
  pickAny(): T | undefined {
    this.#allPicker ??= this.#options.createPicker(this.all);
    return this.#allPicker.pick();
  }

  pick(availability: HostAvailability): T | undefined {
    const pickers = this.#of(availability);
    pickers.picker ??= this.#options.createPicker(pickers.hosts);
    return pickers.picker.pick();
  }

  pickIn(availability: HostAvailability, locality: number): T | undefined {
    const pickers = this.#of(availability);
    let picker = pickers.localityPickers[locality];
    if (picker === undefined) {
      picker = this.#options.createPicker(pickers.byLocality[locality] ?? []);
      pickers.localityPickers[locality] = picker;
    }
    return picker.pick();
  }

  /** A locality by weight and health; undefined when none has a weight. */
  chooseLocality(availability: HostAvailability): number | undefined {
    const pickers = this.#of(availability);
    if (pickers.schedule === undefined) {
      pickers.schedule = this.#localitySchedule(pickers);
    }
    return pickers.schedule?.next();
  }

  #of(availability: HostAvailability): Pickers<T> {
    return availability === 'healthy' ? this.#healthy : this.#degraded;
  }

  #pickersOf(availability: HostAvailability): Pickers<T> {
    const hosts = this.#select(this.all, availability);
    // With one locality its list is the list of all.
    const byLocality =
      this.localities.length === 1
        ? [hosts]
        : this.localities.map(({ endpoints }) => this.#select(endpoints, availability));
    return { hosts, byLocality, picker: undefined, localityPickers: [], schedule: undefined };
  }

  #select(endpoints: readonly T[], availability: HostAvailability): readonly T[] {
    const selected: T[] = [];
    for (let index = 0; index < endpoints.length; index += 1) {
      const endpoint = endpoints[index] as T;
      if (endpoint.condition === availability && !endpoint.excluded) {
        selected.push(endpoint);
      }
    }
    return selected.length === endpoints.length ? endpoints : selected;
  }

  #count(): PriorityHealth {
    const { all } = this;
    let excluded = 0;
    for (let index = 0; index < all.length; index += 1) {
      excluded += (all[index] as T).excluded ? 1 : 0;
    }
    const health = {
      total: all.length,
      excluded,
      healthy: this.#healthy.hosts.length,
      degraded: this.#degraded.hosts.length,
    };
    if (!this.#options.weightedHealth) {
      return health;
    }
    const weigh = (hosts: readonly T[]): number =>
      hosts.reduce((sum, { weight, excluded }) => sum + (excluded ? 0 : weight), 0);
    const weights = {
      total: weigh(all),
      healthy: weigh(this.#healthy.hosts),
      degraded: weigh(this.#degraded.hosts),
    };
    return { ...health, weights };
  }

  #localitySchedule(pickers: Pickers<T>): EdfSchedule<number> | null {
    const { overprovisioningFactor, random } = this.#options;
    const weights = this.localities.map(({ weight, endpoints }, index) => {
      const count = endpoints.reduce((sum, { excluded }) => sum + (excluded ? 0 : 1), 0);
      const ratio = count === 0 ? 0 : (pickers.byLocality[index]?.length ?? 0) / count;
      return weight * Math.min(1, (overprovisioningFactor / 100) * ratio);
    });
    const indices = [...weights.keys()].filter((index) => (weights[index] ?? 0) > 0);
    return indices.length === 0 ? null : new EdfSchedule(indices, (index) => weights[index] ?? 0, random());
  }
}

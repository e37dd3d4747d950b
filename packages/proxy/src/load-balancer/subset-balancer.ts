import {
  type SubsetBalancing,
  type SubsetCriteria,
  type SubsetSelector,
  selectorName,
} from '../runtime-config/subsets.ts';
import type { JsonObject } from '../runtime-config/wire/schema.ts';
import type { Balancer } from './balancer.ts';
import type { Prioritised } from './host-set.ts';
import type { PickContext } from './pick-context.ts';
import { type PriorityLevel, type PriorityOptions, type PriorityPolicy, PrioritySet } from './priority-set.ts';
import { isDefault, SubsetMembers, subsetsOf } from './subset-members.ts';
import type { LocalCluster } from './zone-routing.ts';

const noMetadata: JsonObject = {};

/** What a request that has found its subset is given to. */
type Subset<T extends Prioritised> = PrioritySet<T> | { pick(): T | undefined };

/**
 * Chooses among those endpoints whose metadata a request asks for: a balancer for each subset that there is, made when the endpoints change. Which subset and what where there is
 * none is as in Envoy.
 */
export class SubsetBalancer<T extends Prioritised> implements Balancer<T> {
  readonly #options: PriorityOptions<T>;
  readonly #config: SubsetBalancing;
  readonly #metadataOf: (endpoint: T) => JsonObject | undefined;
  readonly #selectors: ReadonlyMap<string, SubsetSelector>;
  #subsets = new Map<string, Subset<T>>();
  #any: PrioritySet<T> | undefined = undefined;
  #default: PrioritySet<T> | undefined = undefined;
  /** The balancers that an endpoint is in. */
  #balancers = new Map<T, PrioritySet<T>[]>();
  #levels: readonly PriorityLevel<T>[] = [];
  #policy: PriorityPolicy = { overprovisioningFactor: 140, weightedHealth: false };
  #ready = false;

  /** @param metadataOf `envoy.lb` of an endpoint. */
  constructor(
    options: PriorityOptions<T>,
    config: SubsetBalancing,
    metadataOf: (endpoint: T) => JsonObject | undefined,
  ) {
    const ignoresWeights = options.locality.kind === 'weighted' && !config.localityWeightAware;
    this.#options = {
      ...options,
      locality: ignoresWeights ? { kind: 'none' } : options.locality,
      onReady: () => {
        if (!this.#ready && this.ready) {
          options.onReady();
        }
      },
    };
    this.#config = config;
    this.#metadataOf = metadataOf;
    this.#selectors = new Map(config.selectors.map((selector) => [selectorName(selector.keys), selector]));
  }

  get ready(): boolean {
    this.#ready ||= this.#all().every(({ ready }) => ready);
    return this.#ready;
  }

  update(levels: readonly PriorityLevel<T>[], policy: PriorityPolicy): void {
    this.#levels = levels;
    this.#policy = policy;
    this.#balancers = new Map();
    this.#updateSubsets();
    const { fallback, panicAny, selectors } = this.#config;
    const isWanted = (kind: 'any' | 'default'): boolean =>
      fallback === kind || selectors.some((selector) => selector.fallback === kind);
    if (panicAny || this.#any !== undefined || isWanted('any')) {
      this.#any = this.#updated(this.#any, levels);
    }
    if (isWanted('default')) {
      const members = this.#members((metadata) => (isDefault(metadata, this.#config) ? [''] : []));
      this.#default = this.#updated(this.#default, members.get('')?.levels(this.#config.scaleLocalityWeight) ?? []);
    }
    this.#ready ||= this.#all().every(({ ready }) => ready);
  }

  #updateSubsets(): void {
    const { selectors, listAsAny, scaleLocalityWeight } = this.#config;
    const before = this.#subsets;
    this.#subsets = new Map();
    for (const { keys, singleHost } of selectors) {
      for (const [name, members] of this.#members((metadata) => subsetsOf(metadata, keys, listAsAny))) {
        const known = before.get(name);
        if (singleHost) {
          const { first } = members;
          this.#subsets.set(name, { pick: () => first });
        } else if (!this.#subsets.has(name)) {
          const balancer = known instanceof PrioritySet ? known : undefined;
          this.#subsets.set(name, this.#updated(balancer, members.levels(scaleLocalityWeight)));
        }
      }
    }
    for (const [name, subset] of before) {
      if (subset instanceof PrioritySet && this.#subsets.get(name) !== subset) {
        subset.stop();
      }
    }
    this.#options.counters.subsetsActive = this.#subsets.size;
  }

  /** By name, the endpoints of the subsets that `namesOf` their metadata says. */
  #members(namesOf: (metadata: JsonObject) => readonly string[]): Map<string, SubsetMembers<T>> {
    const found = new Map<string, SubsetMembers<T>>();
    const of = new Map<T, SubsetMembers<T>[]>();
    const membersOf = (name: string): SubsetMembers<T> => {
      const members = found.get(name) ?? new SubsetMembers(this.#levels);
      found.set(name, members);
      return members;
    };
    for (const [index, level] of this.#levels.entries()) {
      for (const endpoint of level.endpoints) {
        const members = namesOf(this.#metadataOf(endpoint) ?? noMetadata).map(membersOf);
        of.set(endpoint, members);
        for (const each of members) {
          each.add(index, endpoint);
        }
      }
      for (const [at, { endpoints }] of level.localities.entries()) {
        for (const endpoint of endpoints) {
          for (const each of of.get(endpoint) ?? []) {
            each.addToLocality(index, at, endpoint);
          }
        }
      }
    }
    return found;
  }

  #updated(known: PrioritySet<T> | undefined, levels: readonly PriorityLevel<T>[]): PrioritySet<T> {
    const balancer = known ?? new PrioritySet(this.#options);
    balancer.update(levels, this.#policy);
    for (const { endpoints } of levels) {
      for (const endpoint of endpoints) {
        const balancers = this.#balancers.get(endpoint);
        if (balancers === undefined) {
          this.#balancers.set(endpoint, [balancer]);
        } else {
          balancers.push(balancer);
        }
      }
    }
    return balancer;
  }

  healthChanged(endpoint: T): void {
    for (const balancer of this.#balancers.get(endpoint) ?? []) {
      balancer.healthChanged();
    }
  }

  pick(context?: PickContext<T>): T | undefined {
    return this.#pickFor(context?.subset, context);
  }

  #pickFor(criteria: SubsetCriteria | undefined, context: PickContext<T> | undefined): T | undefined {
    const { counters } = this.#options;
    if (criteria !== undefined) {
      const subset = this.#subsets.get(criteria.subset);
      if (subset !== undefined) {
        counters.subsetsSelected += 1;
        return subset.pick(context);
      }
      const selector = this.#selectors.get(criteria.selector);
      switch (selector?.fallback) {
        case 'none':
          return undefined;
        case 'any':
          return this.#any?.pick(context);
        case 'default':
          return this.#default?.pick(context);
        case 'keys':
          return this.#pickFor(criteria.only(selector.fallbackKeys), context);
        default:
      }
    }
    const { fallback, panicAny } = this.#config;
    if (fallback === 'none') {
      return undefined;
    }
    const endpoint = (fallback === 'any' ? this.#any : this.#default)?.pick(context);
    if (endpoint !== undefined) {
      counters.subsetsFallback += 1;
      return endpoint;
    }
    const inPanic = panicAny ? this.#any?.pick(context) : undefined;
    counters.subsetsFallbackPanic += inPanic === undefined ? 0 : 1;
    return inPanic;
  }

  localCluster(): LocalCluster {
    this.#any ??= this.#updated(undefined, this.#levels);
    return this.#any.localCluster();
  }

  stop(): void {
    for (const balancer of this.#all()) {
      balancer.stop();
    }
  }

  #all(): PrioritySet<T>[] {
    return [...this.#subsets.values(), this.#any, this.#default].filter(
      (balancer): balancer is PrioritySet<T> => balancer instanceof PrioritySet,
    );
  }
}

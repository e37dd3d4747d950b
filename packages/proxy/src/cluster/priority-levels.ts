import type { Endpoint } from '../endpoint/endpoint.ts';
import type { LocalityGroup } from '../load-balancer/host-set.ts';
import type { PriorityLevel } from '../load-balancer/priority-set.ts';
import type { LocalityEndpoints } from '../runtime-config/config.ts';
import { localityName } from './place.ts';

/** A group that is being filled. */
interface Group {
  readonly locality: string;
  readonly weight: number;
  readonly endpoints: Endpoint[];
}

/** The endpoints of an assignment, collected as the balancer wants them. */
export class PriorityLevels {
  readonly #ownLocality: string;
  readonly #levels: { readonly endpoints: Endpoint[]; readonly localities: Map<string, Group> }[] = [];

  /** @param ownLocality of this proxy, empty when it is not known. */
  constructor(ownLocality: string) {
    this.#ownLocality = ownLocality;
  }

  add(endpoint: Endpoint, { priority, weight, ...locality }: LocalityEndpoints): void {
    while (this.#levels.length <= priority) {
      this.#levels.push({ endpoints: [], localities: new Map() });
    }
    const level = this.#levels[priority];
    const name = localityName(locality);
    let group = level?.localities.get(name);
    if (group === undefined) {
      group = { locality: name, weight, endpoints: [] };
      level?.localities.set(name, group);
    }
    level?.endpoints.push(endpoint);
    group.endpoints.push(endpoint);
  }

  /** By priority; the own locality first, the others in order of their names. */
  build(): PriorityLevel<Endpoint>[] {
    const own = this.#ownLocality;
    return this.#levels.map(({ endpoints, localities }) => {
      const others: LocalityGroup<Endpoint>[] = [...localities.values()].filter(({ locality }) => locality !== own);
      others.sort((a, b) => (a.locality < b.locality ? -1 : 1));
      const first = own === '' ? undefined : localities.get(own);
      // Without a locality of our own even nameless ones are others.
      const nameless = own === '' ? localities.get('') : undefined;
      return {
        endpoints,
        localities: [...(first === undefined ? [] : [first]), ...(nameless === undefined ? [] : [nameless]), ...others],
        ownLocalityFirst: first !== undefined,
      };
    });
  }
}

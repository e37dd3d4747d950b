import type { KubeObject } from '@weft/resources';
import { byAge, compareText, keyOf } from '../kinds.ts';
import { wildcardCovers } from '../match.ts';
import type { Reads } from './reads.ts';

/** Objects by the hosts that they are about; the oldest first under each host. */
export class HostIndex<T extends KubeObject> {
  readonly #name: string;
  readonly #reads: Reads;
  readonly #hostsOf = new Map<string, readonly string[]>();
  readonly #byHost = new Map<string, readonly T[]>();
  #wildcards: readonly string[] = [];

  /** @param name of the index, for topics. */
  constructor(name: string, reads: Reads) {
    this.#name = name;
    this.#reads = reads;
  }

  /** Replaces the entry of one object; `object` undefined removes it. */
  set(key: string, object: T | undefined, hosts: readonly string[]): void {
    this.#reads.touch(`${this.#name}-object/${key}`);
    for (const host of this.#hostsOf.get(key) ?? []) {
      this.#replace(
        host,
        (this.#byHost.get(host) ?? []).filter((other) => keyOf(other) !== key),
      );
    }
    this.#hostsOf.delete(key);
    if (object !== undefined) {
      this.#hostsOf.set(key, hosts);
      for (const host of hosts) {
        this.#replace(host, [...(this.#byHost.get(host) ?? []), object].sort(byAge));
      }
    }
  }

  #replace(host: string, objects: readonly T[]): void {
    this.#reads.touch(`${this.#name}/${host}`);
    const known = this.#byHost.has(host);
    if (objects.length === 0) {
      this.#byHost.delete(host);
    } else {
      this.#byHost.set(host, objects);
    }
    if (host.startsWith('*') && known !== objects.length > 0) {
      this.#reads.touch(`${this.#name}-wildcards`);
      this.#wildcards = [...this.#byHost.keys()]
        .filter((name) => name.startsWith('*'))
        .sort((a, b) => b.length - a.length || compareText(a, b));
    }
  }

  /** The hosts that one object is about. */
  hostsOf(key: string): readonly string[] {
    this.#reads.note(`${this.#name}-object/${key}`);
    return this.#hostsOf.get(key) ?? [];
  }

  exact(host: string): readonly T[] {
    this.#reads.note(`${this.#name}/${host}`);
    return this.#byHost.get(host) ?? [];
  }

  /** Lists of objects about `host`, the most specific first: exact, then by wildcard. */
  covering(host: string): readonly (readonly T[])[] {
    const lists = [this.exact(host)];
    this.#reads.note(`${this.#name}-wildcards`);
    for (const wildcard of this.#wildcards) {
      if (wildcard !== host && wildcardCovers(wildcard, host)) {
        lists.push(this.exact(wildcard));
      }
    }
    return lists;
  }
}

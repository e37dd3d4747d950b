import type { KubeObject } from '@weft/resources';
import { byAge, compareText, keyOf } from '../kinds.ts';
import { wildcardCovers } from '../match.ts';

/** Objects by the hosts that they are about; the oldest first under each host. */
export class HostIndex<T extends KubeObject> {
  readonly #hostsOf = new Map<string, readonly string[]>();
  readonly #byHost = new Map<string, readonly T[]>();
  #wildcards: readonly string[] = [];

  /** Replaces the entry of one object; `object` undefined removes it. */
  set(key: string, object: T | undefined, hosts: readonly string[]): void {
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
    const known = this.#byHost.has(host);
    if (objects.length === 0) {
      this.#byHost.delete(host);
    } else {
      this.#byHost.set(host, objects);
    }
    if (host.startsWith('*') && known !== objects.length > 0) {
      this.#wildcards = [...this.#byHost.keys()]
        .filter((name) => name.startsWith('*'))
        .sort((a, b) => b.length - a.length || compareText(a, b));
    }
  }

  hostsOf(key: string): readonly string[] {
    return this.#hostsOf.get(key) ?? [];
  }

  exact(host: string): readonly T[] {
    return this.#byHost.get(host) ?? [];
  }

  /** Lists of objects about `host`, the most specific first: exact, then by wildcard. */
  *covering(host: string): Iterable<readonly T[]> {
    const exact = this.#byHost.get(host);
    if (exact !== undefined) {
      yield exact;
    }
    for (const wildcard of this.#wildcards) {
      if (wildcard !== host && wildcardCovers(wildcard, host)) {
        yield this.#byHost.get(wildcard) ?? [];
      }
    }
  }
}

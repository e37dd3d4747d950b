import type { VirtualHost } from '../runtime-config/config.ts';

type Group = { readonly length: number; readonly hosts: Map<string, number> };

/** Which virtual host, by its position, has a domain. Domains are in lower case. */
export class DomainIndex {
  readonly #exact = new Map<string, number>();
  /** `.suffix` of `*.suffix`, by length, longest first. */
  readonly #suffixes: readonly Group[];
  readonly #prefixes: readonly Group[];
  readonly #any: number;

  constructor(hosts: readonly VirtualHost[]) {
    const suffixes = new Map<number, Map<string, number>>();
    const prefixes = new Map<number, Map<string, number>>();
    let any = -1;
    hosts.forEach(({ domains }, position) => {
      for (const domain of domains) {
        const lower = domain.toLowerCase();
        if (lower === '*') {
          any = any < 0 ? position : any;
        } else if (lower.startsWith('*')) {
          register(suffixes, lower.slice(1), position);
        } else if (lower.endsWith('*')) {
          register(prefixes, lower.slice(0, -1), position);
        } else if (!this.#exact.has(lower)) {
          this.#exact.set(lower, position);
        }
      }
    });
    this.#any = any;
    this.#suffixes = longestFirst(suffixes);
    this.#prefixes = longestFirst(prefixes);
  }

  /** Exact, then longest suffix, then longest prefix, then `*`; -1 when no host has it. */
  find(host: string): number {
    return this.#exact.get(host) ?? findSuffix(this.#suffixes, host) ?? findPrefix(this.#prefixes, host) ?? this.#any;
  }
}

function findSuffix(groups: readonly Group[], host: string): number | undefined {
  for (const { length, hosts } of groups) {
    const found = host.length > length ? hosts.get(host.slice(-length)) : undefined;
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function findPrefix(groups: readonly Group[], host: string): number | undefined {
  for (const { length, hosts } of groups) {
    const found = host.length > length ? hosts.get(host.slice(0, length)) : undefined;
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function register(byLength: Map<number, Map<string, number>>, key: string, position: number): void {
  let hosts = byLength.get(key.length);
  if (hosts === undefined) {
    hosts = new Map();
    byLength.set(key.length, hosts);
  }
  if (!hosts.has(key)) {
    hosts.set(key, position);
  }
}

function longestFirst(byLength: Map<number, Map<string, number>>): Group[] {
  return [...byLength].sort(([a], [b]) => b - a).map(([length, hosts]) => ({ length, hosts }));
}

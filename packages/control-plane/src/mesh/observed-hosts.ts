/** A host that a workload was seen to call. */
export interface ObservedHost {
  /** As the workload wrote it: `reviews`, `reviews:9080`. */
  readonly authority: string;
  /** Whether anything in the mesh has this name; others are not kept over a restart. */
  readonly known: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly lastUsed: number;
}

/** Most hosts kept for one proxy. Above it a host that nothing has makes room, or else the new one is not taken. */
export const maxObservedHosts = 500;

const defaultHttpPort = 80;

/**
 * Which hosts each proxy has asked for on demand. A proxy starts with those of its siblings: the proxies with the same
 * service account.
 */
export class ObservedHosts {
  readonly #byProxy = new Map<string, Map<string, ObservedHost>>();
  readonly #byAccount = new Map<string, Map<string, ObservedHost>>();

  /** What the proxy is to be given: its own hosts and those that its siblings had when it began. */
  authorities(proxyKey: string): readonly string[] {
    return [...(this.#byProxy.get(proxyKey)?.keys() ?? [])].sort();
  }

  /** What is to be kept in the Proxy's status: only what exists. Sorted. */
  persistent(proxyKey: string): readonly { readonly host: string; readonly port: number; readonly lastUsed: number }[] {
    const merged = new Map<string, { readonly host: string; readonly port: number; readonly lastUsed: number }>();
    for (const { authority, known, lastUsed } of this.#byProxy.get(proxyKey)?.values() ?? []) {
      const split = known ? splitAuthority(authority) : undefined;
      if (split !== undefined) {
        const key = `${split.host}:${split.port}`;
        merged.set(key, { ...split, lastUsed: Math.max(lastUsed, merged.get(key)?.lastUsed ?? 0) });
      }
    }
    return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  }

  /** A proxy begins: it gets what its siblings have asked for so far. Does nothing when it is known already. */
  begin(proxyKey: string, account: string): void {
    if (this.#byProxy.has(proxyKey)) {
      return;
    }
    const known = [...(this.#byAccount.get(account) ?? [])].filter(([, host]) => host.known);
    this.#byProxy.set(proxyKey, new Map(known));
  }

  /** Takes over what a Proxy's status says, as after a restart. */
  restore(account: string, host: string, port: number, lastUsed: number): void {
    const authority = port === defaultHttpPort ? host : `${host}:${port}`;
    this.#put(this.#byAccount, account, { authority, known: true, lastUsed });
  }

  /** @returns whether the host was taken (or had been before). */
  observe(proxyKey: string, account: string, host: ObservedHost): boolean {
    this.begin(proxyKey, account);
    if (host.known) {
      this.#put(this.#byAccount, account, host);
    }
    return this.#put(this.#byProxy, proxyKey, host);
  }

  /** The proxy is gone. What it asked for stays with its service account. */
  end(proxyKey: string): void {
    this.#byProxy.delete(proxyKey);
  }

  #put(table: Map<string, Map<string, ObservedHost>>, key: string, host: ObservedHost): boolean {
    let hosts = table.get(key);
    if (hosts === undefined) {
      hosts = new Map();
      table.set(key, hosts);
    }
    if (!hosts.has(host.authority) && hosts.size >= maxObservedHosts) {
      const unknown = [...hosts.values()].find(({ known }) => !known);
      if (unknown === undefined) {
        return false;
      }
      hosts.delete(unknown.authority);
    }
    hosts.set(host.authority, host);
    return true;
  }
}

function splitAuthority(authority: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(.+?)(?::(\d{1,5}))?$/.exec(authority);
  const host = match?.[1];
  if (host === undefined || host.includes(':')) {
    return undefined;
  }
  return { host, port: match?.[2] === undefined ? defaultHttpPort : Number(match[2]) };
}

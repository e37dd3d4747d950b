import type { UpstreamContext } from '../pool/upstream-context.ts';
import type { ClusterConfig, RuntimeConfig } from '../runtime-config/config.ts';
import { Cluster } from './cluster.ts';
import { ClusterCounters } from './cluster-counters.ts';
import { DnsDiscovery } from './dns-discovery.ts';
import type { DnsResolver } from './dns-resolver.ts';

interface Entry {
  active: Cluster | undefined;
  /** A changed configuration whose endpoints are not known yet. */
  warming: Cluster | undefined;
  dns: DnsDiscovery | undefined;
  readonly counters: ClusterCounters;
}

/**
 * All clusters by name. A changed cluster takes over when its endpoints are known; until then, and for requests in
 * flight, the old one serves.
 */
export class ClusterManager {
  readonly #context: UpstreamContext;
  readonly #resolve: DnsResolver;
  readonly #onWarm: () => void;
  readonly #entries = new Map<string, Entry>();

  /** @param onWarm is called when a cluster becomes usable. */
  constructor(context: UpstreamContext, resolve: DnsResolver, onWarm: () => void) {
    this.#context = context;
    this.#resolve = resolve;
    this.#onWarm = onWarm;
  }

  get(name: string): Cluster | undefined {
    const entry = this.#entries.get(name);
    return entry?.active ?? entry?.warming;
  }

  /** The clusters among `names` that are configured but not usable yet. */
  warming(names: Iterable<string>): string[] {
    return [...names].filter((name) => {
      const entry = this.#entries.get(name);
      return entry !== undefined && entry.active === undefined;
    });
  }

  *all(): IterableIterator<Cluster> {
    for (const { active, warming } of this.#entries.values()) {
      const cluster = active ?? warming;
      if (cluster !== undefined) {
        yield cluster;
      }
    }
  }

  apply(config: RuntimeConfig): void {
    for (const [name, cluster] of config.clusters) {
      this.#applyCluster(name, cluster);
    }
    for (const [name, entry] of this.#entries) {
      if (!config.clusters.has(name)) {
        this.#entries.delete(name);
        this.#retire(entry.active);
        this.#retire(entry.warming);
        entry.dns?.stop();
      }
    }
    for (const entry of this.#entries.values()) {
      for (const cluster of [entry.warming, entry.active]) {
        if (cluster?.config.discovery.kind === 'eds') {
          const endpoints = config.endpoints.get(cluster.config.discovery.serviceName);
          if (endpoints !== undefined) {
            cluster.update(endpoints);
          }
        }
      }
      this.#promote(entry);
    }
  }

  #applyCluster(name: string, config: ClusterConfig): void {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { active: undefined, warming: undefined, dns: undefined, counters: new ClusterCounters() };
      this.#entries.set(name, entry);
    }
    const newest = entry.warming ?? entry.active;
    if (newest !== undefined && (newest.config === config || newest.config.version === config.version)) {
      return;
    }
    this.#retire(entry.warming);
    entry.dns?.stop();
    entry.dns = undefined;
    const owner = entry;
    const cluster: Cluster = new Cluster(config, entry.counters, this.#context, () => {
      if (owner.warming === cluster) {
        this.#promote(owner);
        this.#onWarm();
      }
    });
    entry.warming = cluster;
    const { discovery } = config;
    if (discovery.kind === 'static' || discovery.kind === 'original-dst') {
      cluster.update(discovery.endpoints);
    } else if (discovery.kind === 'dns') {
      entry.dns = new DnsDiscovery({
        ...discovery,
        clock: this.#context.clock,
        random: this.#context.random,
        resolve: this.#resolve,
        onEndpoints: (endpoints) => {
          cluster.update(endpoints);
          this.#promote(owner);
          this.#onWarm();
        },
      });
      entry.dns.start();
    }
  }

  #promote(entry: Entry): void {
    const { warming } = entry;
    if (warming?.warm) {
      this.#retire(entry.active);
      entry.active = warming;
      entry.warming = undefined;
    }
  }

  #retire(cluster: Cluster | undefined): void {
    cluster?.drain();
  }

  /** Drops every upstream connection. */
  close(): void {
    for (const { active, warming, dns } of this.#entries.values()) {
      dns?.stop();
      active?.destroy();
      warming?.destroy();
    }
  }
}

import type { Clock, Logger, Timer } from '@weft/base';
import type { ClusterManager } from '../cluster/cluster-manager.ts';
import type { ApplyResult, ListenerStatus } from '../data-plane.ts';
import type { HttpContext } from '../filter/http/http-context.ts';
import type { TcpContext } from '../filter/network/tcp-proxy.ts';
import type { FilterChain, ListenerConfig, RuntimeConfig } from '../runtime-config/config.ts';
import type { TlsContexts } from '../tls/tls-context.ts';
import { ActiveListener } from './active-listener.ts';
import type { AcceptorContext } from './connection-acceptor.ts';
import { ActiveFilterChain, filterChainFingerprint } from './filter-chain.ts';

export interface ListenerManagerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clusters: ClusterManager;
  readonly tls: TlsContexts;
  readonly http: HttpContext;
  readonly tcp: TcpContext;
  readonly acceptor: AcceptorContext;
  readonly warmingTimeoutMs: number;
  /** How long connections of a chain that went may live on. */
  readonly drainTimeMs: number;
  readonly mayAccept: () => boolean;
}

/** A configuration that is on its way to become active. */
interface Warming {
  readonly config: ListenerConfig;
  waitingFor: readonly string[];
  readonly settled: Promise<string | undefined>;
  readonly settle: (failure: string | undefined) => void;
  timer: Timer | undefined;
  expired: boolean;
  binding: boolean;
}

interface Entry {
  active: ActiveListener | undefined;
  warming: Warming | undefined;
}

/** A connection that was used within this time is not closed to make room for another. */
const leastIdleMs = 1000;
/** When no connection could be closed, the next look is taken after this time: looking at all of them is work. */
const noRoomPauseMs = 100;
/** Ending what holds less than this would not be worth a failed request. */
const leastResetBytes = 128 * 1024;

/** After this an idle connection of something that drains is closed, milliseconds. */
const idleGraceMs = 1000;

/** All listeners: a new or changed one waits until what it needs is there, then takes over without a gap. */
export class ListenerManager {
  readonly #options: ListenerManagerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #draining = new Set<ActiveFilterChain>();
  /** Listeners that accept nothing more but still have connections, with their chains. */
  readonly #retired = new Map<ActiveListener, readonly ActiveFilterChain[]>();
  readonly #drainTimers = new Set<Timer>();
  #noRoomUntilMs = 0;
  #config: RuntimeConfig | undefined = undefined;
  #closed = false;

  constructor(options: ListenerManagerOptions) {
    this.#options = options;
  }

  async apply(config: RuntimeConfig): Promise<ApplyResult> {
    this.#config = config;
    for (const [name, entry] of this.#entries) {
      if (!config.listeners.has(name)) {
        this.#entries.delete(name);
        this.#abandon(entry.warming, undefined);
        this.#retire(entry.active);
      }
    }
    const waits: { readonly name: string; readonly settled: Promise<string | undefined> }[] = [];
    for (const [name, listener] of config.listeners) {
      const warming = this.#begin(name, listener);
      if (warming !== undefined) {
        waits.push({ name, settled: warming.settled });
      }
    }
    this.check();
    const failedListeners: { name: string; reason: string }[] = [];
    for (const { name, settled } of waits) {
      const failure = await settled;
      if (failure !== undefined) {
        failedListeners.push({ name, reason: failure });
      }
    }
    return { failedListeners };
  }

  #begin(name: string, config: ListenerConfig): Warming | undefined {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { active: undefined, warming: undefined };
      this.#entries.set(name, entry);
    }
    if (entry.warming?.config.version === config.version) {
      return entry.warming;
    }
    this.#abandon(entry.warming, undefined);
    entry.warming = undefined;
    if (entry.active?.listening === true && entry.active.config.version === config.version) {
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const warming: Warming = {
      config,
      waitingFor: [],
      settled: promise,
      settle: resolve,
      timer: undefined,
      expired: false,
      binding: false,
    };
    warming.timer = this.#options.clock.setTimeout(
      () => {
        warming.expired = true;
        this.check();
      },
      this.#options.warmingTimeoutMs,
      { unref: true },
    );
    entry.warming = warming;
    return warming;
  }

  #abandon(warming: Warming | undefined, failure: string | undefined): void {
    warming?.timer?.cancel();
    warming?.settle(failure);
  }

  /** Looks again at what waits; to be called when a cluster, a secret or a route table has come. */
  check(): void {
    for (const [name, entry] of this.#entries) {
      const { warming } = entry;
      if (warming === undefined || warming.binding) {
        continue;
      }
      warming.waitingFor = this.#missing(warming.config);
      if (warming.waitingFor.length > 0 && !warming.expired) {
        continue;
      }
      if (warming.waitingFor.length > 0) {
        this.#options.logger.warn('listener goes on without what it waited for', {
          listener: name,
          waitingFor: warming.waitingFor,
        });
      }
      this.#activate(name, entry, warming);
    }
  }

  #missing(listener: ListenerConfig): string[] {
    const missing = new Set<string>();
    for (const chain of chainsOf(listener)) {
      if (chain.downstreamTls !== undefined) {
        for (const secret of this.#options.tls.missing(chain.downstreamTls)) {
          missing.add(secret);
        }
      }
      const names = new Set<string>();
      if (chain.filter.kind === 'tcp-proxy') {
        for (const { cluster } of chain.filter.clusters) {
          names.add(cluster);
        }
      } else {
        const table = this.#options.http.routeTable(chain.filter.routeConfigName);
        if (table === undefined) {
          missing.add(`route configuration ${chain.filter.routeConfigName}`);
        }
        for (const name of table?.clusterNames() ?? []) {
          names.add(name);
        }
      }
      for (const cluster of this.#options.clusters.warming(names)) {
        missing.add(`cluster ${cluster}`);
      }
    }
    return [...missing];
  }

  #activate(name: string, entry: Entry, warming: Warming): void {
    const { config } = warming;
    const { active } = entry;
    if (active?.listening === true && isSameSocket(active.config, config)) {
      this.#exchange(active, config);
      this.#settled(entry, warming, undefined);
      return;
    }
    const { acceptor, mayAccept, http, logger } = this.#options;
    const protocols = http.protocols.of(config.name);
    const next = new ActiveListener(config, acceptor, mayAccept, protocols, (listener, protocol) =>
      logger.info('what clients speak was learnt', { listener, protocol }),
    );
    this.#exchange(next, config);
    warming.binding = true;
    next.listen().then(
      () => {
        if (this.#closed || entry.warming !== warming) {
          next.stop();
          return;
        }
        this.#retire(entry.active);
        entry.active = next;
        this.#settled(entry, warming, undefined);
      },
      (error: NodeJS.ErrnoException) => {
        const reason = `cannot bind ${describe(config)}: ${error.code ?? error.message}`;
        this.#options.logger.error('listener cannot be brought up', { listener: name, reason });
        if (entry.warming === warming) {
          this.#settled(entry, warming, reason);
        }
      },
    );
  }

  #settled(entry: Entry, warming: Warming, failure: string | undefined): void {
    entry.warming = undefined;
    this.#abandon(warming, failure);
  }

  /** Puts new chains in the place of old ones; equal ones stay, with their connections. */
  #exchange(listener: ActiveListener, config: ListenerConfig): void {
    const before = [...listener.chains, ...(listener.defaultChain === undefined ? [] : [listener.defaultChain])];
    const reuse = (chain: FilterChain): ActiveFilterChain => {
      const fingerprint = filterChainFingerprint(chain, config);
      const kept = before.find((old) => old.fingerprint === fingerprint);
      if (kept !== undefined) {
        before.splice(before.indexOf(kept), 1);
        return kept;
      }
      const { tls, http, tcp } = this.#options;
      const made: ActiveFilterChain = new ActiveFilterChain(chain, config, tls, http, tcp, () =>
        this.#draining.delete(made),
      );
      return made;
    };
    listener.chains = config.filterChains.map(reuse);
    listener.defaultChain = config.defaultFilterChain === undefined ? undefined : reuse(config.defaultFilterChain);
    listener.config = config;
    for (const chain of before) {
      this.#drainChain(chain);
    }
  }

  #retire(listener: ActiveListener | undefined): void {
    if (listener === undefined) {
      return;
    }
    listener.stop();
    const chains = allChains(listener);
    for (const chain of chains) {
      this.#drainChain(chain);
    }
    if (chains.some((chain) => chain.size > 0)) {
      this.#retired.set(listener, chains);
    }
  }

  #drainChain(chain: ActiveFilterChain): void {
    if (chain.size === 0) {
      return;
    }
    chain.drain();
    this.#draining.add(chain);
    // A client may just be sending on an idle connection: it is closed after a moment, not at once.
    this.#later(idleGraceMs, () => chain.closeIdle());
    this.#later(this.#options.drainTimeMs, () => chain.destroy());
  }

  #later(delayMs: number, action: () => void): void {
    const timer = this.#options.clock.setTimeout(
      () => {
        this.#drainTimers.delete(timer);
        action();
      },
      delayMs,
      { unref: true },
    );
    this.#drainTimers.add(timer);
  }

  #allChains(): ActiveFilterChain[] {
    const active = [...this.#entries.values()].flatMap((entry) =>
      entry.active === undefined ? [] : allChains(entry.active),
    );
    return [...active, ...this.#draining];
  }

  get connections(): number {
    return this.#allChains().reduce((sum, chain) => sum + chain.size, 0);
  }

  /** Connections that have not found their filter yet. */
  get pendingConnections(): number {
    let sum = 0;
    for (const { active } of this.#entries.values()) {
      sum += active?.pending ?? 0;
    }
    return sum;
  }

  /** Ends connections and requests on which nothing has moved for `share` of their idle timeouts. @returns how many. */
  endIdle(share: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#allChains().reduce((sum, chain) => sum + chain.endIdle(share, nowMs), 0);
  }

  /**
   * Closes at most `most` connections without a request, those that have been so for longest first: a client that comes to send
   * something is worth more than one that keeps a connection in case. @returns how many.
   */
  closeIdlest(most: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#noRoomUntilMs) {
      return 0;
    }
    const idle: { readonly sinceMs: number; readonly connection: { destroy(): void } }[] = [];
    for (const chain of this.#allChains()) {
      for (const connection of chain.connections) {
        const sinceMs = connection.idleSinceMs;
        if (sinceMs !== undefined && nowMs - sinceMs >= leastIdleMs) {
          idle.push({ sinceMs, connection });
        }
      }
    }
    idle.sort((a, b) => a.sinceMs - b.sinceMs);
    const chosen = idle.slice(0, most);
    for (const { connection } of chosen) {
      connection.destroy();
    }
    if (chosen.length === 0) {
      this.#noRoomUntilMs = nowMs + noRoomPauseMs;
    }
    return chosen.length;
  }

  /** Resets at most `most` requests or TCP connections, those that hold most memory first. @returns how many. */
  resetLargest(most: number): number {
    const large: { readonly bytes: number; readonly reset: () => void }[] = [];
    for (const chain of this.#allChains()) {
      for (const connection of chain.connections) {
        const bytes = connection.heldBytes;
        if (bytes >= leastResetBytes) {
          large.push({ bytes, reset: () => connection.resetForOverload() });
        }
      }
    }
    large.sort((a, b) => b.bytes - a.bytes);
    const chosen = large.slice(0, most);
    for (const { reset } of chosen) {
      reset();
    }
    return chosen.length;
  }

  /** Stops accepting and lets requests finish. Idle connections are closed after a moment in which a request may still come. */
  async drain(timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    for (const entry of this.#entries.values()) {
      entry.active?.stop();
    }
    for (const chain of this.#allChains()) {
      chain.drain();
    }
    const startMs = clock.monotonicMs();
    const graceMs = Math.min(idleGraceMs, timeoutMs / 4);
    while (this.connections > 0) {
      const elapsedMs = clock.monotonicMs() - startMs;
      if (elapsedMs >= timeoutMs) {
        return;
      }
      if (elapsedMs >= graceMs) {
        for (const chain of this.#allChains()) {
          chain.closeIdle();
        }
      }
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, 25);
      });
    }
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) {
      this.#abandon(entry.warming, 'closed');
      entry.active?.stop();
    }
    for (const chain of this.#allChains()) {
      chain.destroy();
    }
    for (const timer of this.#drainTimers) {
      timer.cancel();
    }
    this.#entries.clear();
  }

  statuses(): readonly ListenerStatus[] {
    const statuses: ListenerStatus[] = [];
    for (const [name, { active, warming }] of this.#entries) {
      const config = active?.config ?? warming?.config;
      if (config === undefined) {
        continue;
      }
      const bound = active?.bound;
      const { address } = config;
      statuses.push({
        name,
        address: bound?.address ?? (address.kind === 'pipe' ? address.path : address.address),
        port: bound?.port ?? (address.kind === 'pipe' ? 0 : address.port),
        direction: config.direction,
        state: active === undefined ? 'warming' : active.listening ? 'active' : 'draining',
        waitingFor: warming?.waitingFor ?? [],
        config,
        connectionsActive: active === undefined ? 0 : allChains(active).reduce((sum, chain) => sum + chain.size, 0),
        connectionsTotal: active?.connectionsTotal ?? 0,
        detected: active?.detected ?? new Map(),
        inspectionTimeouts: active?.inspectionTimeouts ?? 0,
        connectionsWithoutChain: active?.connectionsWithoutChain ?? 0,
      });
    }
    for (const [listener, chains] of this.#retired) {
      const connectionsActive = chains.reduce((sum, chain) => sum + chain.size, 0);
      if (connectionsActive === 0) {
        this.#retired.delete(listener);
        continue;
      }
      const { config, connectionsTotal, detected, inspectionTimeouts, connectionsWithoutChain } = listener;
      statuses.push({
        name: config.name,
        address: config.address.kind === 'pipe' ? config.address.path : config.address.address,
        port: config.address.kind === 'pipe' ? 0 : config.address.port,
        direction: config.direction,
        state: 'draining',
        waitingFor: [],
        config,
        connectionsActive,
        connectionsTotal,
        detected,
        inspectionTimeouts,
        connectionsWithoutChain,
      });
    }
    return statuses;
  }

  /** @internal the configuration that was applied last. */
  get config(): RuntimeConfig | undefined {
    return this.#config;
  }
}

function allChains(listener: ActiveListener): ActiveFilterChain[] {
  return [...listener.chains, ...(listener.defaultChain === undefined ? [] : [listener.defaultChain])];
}

function chainsOf(listener: ListenerConfig): FilterChain[] {
  return [
    ...listener.filterChains,
    ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain]),
  ];
}

function describe(config: ListenerConfig): string {
  return config.address.kind === 'pipe' ? config.address.path : `${config.address.address}:${config.address.port}`;
}

/** Whether a listener can go on with the socket of another one. */
function isSameSocket(a: ListenerConfig, b: ListenerConfig): boolean {
  return JSON.stringify([a.address, a.reusePort === true]) === JSON.stringify([b.address, b.reusePort === true]);
}

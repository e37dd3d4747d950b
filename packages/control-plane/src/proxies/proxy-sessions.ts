import type { Clock, Logger, Timer } from '@weft/base';
import { type MeshState, virtualHostOnDemand } from '@weft/translate';
import type { ConnectedClient } from '@weft/xds-server';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { ObservedHosts } from '../mesh/observed-hosts.ts';
import type { Publisher } from '../mesh/publisher.ts';

/** Names of on-demand virtual hosts begin with this. */
const onDemandPrefix = 'http-proxy/';

/** How a proxy stands towards the control plane. */
type Presence =
  | { readonly kind: 'connected' }
  /** The stream ended a moment ago; nobody is told before the timer. */
  | { readonly kind: 'leaving'; readonly timer: Timer }
  | { readonly kind: 'away' };

export interface ProxySessionsOptions {
  readonly state: MeshState;
  readonly publisher: Publisher;
  readonly observed: ObservedHosts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A proxy that was there before the start is held to be away only after this, milliseconds. */
  readonly startGraceMs: number;
  /** A proxy whose stream ended is held to be away after this, milliseconds. */
  readonly disconnectGraceMs: number;
  /** What a proxy's status says may have changed. */
  readonly onProxyChanged: (proxyKey: string) => void;
  /** The hosts that a proxy has called are others: to be written down soon, so that a restart does not take them away. */
  readonly onObserved: (proxyKey: string) => void;
}

/** Which proxies are there, and what follows when they come and go. */
export class ProxySessions {
  readonly #options: ProxySessionsOptions;
  readonly #presence = new Map<string, Presence>();
  /** When a proxy was last connected, milliseconds since the Unix epoch; of those that are away. */
  readonly #awaySince = new Map<string, number>();
  /** What proxies said that they take. */
  readonly #memoryBytes = new Map<string, number>();
  #startTimer: Timer | undefined;
  #started = false;

  constructor(options: ProxySessionsOptions) {
    this.#options = options;
  }

  /** The resources have been listed: the grace period of the proxies that exist begins. */
  start(): void {
    const { clock, startGraceMs } = this.#options;
    this.#started = true;
    const now = clock.now();
    for (const proxyKey of this.#options.state.proxyKeys()) {
      this.#awaySince.set(proxyKey, now);
    }
    this.#startTimer = clock.setTimeout(() => this.#endGrace(), startGraceMs, { unref: true });
  }

  isConnected(proxyKey: string): boolean {
    return this.#presence.get(proxyKey)?.kind === 'connected';
  }

  /** Not connected, and not yet held to be away: it is given time to come back. */
  isExpected(proxyKey: string): boolean {
    const presence = this.#presence.get(proxyKey);
    return presence === undefined || presence.kind === 'leaving';
  }

  /** Since when a proxy is away, milliseconds since the Unix epoch; undefined while it is connected, or unknown. */
  awaySince(proxyKey: string): number | undefined {
    return this.#awaySince.get(proxyKey);
  }

  /** Memory that a proxy said it takes, bytes. */
  memoryBytes(proxyKey: string): number | undefined {
    return this.#memoryBytes.get(proxyKey);
  }

  reportedMemory(proxyKey: string, bytes: number): void {
    this.#memoryBytes.set(proxyKey, bytes);
  }

  /** A Proxy object is new. Until its proxy has connected it takes no traffic. */
  created(proxyKey: string): void {
    const { state, publisher, clock } = this.#options;
    if (!this.#started || this.#presence.has(proxyKey)) {
      return;
    }
    this.#presence.set(proxyKey, { kind: 'away' });
    this.#awaySince.set(proxyKey, clock.now());
    publisher.applyEffect(state.setProxyConnected(proxyKey, false));
  }

  /** A Proxy object is gone, and with it all that was kept for it. */
  deleted(proxyKey: string): void {
    const presence = this.#presence.get(proxyKey);
    if (presence?.kind === 'leaving') {
      presence.timer.cancel();
    }
    this.#presence.delete(proxyKey);
    this.#awaySince.delete(proxyKey);
    this.#memoryBytes.delete(proxyKey);
    this.#options.observed.end(proxyKey);
    this.#options.publisher.remove(proxyKey);
    this.#options.state.setProxyConnected(proxyKey, true);
  }

  connected({ key, node, peer }: ConnectedClient): void {
    const { state, publisher, observed, logger, onProxyChanged } = this.#options;
    const presence = this.#presence.get(key);
    if (presence?.kind === 'leaving') {
      presence.timer.cancel();
    }
    logger.info('proxy connected', { proxy: key, identity: peer?.spiffeIds[0], userAgent: node.userAgentName });
    this.#presence.set(key, { kind: 'connected' });
    this.#awaySince.delete(key);
    observed.begin(key, this.accountOf(key));
    publisher.activate(key);
    publisher.applyEffect(state.setProxyConnected(key, true));
    onProxyChanged(key);
  }

  disconnected({ key }: ConnectedClient): void {
    const { state, publisher, clock, logger, disconnectGraceMs, onProxyChanged } = this.#options;
    this.#awaySince.set(key, clock.now());
    if (state.proxy(key) === undefined) {
      this.deleted(key);
      return;
    }
    const timer = clock.setTimeout(
      () => {
        logger.warn('proxy is away', { proxy: key });
        this.#presence.set(key, { kind: 'away' });
        publisher.deactivate(key);
        publisher.applyEffect(state.setProxyConnected(key, false));
        onProxyChanged(key);
      },
      disconnectGraceMs,
      { unref: true },
    );
    this.#presence.set(key, { kind: 'leaving', timer });
  }

  /** The proxy asks for resources by name that it was not given: hosts that its workload calls for the first time. */
  subscribed({ key }: ConnectedClient, typeUrl: TypeUrl, names: readonly string[]): void {
    const { state, publisher, observed, clock, logger, onObserved } = this.#options;
    let grown = false;
    for (const name of names) {
      const authority = this.#authorityOf(key, typeUrl, name);
      if (authority === undefined) {
        continue;
      }
      const { known } = virtualHostOnDemand(state, key, authority);
      const taken = observed.observe(key, this.accountOf(key), { authority, known, lastUsed: clock.now() });
      grown ||= taken;
      logger.debug('host asked for on demand', { proxy: key, authority, known, taken });
    }
    if (grown) {
      publisher.publishTo(key);
      onObserved(key);
    }
  }

  /** The host that is asked for; undefined if the resource is none that is made on demand. */
  #authorityOf(proxyKey: string, typeUrl: TypeUrl, name: string): string | undefined {
    switch (typeUrl) {
      case typeUrls.virtualHost:
        return name.startsWith(onDemandPrefix) ? name.slice(onDemandPrefix.length).toLowerCase() : undefined;
      case typeUrls.listener:
        // What gRPC dials is the name of a listener.
        return this.#options.state.proxy(proxyKey)?.spec.engine === 'grpc' ? name.toLowerCase() : undefined;
      default:
        return undefined;
    }
  }

  /** `<namespace>/<service account>`, by which proxies share what they have observed. */
  accountOf(proxyKey: string): string {
    const proxy = this.#options.state.proxy(proxyKey);
    return `${proxy?.metadata.namespace ?? ''}/${proxy?.spec.serviceAccount ?? ''}`;
  }

  close(): void {
    this.#startTimer?.cancel();
    for (const presence of this.#presence.values()) {
      if (presence.kind === 'leaving') {
        presence.timer.cancel();
      }
    }
    this.#presence.clear();
  }

  #endGrace(): void {
    const { state, publisher, logger, onProxyChanged } = this.#options;
    for (const proxyKey of state.proxyKeys()) {
      if (!this.#presence.has(proxyKey)) {
        logger.warn('proxy has not come back since the start', { proxy: proxyKey });
        this.#presence.set(proxyKey, { kind: 'away' });
        publisher.applyEffect(state.setProxyConnected(proxyKey, false));
        onProxyChanged(proxyKey);
      }
    }
  }
}

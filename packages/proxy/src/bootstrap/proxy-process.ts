import { join } from 'node:path';
import { Backoff, type Clock, type LeveledLogger, MeshError, type Timer } from '@weft/base';
import type { Svid } from '@weft/identity';
import {
  type ClientCredentials,
  createLoadReporter,
  createXdsClient,
  type LoadReporter,
  type UpdateBatch,
  type XdsClient,
} from '@weft/xds-client';
import { typeUrls } from '@weft/xds-types';
import { AccessLogs } from '../access-log/access-logs.ts';
import type { ServerState } from '../admin/admin-context.ts';
import { type AdminServer, startAdminServer } from '../admin/admin-server.ts';
import type { ApplyResult, DataPlane, DataPlaneOptions } from '../data-plane.ts';
import { ProxySecrets } from '../identity/secret-source.ts';
import { WorkloadIdentity } from '../identity/workload-identity.ts';
import { ClosedListeners } from '../load-report/closed-listeners.ts';
import { LoadCollector } from '../load-report/collect-load.ts';
import { createOverloadManager, overloadLimits } from '../overload/create-overload-manager.ts';
import type { OverloadManager } from '../overload/overload-manager.ts';
import { OverloadState } from '../overload/overload-state.ts';
import { RuntimeConfigAssembly } from '../runtime-config/assembly.ts';
import type { AccessLogConfig, RuntimeConfig } from '../runtime-config/config.ts';
import { resourceTypes } from '../runtime-config/from-xds/resource-types.ts';
import { runtimeConfigFromStatic } from '../runtime-config/static-resources.ts';
import { Metrics } from '../stats/metrics.ts';
import { accessLogsOf } from '../stats/refused-connections.ts';
import { ownLabels } from '../stats/workload-labels.ts';
import type { Bootstrap, XdsBootstrap } from './bootstrap.ts';
import { nodeFromBootstrap } from './node.ts';
import { OnDemandHosts } from './on-demand-hosts.ts';

/** File in the state folder with the last good resources. */
const CACHE_FILE = 'xds-cache.bin';
/** Listeners that could not be bound are tried again. */
const REBIND_BACKOFF = { baseMs: 500, maxMs: 10_000 } as const;
const INBOUND_POLL_MS = 50;
/** Different errors that are logged; further ones are only counted. */
const MAX_LOGGED_ERRORS = 50;

export interface ProxyProcessOptions {
  readonly bootstrap: Bootstrap;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: LeveledLogger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  createDataPlane(options: DataPlaneOptions): DataPlane;
  /** Ends the process: 0 after a drain that was asked for, else not 0. */
  exit(code: number): void;
}

/** Everything a proxy is, wired: identity → configuration → data plane, and what reports on them. */
export class ProxyProcess {
  readonly #options: ProxyProcessOptions;
  readonly #metrics: Metrics;
  readonly #accessLogs: AccessLogs;
  readonly #identity: WorkloadIdentity | undefined;
  readonly #secrets: ProxySecrets;
  readonly #dataPlane: DataPlane;
  readonly #overload: OverloadManager;
  readonly #assembly = new RuntimeConfigAssembly();
  readonly #rebind: Backoff;
  readonly #closedListeners = new ClosedListeners();
  #xds: XdsClient | undefined;
  #onDemand: OnDemandHosts | undefined;
  #loadReporter: LoadReporter | undefined;
  #admin: AdminServer | undefined;
  #state: ServerState = 'PRE_INITIALIZING';
  #lastConfig: RuntimeConfig | undefined;
  #rebindTimer: Timer | undefined;
  #stopping: Promise<void> | undefined;
  readonly #loggedErrors = new Set<string>();

  /** @throws MeshError `BAD_CONFIGURATION` when the identity cannot be set up. */
  constructor(options: ProxyProcessOptions) {
    const { bootstrap, clock, logger, random, version } = options;
    this.#options = options;
    this.#rebind = new Backoff({ ...REBIND_BACKOFF, random });
    this.#metrics = new Metrics(ownLabels(bootstrap.node.metadata), version, clock, logger.with({ part: 'listener' }));
    this.#accessLogs = new AccessLogs(clock, logger.with({ part: 'access-log' }));
    this.#identity =
      bootstrap.identity === undefined
        ? undefined
        : new WorkloadIdentity({
            bootstrap: bootstrap.identity,
            stateDir: bootstrap.stateDir,
            clock,
            logger: logger.with({ part: 'identity' }),
            random,
          });
    this.#secrets = new ProxySecrets(this.#identity);
    const overload = { state: new OverloadState(), limits: overloadLimits(bootstrap.overload) };
    this.#dataPlane = options.createDataPlane({
      overload: overload.state,
      maxConnections: overload.limits.downstreamConnections,
      clock,
      logger: logger.with({ part: 'data-plane' }),
      random,
      secrets: this.#secrets,
      warmingTimeoutMs: bootstrap.warmingTimeoutMs,
      locality: bootstrap.node.locality,
      nodeCluster: bootstrap.node.cluster,
      ...(bootstrap.localCluster === undefined ? {} : { localCluster: bootstrap.localCluster }),
      onStreamEnd: (info, listener, manager) =>
        this.#guard(() => {
          this.#metrics.streamEnded(info, listener, manager);
          this.#accessLogs.logStream(manager.accessLogs, info);
        }),
      onTcpStart: (record, listener) => this.#guard(() => this.#metrics.tcpStarted(record, listener)),
      onTcpEnd: (record, listener, proxy) =>
        this.#guard(() => {
          if (proxy === undefined) {
            this.#metrics.connectionRefused(record, listener);
            this.#accessLogs.logConnection(accessLogsOf(listener), record);
          } else {
            this.#metrics.tcpEnded(record, listener);
            this.#accessLogs.logConnection(proxy.accessLogs, record);
          }
        }),
      requestVirtualHost: (table, authority) =>
        this.#onDemand?.request(table, authority) ?? Promise.resolve('unavailable'),
    });
    this.#overload = createOverloadManager({
      ...overload,
      config: bootstrap.overload,
      dataPlane: this.#dataPlane,
      clock,
      logger: logger.with({ part: 'overload' }),
    });
  }

  /** The admin API's real port; undefined before the start and on a Unix socket. */
  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  get state(): ServerState {
    return this.#state;
  }

  /**
   * Starts everything; resolves when the proxy has its certificate and was given its first configuration to run, or was told that
   * it has none. Does not wait for `/ready`.
   * @throws MeshError when it cannot run at all: a bad bootstrap, a busy admin port, a refused join token.
   */
  async start(): Promise<void> {
    const { bootstrap, logger } = this.#options;
    this.#admin = await startAdminServer(bootstrap.admin, this.#adminContext(), logger.with({ part: 'admin' }));
    this.#overload.start();
    this.#setState('INITIALIZING');
    const identity = this.#identity?.start();
    // The cache is read while the certificate is fetched: a proxy that restarts alone has both on its disk.
    const config =
      bootstrap.xds === undefined ? this.#startStatic(bootstrap) : this.#startXds(bootstrap, bootstrap.xds);
    await Promise.all([identity, config]);
  }

  /** Lets inbound connections finish and takes no new ones; outbound traffic goes on. */
  async drainInbound(): Promise<void> {
    const { clock, bootstrap, logger } = this.#options;
    logger.info('inbound traffic is drained');
    this.#setState('DRAINING');
    this.#assembly.leaveOutInbound();
    await this.#apply(this.#assembly.config());
    const deadline = clock.monotonicMs() + bootstrap.drainTimeoutMs;
    while (this.#inboundConnections() > 0 && clock.monotonicMs() < deadline) {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, INBOUND_POLL_MS));
    }
  }

  /** Drains everything and ends the process with `code`; a second call waits for the first. */
  stop(code: number): Promise<void> {
    this.#stopping ??= this.#stop(code);
    return this.#stopping;
  }

  reopenLogs(): void {
    this.#accessLogs.reopen();
  }

  /**
   * What nothing caught: counted, and logged once for each message. Whatever it is, the process goes on: one that ended would take
   * the traffic of a whole workload with it, and who can cause the error once can cause it again.
   */
  handleUnhandled(error: unknown): void {
    this.#metrics.errorUnhandled();
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (!this.#loggedErrors.has(message) && this.#loggedErrors.size < MAX_LOGGED_ERRORS) {
      this.#loggedErrors.add(message);
      this.#options.logger.error('an error that nothing caught', { error });
    }
  }

  async #stop(code: number): Promise<void> {
    const { bootstrap, logger } = this.#options;
    logger.info('draining', { timeoutMs: bootstrap.drainTimeoutMs });
    this.#setState('DRAINING');
    this.#rebindTimer?.cancel();
    this.#overload.close();
    await this.#dataPlane.drain(bootstrap.drainTimeoutMs);
    await this.#dataPlane.close();
    this.#loadReporter?.close();
    await this.#xds?.close();
    this.#identity?.close();
    this.#secrets.close();
    this.#accessLogs.close();
    this.#metrics.close();
    await this.#admin?.close();
    logger.info('stopped');
    this.#options.exit(code);
  }

  async #startStatic(bootstrap: Bootstrap): Promise<void> {
    if (bootstrap.static === undefined) {
      return;
    }
    const result = runtimeConfigFromStatic(bootstrap.static);
    if ('problems' in result) {
      throw new MeshError('BAD_CONFIGURATION', result.problems.join('\n'));
    }
    this.#metrics.configApplied('static');
    await this.#apply(result.ok);
  }

  async #startXds(bootstrap: Bootstrap, xds: XdsBootstrap): Promise<void> {
    const { clock, logger, random, version } = this.#options;
    const node = nodeFromBootstrap(bootstrap, version);
    const client = createXdsClient({
      address: xds.address,
      credentials: () => this.#credentials(xds),
      node,
      types: resourceTypes,
      cacheFile: join(bootstrap.stateDir, CACHE_FILE),
      clock,
      logger: logger.with({ part: 'xds' }),
      variant: xds.variant,
      fetchTimeoutMs: bootstrap.warmingTimeoutMs,
      random,
      onUpdate: (batch) => this.#guard(() => this.#update(batch)),
      onConnectivity: (connected) => {
        logger.info(connected ? 'control plane connected' : 'control plane lost; traffic goes on');
        this.#becomeReady();
      },
      // A gateway whose Gateway nobody has written yet is told that there is nothing to listen on: that is no update.
      onAnswer: () => this.#becomeReady(),
    });
    this.#xds = client;
    this.#onDemand = new OnDemandHosts(client, clock, logger);
    const collector = new LoadCollector(() => this.#dataPlane.clusters());
    this.#loadReporter = createLoadReporter({
      channel: client.channel,
      node,
      clock,
      logger: logger.with({ part: 'load-report' }),
      random,
      collect: (request) => collector.collect(request),
      memoryBytes: () => process.memoryUsage.rss(),
      protocolsSeen: (isFirst) => this.#dataPlane.protocolsSeen().tell(isFirst),
      closedListeners: (isFirst) => this.#closedListeners.tell(isFirst),
    });
    await client.start();
    this.#loadReporter.start();
  }

  async #credentials(xds: XdsBootstrap): Promise<ClientCredentials> {
    const identity = this.#identity;
    if (identity === undefined) {
      throw new MeshError('BAD_CONFIGURATION', 'there is no identity to show to the control plane');
    }
    const svid = await certificateOf(identity);
    return {
      kind: 'tls',
      tls: {
        ca: identity.rootsPem,
        cert: svid.chainPem,
        key: svid.key.revealPem(),
        ...(xds.serverName === undefined ? {} : { servername: xds.serverName }),
      },
    };
  }

  #update(batch: UpdateBatch): void {
    this.#assembly.update(batch.changes);
    this.#metrics.configApplied(batch.source);
    void this.#apply(this.#assembly.config());
  }

  #apply(config: RuntimeConfig): Promise<void> {
    this.#lastConfig = config;
    this.#secrets.replaceAds(config.secrets);
    const applied = this.#dataPlane.apply(config).then(
      (result) => this.#afterApply(config, result),
      (error: unknown) => this.handleUnhandled(error),
    );
    this.#accessLogs.keepOnly(accessLogPaths(config));
    return applied;
  }

  #afterApply(config: RuntimeConfig, { failedListeners }: ApplyResult): void {
    if (config !== this.#lastConfig || this.#stopping !== undefined) {
      return;
    }
    this.#closedListeners.now(failedListeners);
    for (const { name, reason } of failedListeners) {
      this.#options.logger.error('a listener cannot be brought up', { listener: name, reason });
    }
    this.#rebindTimer?.cancel();
    if (failedListeners.length > 0) {
      this.#rebindTimer = this.#options.clock.setTimeout(() => {
        if (this.#lastConfig !== undefined) {
          void this.#apply(this.#lastConfig);
        }
      }, this.#rebind.nextDelayMs());
      return;
    }
    this.#rebind.reset();
    this.#becomeReady();
  }

  /** Ready is when every listener of the configuration is up, and there is one, or the control plane says there is none. */
  #becomeReady(): void {
    if (this.#state !== 'INITIALIZING') {
      return;
    }
    const config = this.#lastConfig ?? this.#assembly.config();
    const listenerType = this.#xds?.state().types.find(({ typeUrl }) => typeUrl === typeUrls.listener);
    const isComplete =
      listenerType === undefined ||
      (listenerType.resources.length > 0
        ? listenerType.resources.every(
            ({ status, refused }) => status === 'active' || status === 'missing' || refused !== undefined,
          )
        : listenerType.version !== '');
    const active = new Set(
      this.#dataPlane
        .listeners()
        .filter(({ state }) => state === 'active')
        .map(({ name }) => name),
    );
    if (isComplete && [...config.listeners.keys()].every((name) => active.has(name))) {
      this.#setState('LIVE');
      this.#options.logger.info('ready', {
        listeners: config.listeners.size,
        uptimeMs: Math.round(process.uptime() * 1000),
      });
    }
  }

  #inboundConnections(): number {
    return this.#dataPlane
      .listeners()
      .filter(({ config }) => config.direction === 'inbound')
      .reduce((total, { connectionsActive }) => total + connectionsActive, 0);
  }

  #setState(state: ServerState): void {
    if (this.#state !== 'DRAINING') {
      this.#state = state;
    }
  }

  /** Callbacks of the data plane must not throw into it. */
  #guard(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.handleUnhandled(error);
    }
  }

  #adminContext(): Parameters<typeof startAdminServer>[1] {
    const { bootstrap, logger, version } = this.#options;
    return {
      bootstrap,
      version,
      dataPlane: this.#dataPlane,
      state: () => this.#state,
      xdsState: () => this.#xds?.state(),
      identityStatus: () => this.#identity?.status,
      trustBundlePem: () => this.#identity?.rootsPem ?? '',
      metricsText: () =>
        this.#metrics.text({
          dataPlane: this.#dataPlane,
          overload: this.#overload.status,
          xds: this.#xds?.state(),
          identity: this.#identity?.status,
          accessLogLinesDropped: this.#accessLogs.dropped,
          demandedHosts: this.#onDemand?.size ?? 0,
        }),
      logLevel: () => logger.level,
      setLogLevel: (level) => {
        logger.level = level;
      },
      reopenLogs: () => this.reopenLogs(),
      drainInbound: () => this.drainInbound(),
      quit: () => void this.stop(0),
    };
  }
}

/** Resolves with the certificate as soon as there is one. */
function certificateOf(identity: WorkloadIdentity): Promise<Svid> {
  return new Promise((resolve) => {
    const { value } = identity.svid;
    if (value !== undefined) {
      resolve(value);
      return;
    }
    const stop = identity.svid.subscribe((svid) => {
      if (svid !== undefined) {
        stop();
        resolve(svid);
      }
    });
  });
}

function accessLogPaths(config: RuntimeConfig): Set<string> {
  const paths = new Set<string>();
  const add = (logs: readonly AccessLogConfig[]): void => {
    for (const { path } of logs) {
      paths.add(path);
    }
  };
  for (const { filterChains, defaultFilterChain } of config.listeners.values()) {
    for (const { filter } of filterChains) {
      add(filter.accessLogs);
    }
    add(defaultFilterChain?.filter.accessLogs ?? []);
  }
  return paths;
}

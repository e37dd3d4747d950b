import type { Clock, Logger } from '@weft/base';
import type { SpiffeId } from '@weft/identity';
import { parseWorkloadId } from '@weft/identity';
import type { CertificateAuthority } from '@weft/identity/authority';
import type { ProxyResource, ResourceClient } from '@weft/resources';
import { TrafficHistory } from '@weft/telemetry';
import { MeshState, type ResourceChange } from '@weft/translate';
import { type ClientChange, type ConnectedClient, createXdsServer, type Peer, type XdsServer } from '@weft/xds-server';
import { type TypeUrl, typeUrls } from '@weft/xds-types';
import type { KeptSettings } from '../home/mesh-settings.ts';
import { authorizeProxy, identityOfProxy } from '../proxies/authorize.ts';
import { Leftovers } from '../proxies/leftovers.ts';
import { ProxySessions } from '../proxies/proxy-sessions.ts';
import { shortNameOf, typeNames } from '../proxies/type-names.ts';
import { EventRecorder } from '../status/events.ts';
import { GatewayApiStatusWriter } from '../status/gateway-api-status-writer.ts';
import { ProxyStatusWriter } from '../status/proxy-status-writer.ts';
import { RecentErrors } from '../status/recent-errors.ts';
import { ResourceStatusWriter } from '../status/resource-status-writer.ts';
import { ClosedListeners } from './closed-listeners.ts';
import { followMesh } from './inputs.ts';
import { recordLoadReport } from './load-reports.ts';
import { Metrics } from './metrics.ts';
import { ObservedHosts } from './observed-hosts.ts';
import { originsOfResource, Publisher } from './publisher.ts';
import { Revisions, resourceKey } from './revisions.ts';
import { SeenProtocols } from './seen-protocols.ts';
import { trustBundleSecret } from './trust-bundle-secret.ts';

export interface MeshOptions {
  readonly client: ResourceClient;
  readonly ca: CertificateAuthority;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default `istio`. */
  readonly settings?: KeptSettings;
  readonly startGraceMs: number;
  readonly disconnectGraceMs: number;
  readonly leftoverAfterMs: number;
  readonly accessLogPath: (proxyKey: string) => string | undefined;
}

/** First calls of a starting workload come in bursts: they are written down together. */
const observedDelayMs = 50;

/** Everything between the resource API and the proxies: resources in, snapshots out, acknowledgements back into status. */
export class Mesh {
  readonly state: MeshState;
  readonly xds: XdsServer;
  readonly publisher: Publisher;
  readonly sessions: ProxySessions;
  readonly observed = new ObservedHosts();
  readonly revisions = new Revisions();
  readonly history: TrafficHistory;
  readonly errors: RecentErrors;
  readonly metrics = new Metrics();
  readonly seenProtocols = new SeenProtocols(() => this.#statusChanged());
  readonly #closedListeners = new ClosedListeners(() => this.#statusChanged());
  readonly #options: MeshOptions;
  readonly #resourceStatus: ResourceStatusWriter;
  readonly #gatewayApiStatus: GatewayApiStatusWriter;
  readonly #proxyStatus: ProxyStatusWriter;
  readonly #events: EventRecorder;
  readonly #nacks = this.metrics.counter(
    'weft_xds_nacks_total',
    'Responses that a proxy refused, by type.',
    typeNames.map(([type]) => ({ type })),
  );
  readonly #closers: (() => void)[] = [];
  #translationFailures = 0;

  constructor(options: MeshOptions) {
    const { client, ca, clock, logger } = options;
    this.#options = options;
    this.state = new MeshState({
      trustDomain: ca.trustDomain,
      accessLogPath: options.accessLogPath,
      ...options.settings,
    });
    this.history = new TrafficHistory({ clock });
    this.errors = new RecentErrors(clock);
    this.xds = this.#createXdsServer();
    let bundle = trustBundleSecret(ca.trustBundle.value);
    const failures = this.metrics.counter('weft_translation_failures_total', 'Translations that failed.');
    this.publisher = new Publisher(
      {
        state: this.state,
        xds: this.xds,
        clock,
        logger: logger.with({ part: 'publisher' }),
        observedHosts: (proxyKey) => this.observed.authorities(proxyKey),
        common: () => [bundle],
        onPublished: () => this.#statusChanged(),
        metrics: {
          pushSeconds: this.metrics.histogram(
            'weft_push_seconds',
            'Time from a change of resources to the last snapshot made of it.',
          ),
          failures: {
            add: (by = 1) => {
              this.#translationFailures += by;
              failures.add(by);
            },
          },
        },
      },
      1,
    );
    this.sessions = new ProxySessions({
      state: this.state,
      publisher: this.publisher,
      observed: this.observed,
      clock,
      logger: logger.with({ part: 'proxies' }),
      startGraceMs: options.startGraceMs,
      disconnectGraceMs: options.disconnectGraceMs,
      onProxyChanged: (proxyKey) => {
        this.#proxyStatus.changed(proxyKey);
        this.#statusChanged();
      },
      onObserved: (proxyKey) => this.#proxyStatus.changed(proxyKey, observedDelayMs),
    });
    const common = { revisions: this.revisions, xds: this.xds, client, clock, logger: logger.with({ part: 'status' }) };
    const read = { state: this.state, publisher: this.publisher, closedListeners: this.#closedListeners };
    this.#resourceStatus = new ResourceStatusWriter({ ...common, ...read, seenProtocols: this.seenProtocols });
    this.#gatewayApiStatus = new GatewayApiStatusWriter({ ...common, ...read });
    this.#proxyStatus = new ProxyStatusWriter({ ...common, sessions: this.sessions, observed: this.observed });
    this.#events = new EventRecorder({ client, clock, logger });
    this.#closers.push(
      ca.trustBundle.subscribe((changed) => {
        bundle = trustBundleSecret(changed);
        this.publisher.refresh();
      }),
    );
    this.#addGauges();
  }

  get translationFailures(): number {
    return this.#translationFailures;
  }

  /** Lists and follows the resources; resolves when all have been seen once. Proxies may be served from then on. */
  async start(): Promise<void> {
    const { client, clock, logger, leftoverAfterMs } = this.#options;
    const inputs = followMesh({
      client,
      clock,
      logger: logger.with({ part: 'inputs' }),
      onChange: (changes) => this.#resourcesChanged(changes),
    });
    this.#closers.push(() => inputs.stop());
    await inputs.synced;
    this.publisher.flush();
    this.sessions.start();
    this.#resourceStatus.start();
    this.#gatewayApiStatus.start();
    this.#proxyStatus.start(this.state.proxyKeys());
    const leftovers = new Leftovers({
      state: this.state,
      sessions: this.sessions,
      client,
      clock,
      logger,
      afterMs: leftoverAfterMs,
    });
    this.#closers.push(() => leftovers.close());
  }

  /** Whether any Proxy has this identity. */
  hasProxyOf(identity: SpiffeId): boolean {
    const { trustDomain } = this.#options.ca;
    return this.state.proxyKeys().some((key) => identityOfProxy(this.state, key, trustDomain) === identity);
  }

  close(): void {
    for (const close of this.#closers.splice(0).reverse()) {
      close();
    }
    this.#resourceStatus.close();
    this.#gatewayApiStatus.close();
    this.#proxyStatus.close();
    this.sessions.close();
    this.publisher.close();
    this.xds.close();
  }

  #createXdsServer(): XdsServer {
    const { ca, clock, logger } = this.#options;
    return createXdsServer({
      logger: logger.with({ part: 'xds' }),
      clock,
      identifier: `weft-${process.pid}`,
      authorize: (peer, node) => {
        const admission = authorizeProxy(this.state, ca.trustDomain, peer, node);
        if ('reject' in admission) {
          this.reject(`xDS stream of ${node.id.slice(0, 300)}`, admission.message);
        }
        return admission;
      },
      authorizeStatus: (peer) => this.#mayReadStatus(peer),
      onConnect: (client) => this.sessions.connected(client),
      onDisconnect: (client) => this.sessions.disconnected(client),
      onSubscribe: (client, typeUrl, names) => this.sessions.subscribed(client, typeUrl, names),
      onChange: (client, change) => this.#clientChanged(client, change),
      onLoadReport: (client, report) => {
        if (report.memoryBytes !== undefined) {
          this.sessions.reportedMemory(client.key, report.memoryBytes);
        }
        if (report.protocolsSeen !== undefined) {
          this.seenProtocols.told(client.key, report.protocolsSeen, report.receivedAtMs, (name) =>
            this.#has(client.key, typeUrls.listener, name),
          );
        }
        if (report.closedListeners !== undefined) {
          this.#closedListeners.told(client.key, report.closedListeners, (name) =>
            this.#has(client.key, typeUrls.listener, name),
          );
        }
        recordLoadReport(
          this.history,
          client.key,
          client.peer?.spiffeIds[0] ?? '',
          report,
          (name) => this.#has(client.key, typeUrls.cluster, name),
          (host, port) => this.#isTcp(host, port),
        );
      },
    });
  }

  /** Notes that somebody was turned away. */
  reject(subject: string, message: string): void {
    if (this.errors.add('rejected', subject, message)) {
      this.#options.logger.warn('refused', { subject, reason: message });
    }
  }

  #has(proxyKey: string, typeUrl: TypeUrl, name: string): boolean {
    return this.publisher.publication(proxyKey)?.snapshot.resources.get(typeUrl)?.has(name) === true;
  }

  #isTcp(host: string, port: number): boolean {
    const [service] = this.state.services.claims(host);
    return service?.ports.find(({ number }) => number === port)?.protocol === 'tcp';
  }

  #mayReadStatus(peer: Peer | undefined): boolean {
    const [spiffeId = ''] = peer?.spiffeIds ?? [];
    const workload = parseWorkloadId(spiffeId);
    return workload?.trustDomain === this.#options.ca.trustDomain && workload.namespace === 'weft-system';
  }

  #resourcesChanged(changes: readonly ResourceChange[]): void {
    for (const { value, previous } of changes) {
      const object = value ?? previous;
      if (object?.kind !== 'Proxy') {
        continue;
      }
      const proxyKey = `${object.metadata.namespace}/${object.metadata.name}`;
      if (value === undefined) {
        this.sessions.deleted(proxyKey);
        this.seenProtocols.forget(proxyKey);
        this.#closedListeners.forget(proxyKey);
      } else if (previous === undefined) {
        this.#restoreObserved(value as ProxyResource);
        this.sessions.created(proxyKey);
      } else if ((value as ProxyResource).spec.serviceAccount !== (previous as ProxyResource).spec.serviceAccount) {
        // Whoever holds its stream has proved another identity than the one that is asked for now.
        this.publisher.remove(proxyKey);
      }
    }
    const revision = this.publisher.apply(changes);
    for (const { value, previous } of changes) {
      if (value !== undefined) {
        this.revisions.put(value, revision);
      } else if (previous !== undefined) {
        this.revisions.remove(previous);
      }
    }
    this.#statusChanged();
  }

  #restoreObserved({ metadata, spec, status }: ProxyResource): void {
    const account = `${metadata.namespace ?? ''}/${spec.serviceAccount}`;
    for (const { host, port, lastUsed } of status?.observedUpstreams ?? []) {
      this.observed.restore(account, host, port, lastUsed === undefined ? 0 : Date.parse(lastUsed));
    }
  }

  #statusChanged(): void {
    this.#resourceStatus.changed();
    this.#gatewayApiStatus.changed();
  }

  #clientChanged({ key }: ConnectedClient, change: ClientChange): void {
    this.#proxyStatus.changed(key);
    this.#statusChanged();
    if (change.kind !== 'nacked') {
      return;
    }
    const type = shortNameOf(change.typeUrl) ?? change.typeUrl;
    const { message, resources } = change.nack;
    this.#nacks.add(1, { type });
    this.#options.logger.warn('proxy refuses its configuration', { proxy: key, type, resources, reason: message });
    if (!this.errors.add('nack', key, `${type} ${resources.join(', ')}: ${message}`)) {
      return;
    }
    const [namespace = '', name = ''] = key.split('/');
    const proxy = this.revisions.get(`weft.dev/Proxy/${namespace}/${name}`)?.object;
    if (proxy !== undefined) {
      this.#events.warn(proxy, 'ConfigurationRefused', `${type} ${resources.join(', ')}: ${message}`);
    }
    const publication = this.publisher.publication(key);
    const named = new Set<string>();
    for (const resource of publication === undefined ? [] : resources) {
      for (const origin of publication === undefined ? [] : originsOfResource(publication, change.typeUrl, resource)) {
        named.add(`${origin.group}/${origin.kind}/${origin.namespace}/${origin.name}`);
      }
    }
    for (const origin of named) {
      const object = this.revisions.get(origin)?.object;
      if (object !== undefined && resourceKey(object) !== (proxy === undefined ? '' : resourceKey(proxy))) {
        this.#events.warn(object, 'RefusedByProxy', `proxy ${key} refuses it: ${message}`);
      }
    }
  }

  #addGauges(): void {
    const { metrics } = this;
    metrics.gauge('weft_proxies', 'Proxy objects, by whether they are connected.', () => {
      const all = this.state.proxyKeys();
      const connected = all.filter((key) => this.sessions.isConnected(key)).length;
      return [
        [{ connected: 'true' }, connected],
        [{ connected: 'false' }, all.length - connected],
      ];
    });
    metrics.gauge('weft_store_revision', 'Revision of the resources that proxies are given.', () => [
      [{}, this.publisher.revision],
    ]);
    metrics.gauge('weft_certificates_issued', 'Certificates issued since the start, by use.', () =>
      Object.entries(this.#options.ca.issuedCount).map(([use, count]) => [{ use }, count] as const),
    );
    metrics.gauge('weft_issuing_ca_expiry_seconds', 'End of the issuing CA, seconds since the Unix epoch.', () => [
      [{}, this.#options.ca.issuing.notAfter / 1_000],
    ]);
    metrics.gauge('weft_process_resident_memory_bytes', 'Resident memory of the control plane.', () => [
      [{}, process.memoryUsage.rss()],
    ]);
  }
}

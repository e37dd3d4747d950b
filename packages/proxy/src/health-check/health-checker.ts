import type { Endpoint } from '../endpoint/endpoint.ts';
import { HealthFlag } from '../endpoint/endpoint-health.ts';
import type { UpstreamContext } from '../pool/upstream-context.ts';
import type { BindAddress, EndpointConfig, UpstreamTransportSocket } from '../runtime-config/config.ts';
import type { HealthCheckConfig } from '../runtime-config/health-check.ts';
import type { HealthCheckCounters } from './health-check-counters.ts';
import { HostCheck, type HostCheckOwner } from './host-check.ts';

export interface HealthCheckerOptions {
  readonly config: HealthCheckConfig;
  readonly clusterName: string;
  readonly context: UpstreamContext;
  readonly counters: HealthCheckCounters;
  /** New endpoints count neither as healthy nor as unhealthy until their first check (`ignore_new_hosts_until_first_hc`). */
  readonly ignoresNew: boolean;
  readonly hasTraffic: () => boolean;
  readonly transportSocketOf: (match: Readonly<Record<string, string>>) => UpstreamTransportSocket;
  /** Every endpoint that was there at first has been checked. */
  readonly onAllChecked: () => void;
  /** An endpoint passed a check and is healthy. */
  readonly onHealthy: (endpoint: Endpoint) => void;
  readonly onUnhealthy: (endpoint: Endpoint) => void;
}

/** Active checks of the endpoints of one cluster (`Cluster.health_checks`). */
export class HealthChecker implements HostCheckOwner {
  readonly config: HealthCheckConfig;
  readonly #options: HealthCheckerOptions;
  readonly #checks = new Map<Endpoint, HostCheck>();
  /** Those that are not checked for the first time yet, … */
  #unchecked = 0;
  /** … and whether none was left at some time. */
  #allChecked = false;

  constructor(options: HealthCheckerOptions) {
    this.config = options.config;
    this.#options = options;
  }

  get allChecked(): boolean {
    return this.#allChecked;
  }

  get hasTraffic(): boolean {
    return this.#options.hasTraffic();
  }

  /** Begins to check an endpoint: it has failed until it passes. */
  add(endpoint: Endpoint): void {
    const { ignoresNew } = this.#options;
    if (endpoint.config.healthCheck?.disabled === true) {
      return;
    }
    endpoint.setHealthFlag(HealthFlag.failedActiveCheck | (ignoresNew ? HealthFlag.pendingActiveCheck : 0), true);
    this.#watch(endpoint);
  }

  #watch(endpoint: Endpoint): void {
    const { context, counters, clusterName } = this.#options;
    const { config } = endpoint;
    const check = new HostCheck(
      endpoint,
      {
        context,
        counters,
        clusterName,
        hostname: config.healthCheck?.hostname ?? '',
        reuseConnection: this.config.reuseConnection,
        upstream: {
          address: checkedAddress(config),
          additionalAddresses: checkedElsewhere(config) ? undefined : config.additionalAddresses,
          transportSocket:
            this.config.transportSocketMatch === undefined
              ? endpoint.transportSocket
              : this.#options.transportSocketOf(this.config.transportSocketMatch),
          keepalive: undefined,
          alpn: this.config.alpn,
        },
      },
      this,
    );
    this.#checks.set(endpoint, check);
    endpoint.checks = check;
    this.#unchecked += 1;
    check.start();
  }

  /** The endpoint has another configuration: it is checked as that says from now on. */
  changed(endpoint: Endpoint, before: EndpointConfig): void {
    if (JSON.stringify(before.healthCheck) === JSON.stringify(endpoint.config.healthCheck)) {
      return;
    }
    const wasHealthy = (endpoint.healthFlags & HealthFlag.failedActiveCheck) === 0;
    this.remove(endpoint);
    if (endpoint.config.healthCheck?.disabled === true) {
      endpoint.setHealthFlag(activeFlags, false);
    } else if (wasHealthy && before.healthCheck?.disabled !== true) {
      this.#options.counters.healthy += 1;
      this.#watch(endpoint);
    } else {
      this.add(endpoint);
    }
  }

  remove(endpoint: Endpoint): void {
    const check = this.#checks.get(endpoint);
    if (check === undefined) {
      return;
    }
    this.#checks.delete(endpoint);
    endpoint.checks = undefined;
    check.stop();
    const { counters } = this.#options;
    if ((endpoint.healthFlags & HealthFlag.failedActiveCheck) === 0) {
      counters.healthy -= 1;
    }
    if ((endpoint.healthFlags & HealthFlag.degradedActiveCheck) !== 0) {
      counters.degraded -= 1;
    }
    if (check.isFirst) {
      this.#unchecked -= 1;
    }
  }

  /** Endpoints against which nothing speaks but that their first check has no result yet. */
  unchecked(): Endpoint[] {
    const waiting = HealthFlag.failedActiveCheck | HealthFlag.pendingActiveCheck;
    return [...this.#checks].flatMap(([endpoint, check]) =>
      check.isFirst && (endpoint.healthFlags & ~waiting) === 0 ? [endpoint] : [],
    );
  }

  /** The list of endpoints is as it is now: without any there is nothing to wait for. */
  listed(): void {
    if (this.#unchecked === 0 && !this.#allChecked) {
      this.#allChecked = true;
      this.#options.onAllChecked();
    }
  }

  /** Whether its check passes; endpoints that are not checked fail none, but do not pass either. */
  isPassing(endpoint: Endpoint): boolean {
    return this.#checks.has(endpoint) && (endpoint.healthFlags & HealthFlag.failedActiveCheck) === 0;
  }

  stop(): void {
    for (const endpoint of [...this.#checks.keys()]) {
      this.remove(endpoint);
    }
  }

  onChecked(check: HostCheck, isFirst: boolean): void {
    if (isFirst && this.#checks.get(check.endpoint) === check) {
      this.#unchecked -= 1;
      this.listed();
    }
  }

  onHealthy(endpoint: Endpoint): void {
    this.#options.onHealthy(endpoint);
  }

  onUnhealthy(endpoint: Endpoint, failure: string): void {
    this.#options.context.logger.info('an endpoint fails its health checks', this.#facts(endpoint, failure));
    this.#options.onUnhealthy(endpoint);
  }

  logFailure(endpoint: Endpoint, failure: string): void {
    this.#options.context.logger.info('a health check failed', this.#facts(endpoint, failure));
  }

  logSuccess(endpoint: Endpoint): void {
    this.#options.context.logger.info('a health check passed', this.#facts(endpoint, ''));
  }

  #facts(endpoint: Endpoint, failure: string): { readonly [name: string]: string } {
    const facts = { cluster: this.#options.clusterName, endpoint: endpoint.address };
    return failure === '' ? facts : { ...facts, failure };
  }
}

const activeFlags =
  HealthFlag.failedActiveCheck |
  HealthFlag.pendingActiveCheck |
  HealthFlag.degradedActiveCheck |
  HealthFlag.activeCheckTimeout |
  HealthFlag.excludedByUpstream;

function checkedElsewhere({ healthCheck }: EndpointConfig): boolean {
  return healthCheck?.address !== undefined || (healthCheck?.port ?? 0) > 0;
}

/** Where checks of an endpoint go: to it, unless it says otherwise. */
function checkedAddress({ address, healthCheck }: EndpointConfig): BindAddress {
  const base = healthCheck?.address ?? address;
  const port = healthCheck?.port ?? 0;
  return base.kind === 'ip' && port > 0 ? { kind: 'ip', address: base.address, port } : base;
}

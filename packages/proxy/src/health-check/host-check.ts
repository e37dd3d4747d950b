import type { Endpoint, ImmediateFailure } from '../endpoint/endpoint.ts';
import { HealthFlag } from '../endpoint/endpoint-health.ts';
import type { HealthCheckConfig } from '../runtime-config/health-check.ts';
import { type TimerOwner, WheelTimer } from '../transport/timer-wheel.ts';
import { GrpcExchange } from './grpc-exchange.ts';
import { HttpExchange } from './http-exchange.ts';
import { HttpProbe } from './http-probe.ts';
import type { CheckFailure, CheckTarget, Probe, ProbeOwner } from './probe.ts';
import { TcpProbe } from './tcp-probe.ts';

const intervalTimer = 0;
const timeoutTimer = 1;

/** What a result does to the health of an endpoint: nothing, something when more of them come, or a change. */
type Change = 'none' | 'pending' | 'made';

/** Who owns the checks of a cluster. */
export interface HostCheckOwner {
  readonly config: HealthCheckConfig;
  /** The cluster has had connections. */
  readonly hasTraffic: boolean;
  onChecked(check: HostCheck, isFirst: boolean): void;
  onHealthy(endpoint: Endpoint): void;
  onUnhealthy(endpoint: Endpoint, failure: string): void;
  logFailure(endpoint: Endpoint, failure: string): void;
  logSuccess(endpoint: Endpoint): void;
}

/** The checks of one endpoint. Thresholds and pauses as Envoy's. */
export class HostCheck implements ProbeOwner, TimerOwner, ImmediateFailure {
  readonly endpoint: Endpoint;
  readonly target: CheckTarget;
  readonly #owner: HostCheckOwner;
  readonly #probe: Probe;
  readonly #interval: WheelTimer = new WheelTimer(this, intervalTimer);
  readonly #timeout: WheelTimer = new WheelTimer(this, timeoutTimer);
  #first = true;
  #stopped = false;
  #passedInRow = 0;
  #failedInRow = 0;

  constructor(endpoint: Endpoint, target: CheckTarget, owner: HostCheckOwner) {
    this.endpoint = endpoint;
    this.target = target;
    this.#owner = owner;
    this.#probe = createProbe(owner.config, this);
  }

  get isFirst(): boolean {
    return this.#first;
  }

  start(): void {
    const { initialJitterMs } = this.#owner.config;
    this.#arm(this.#interval, this.target.context.random() * initialJitterMs);
  }

  stop(): void {
    this.#stopped = true;
    const { wheel } = this.target.context;
    wheel.remove(this.#interval);
    wheel.remove(this.#timeout);
    this.#probe.abandon();
  }

  onTimer(kind: number): void {
    const { transport } = this.target.context;
    transport.flushQueue.enter();
    try {
      if (kind === timeoutTimer) {
        this.#probe.abandon();
        this.onFailed('timeout', false);
      } else {
        this.target.counters.attempt += 1;
        this.#arm(this.#timeout, this.#owner.config.timeoutMs);
        this.#probe.start();
      }
    } finally {
      transport.flushQueue.leave();
    }
  }

  onPassed(degraded: boolean): void {
    const { endpoint } = this;
    const { counters, context } = this.target;
    const owner = this.#owner;
    this.#failedInRow = 0;
    let change: Change = 'none';
    if (this.#has(HealthFlag.failedActiveCheck)) {
      this.#passedInRow += 1;
      // The first result counts at once, so that a start is quick.
      if (this.#first || this.#passedInRow >= owner.config.healthyThreshold) {
        change = 'made';
        counters.healthy += 1;
        const flags = HealthFlag.failedActiveCheck | HealthFlag.activeCheckTimeout | HealthFlag.excludedByUpstream;
        endpoint.setHealthFlag(flags, false, context.clock.monotonicMs());
      } else {
        change = 'pending';
      }
    }
    if (degraded !== this.#has(HealthFlag.degradedActiveCheck)) {
      counters.degraded += degraded ? 1 : -1;
      endpoint.setHealthFlag(HealthFlag.degradedActiveCheck, degraded);
      change = 'made';
    }
    counters.success += 1;
    const becameHealthy = change === 'made';
    change = this.#endPending(change);
    if (owner.config.logsAllSuccesses) {
      owner.logSuccess(endpoint);
    }
    if (becameHealthy || !this.#has(HealthFlag.failedActiveCheck)) {
      owner.onHealthy(endpoint);
    }
    this.#ended(true, change);
  }

  onFailed(failure: CheckFailure, isExcluded: boolean): void {
    if (isExcluded) {
      this.endpoint.setHealthFlag(HealthFlag.excludedByUpstream, true);
    }
    if (failure === 'network' || failure === 'timeout') {
      this.target.counters.networkFailure += 1;
    }
    this.#ended(false, this.#setUnhealthy(failure));
  }

  /** An answer to somebody's request says that the endpoint is to be left out from now on. */
  failImmediately(): void {
    this.target.counters.passiveFailure += 1;
    this.endpoint.setHealthFlag(HealthFlag.excludedByUpstream, true);
    this.#setUnhealthy('refused');
  }

  #setUnhealthy(failure: CheckFailure): Change {
    const { endpoint, target } = this;
    const owner = this.#owner;
    const { config } = owner;
    this.#passedInRow = 0;
    target.counters.failure += 1;
    let change: Change = 'none';
    if (!this.#has(HealthFlag.failedActiveCheck)) {
      this.#failedInRow += 1;
      if (failure === 'refused' || this.#failedInRow >= config.unhealthyThreshold) {
        change = 'made';
        this.#failedInRow = 0;
        target.counters.healthy -= 1;
        endpoint.setHealthFlag(HealthFlag.failedActiveCheck, true);
        owner.onUnhealthy(endpoint, failure);
      } else {
        change = 'pending';
      }
    }
    if (this.#has(HealthFlag.failedActiveCheck)) {
      endpoint.setHealthFlag(HealthFlag.activeCheckTimeout, failure === 'timeout');
    }
    if (this.#first || config.logsAllFailures) {
      owner.logFailure(endpoint, failure);
    }
    return this.#endPending(change);
  }

  /** The endpoint counts from now on. */
  #endPending(change: Change): Change {
    if (!this.#has(HealthFlag.pendingActiveCheck)) {
      return change;
    }
    this.endpoint.setHealthFlag(HealthFlag.pendingActiveCheck, false);
    return 'made';
  }

  #ended(passed: boolean, change: Change): void {
    if (this.#stopped) {
      // Its result made the endpoint leave.
      return;
    }
    this.target.context.wheel.cancel(this.#timeout);
    const wasFirst = this.#first;
    this.#first = false;
    this.#arm(this.#interval, this.#pauseMs(passed, change === 'pending'));
    this.#owner.onChecked(this, wasFirst);
  }

  #pauseMs(passed: boolean, pending: boolean): number {
    const { config, hasTraffic } = this.#owner;
    let baseMs: number;
    if (!hasTraffic) {
      baseMs = passed && !pending ? config.noTrafficHealthyIntervalMs : config.noTrafficIntervalMs;
    } else if (passed) {
      baseMs = pending ? config.healthyEdgeIntervalMs : config.intervalMs;
    } else {
      baseMs = pending ? config.unhealthyEdgeIntervalMs : config.unhealthyIntervalMs;
    }
    const { random } = this.target.context;
    const shareMs = (baseMs * config.intervalJitterPercent) / 100;
    return Math.max(1, baseMs + random() * shareMs + random() * config.intervalJitterMs);
  }

  #has(flag: number): boolean {
    return (this.endpoint.healthFlags & flag) !== 0;
  }

  #arm(timer: WheelTimer, delayMs: number): void {
    const { wheel, clock } = this.target.context;
    wheel.arm(timer, clock.monotonicMs(), delayMs);
  }
}

function createProbe({ check }: HealthCheckConfig, owner: HostCheck): Probe {
  switch (check.kind) {
    case 'http':
      return new HttpProbe(new HttpExchange(check, owner.target), owner);
    case 'grpc':
      return new HttpProbe(new GrpcExchange(check, owner.target), owner);
    default:
      return new TcpProbe(check, owner);
  }
}

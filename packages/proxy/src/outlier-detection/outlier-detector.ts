import type { Clock, Timer } from '@weft/base';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { HealthFlag } from '../endpoint/endpoint-health.ts';
import type { OutlierDetectionConfig } from '../runtime-config/outlier-detection.ts';
import { HostMonitor, type SuccessBucket } from './host-monitor.ts';
import type { EjectionCause, OutlierCounters } from './outlier-counters.ts';

export interface OutlierDetectorOptions {
  readonly config: OutlierDetectionConfig;
  readonly counters: OutlierCounters;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Ejects endpoints of one cluster by how they answer, and takes them back. Semantics of Envoy's outlier detection. */
export class OutlierDetector {
  readonly config: OutlierDetectionConfig;
  readonly #options: OutlierDetectorOptions;
  readonly #monitors = new Map<Endpoint, HostMonitor>();
  #timer: Timer | undefined;
  #ejected = 0;

  constructor(options: OutlierDetectorOptions) {
    this.config = options.config;
    this.#options = options;
    this.#arm();
  }

  /** Begins to look at an endpoint. */
  add(endpoint: Endpoint): void {
    const monitor = new HostMonitor(endpoint, this);
    this.#monitors.set(endpoint, monitor);
    endpoint.observer = monitor;
  }

  remove(endpoint: Endpoint): void {
    const monitor = this.#monitors.get(endpoint);
    this.#monitors.delete(endpoint);
    endpoint.observer = undefined;
    if (monitor?.ejected === true) {
      this.#countEjected(-1);
    }
  }

  /** An active check of the endpoint has passed. */
  activeCheckPassed(endpoint: Endpoint): void {
    const monitor = this.#monitors.get(endpoint);
    if (monitor?.ejected === true && this.config.unejectByActiveCheck) {
      this.#takeBack(monitor);
    }
  }

  /** Ends; ejections end with it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const endpoint of [...this.#monitors.keys()]) {
      endpoint.setHealthFlag(HealthFlag.ejected, false);
      this.remove(endpoint);
    }
  }

  /** Something speaks against an endpoint. @param enforcingPercent how often that ejects it. */
  detected(monitor: HostMonitor, cause: EjectionCause, enforcingPercent: number): void {
    if (monitor.ejected) {
      return;
    }
    const { counters, random } = this.#options;
    counters.detected[cause] += 1;
    if (random() * 100 < enforcingPercent) {
      this.#eject(monitor, cause);
    }
  }

  #eject(monitor: HostMonitor, cause: EjectionCause): void {
    const { config } = this;
    const { counters, clock, random } = this.#options;
    const percent = (100 * (this.#ejected + 1)) / this.#monitors.size;
    if (percent > config.maxEjectionPercent && !(config.alwaysEjectOne && this.#ejected === 0)) {
      counters.ejectionsOverflow += 1;
      return;
    }
    const jitterMs = Math.floor(random() * config.ejectionJitterMs);
    if (config.baseEjectionMs * monitor.ejectionsInRow < config.maxEjectionMs + config.baseEjectionMs) {
      monitor.ejectionsInRow += 1;
    }
    const lengthMs = Math.min(config.baseEjectionMs * monitor.ejectionsInRow, config.maxEjectionMs);
    monitor.ejected = true;
    monitor.ejectedUntilMs = clock.monotonicMs() + lengthMs + jitterMs;
    this.#countEjected(1);
    counters.ejectionsEnforced += 1;
    counters.enforced[cause] += 1;
    monitor.endpoint.setHealthFlag(HealthFlag.ejected, true);
  }

  #takeBack(monitor: HostMonitor): void {
    monitor.ejected = false;
    monitor.forgetErrors();
    this.#countEjected(-1);
    monitor.endpoint.setHealthFlag(HealthFlag.ejected, false, this.#options.clock.monotonicMs());
  }

  #countEjected(by: number): void {
    this.#ejected += by;
    this.#options.counters.ejectionsActive += by;
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimeout(() => this.#sweep(), this.config.intervalMs, { unref: true });
  }

  #sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const monitor of this.#monitors.values()) {
      if (monitor.ejected) {
        if (nowMs >= monitor.ejectedUntilMs) {
          this.#takeBack(monitor);
        }
      } else if (monitor.ejectionsInRow > 0) {
        monitor.ejectionsInRow -= 1;
      }
    }
    const { successRate, failurePercentage, splitLocalOrigin } = this.config;
    this.#compare(
      (monitor) => monitor.external,
      ['success_rate', successRate.enforcingPercent],
      ['failure_percentage', failurePercentage.enforcingPercent],
    );
    if (splitLocalOrigin) {
      this.#compare(
        (monitor) => monitor.localOrigin,
        ['local_origin_success_rate', successRate.enforcingLocalOriginPercent],
        ['local_origin_failure_percentage', failurePercentage.enforcingLocalOriginPercent],
      );
    }
    for (const { external, localOrigin } of this.#monitors.values()) {
      external.clear();
      localOrigin.clear();
    }
    this.#arm();
  }

  /** Looks for endpoints that did worse in this interval than the others, or worse than is allowed. */
  #compare(
    bucketOf: (monitor: HostMonitor) => SuccessBucket,
    [rateCause, rateEnforcing]: readonly [EjectionCause, number],
    [failureCause, failureEnforcing]: readonly [EjectionCause, number],
  ): void {
    const { successRate, failurePercentage } = this.config;
    const rated: { readonly monitor: HostMonitor; readonly rate: number }[] = [];
    const measured: { readonly monitor: HostMonitor; readonly rate: number }[] = [];
    for (const monitor of this.#monitors.values()) {
      const { total, good } = bucketOf(monitor);
      if (monitor.ejected || total === 0) {
        continue;
      }
      const entry = { monitor, rate: (100 * good) / total };
      if (total >= successRate.requestVolume) {
        rated.push(entry);
      }
      if (total >= failurePercentage.requestVolume) {
        measured.push(entry);
      }
    }
    if (rated.length > 0 && rated.length >= successRate.minimumHosts) {
      const threshold = successThreshold(
        rated.map(({ rate }) => rate),
        successRate.stdevFactor / 1000,
      );
      for (const { monitor, rate } of rated) {
        if (rate < threshold) {
          this.detected(monitor, rateCause, rateEnforcing);
        }
      }
    }
    if (measured.length > 0 && measured.length >= failurePercentage.minimumHosts) {
      for (const { monitor, rate } of measured) {
        if (100 - rate >= failurePercentage.threshold) {
          this.detected(monitor, failureCause, failureEnforcing);
        }
      }
    }
  }
}

/** The mean less so many standard deviations (of the whole population). */
function successThreshold(rates: readonly number[], deviations: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - deviations * Math.sqrt(variance);
}

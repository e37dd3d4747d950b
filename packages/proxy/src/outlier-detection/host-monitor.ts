import type { Endpoint } from '../endpoint/endpoint.ts';
import { Outcome, type OutcomeCode, type OutcomeObserver } from '../endpoint/outcome.ts';
import type { ConsecutiveErrors } from '../runtime-config/outlier-detection.ts';
import type { EjectionCause } from './outlier-counters.ts';
import type { OutlierDetector } from './outlier-detector.ts';

/** What failures of our own side stand for where they are not counted apart. */
const connectFailureStatus = 503;
const timeoutStatus = 504;

/** Requests of one interval and how many of them went well. */
export class SuccessBucket {
  total = 0;
  good = 0;

  add(isGood: boolean): void {
    this.total += 1;
    if (isGood) {
      this.good += 1;
    }
  }

  clear(): void {
    this.total = 0;
    this.good = 0;
  }
}

/** How one endpoint has been doing. Looking at a result costs a few additions. */
export class HostMonitor implements OutcomeObserver {
  readonly endpoint: Endpoint;
  readonly external = new SuccessBucket();
  readonly localOrigin = new SuccessBucket();
  ejected = false;
  /** Monotonic, while it is ejected. */
  ejectedUntilMs = 0;
  /** Ejections that count: each makes the next one longer, each interval without one less so. */
  ejectionsInRow = 0;
  readonly #detector: OutlierDetector;
  #consecutive5xx = 0;
  #consecutiveGateway = 0;
  #consecutiveLocal = 0;

  constructor(endpoint: Endpoint, detector: OutlierDetector) {
    this.endpoint = endpoint;
    this.#detector = detector;
  }

  onOutcome(outcome: OutcomeCode, status: number): void {
    switch (outcome) {
      case Outcome.response:
        this.#answered(status);
        break;
      case Outcome.connected:
        if (this.#detector.config.splitLocalOrigin) {
          this.#consecutiveLocal = 0;
          this.localOrigin.add(true);
        }
        break;
      case Outcome.timeout:
        this.#failedLocally(timeoutStatus);
        break;
      default:
        this.#failedLocally(connectFailureStatus);
    }
  }

  /** An ejection has ended: what was counted before it says nothing any more. */
  forgetErrors(): void {
    this.#consecutive5xx = 0;
    this.#consecutiveGateway = 0;
    this.#consecutiveLocal = 0;
  }

  #answered(status: number): void {
    const isError = status >= 500;
    this.external.add(!isError);
    if (!isError) {
      this.#consecutive5xx = 0;
      this.#consecutiveGateway = 0;
      return;
    }
    const { config } = this.#detector;
    if (status >= 502 && status <= 504) {
      this.#consecutiveGateway = this.#count(
        this.#consecutiveGateway,
        config.consecutiveGatewayFailure,
        'consecutive_gateway_failure',
      );
    } else {
      this.#consecutiveGateway = 0;
    }
    this.#consecutive5xx = this.#count(this.#consecutive5xx, config.consecutive5xx, 'consecutive_5xx');
  }

  #failedLocally(status: number): void {
    const { config } = this.#detector;
    if (!config.splitLocalOrigin) {
      this.#answered(status);
      return;
    }
    this.localOrigin.add(false);
    this.#consecutiveLocal = this.#count(
      this.#consecutiveLocal,
      config.consecutiveLocalOriginFailure,
      'consecutive_local_origin_failure',
    );
  }

  /** @returns the new count. */
  #count(before: number, errors: ConsecutiveErrors, cause: EjectionCause): number {
    if (before + 1 < errors.threshold) {
      return before + 1;
    }
    this.#detector.detected(this, cause, errors.enforcingPercent);
    return 0;
  }
}

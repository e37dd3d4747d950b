import type { Clock, Logger, Timer } from '@weft/base';
import {
  type OverloadAction,
  type OverloadConfig,
  type OverloadResource,
  overloadActions,
  overloadResources,
} from './overload-config.ts';
import { OverloadBit, type OverloadState } from './overload-state.ts';
import type { PressureSampler } from './pressure-samplers.ts';

/** An action goes on for this long after its cause is gone, so that it does not come and go with each sample. */
export const holdMs = 2000;

/** What the data plane can give back at once. */
export interface Relief {
  /**
   * Ends connections and requests on which nothing has moved for `share` of their idle timeouts.
   * @returns how many.
   */
  closeIdle(share: number): number;
  /**
   * Resets at most `most` requests, those that hold most memory first.
   * @returns how many.
   */
  resetLargest(most: number): number;
}

export interface OverloadManagerOptions {
  readonly config: OverloadConfig;
  readonly samplers: readonly PressureSampler[];
  readonly state: OverloadState;
  readonly relief: Relief;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** For `/stats` and `/metrics`. */
export interface OverloadStatus {
  /** Share of the limit in use. */
  readonly pressure: Readonly<Record<OverloadResource, number>>;
  /** 0 = not taken, 1 = taken to the full. */
  readonly scale: Readonly<Record<OverloadAction, number>>;
  /** How often each action met a connection or request. */
  readonly taken: Readonly<Record<OverloadAction, number>>;
}

/** Idle timeouts are not cut to less than this share. */
const leastIdleShare = 0.02;
/** As Envoy: at most this many requests are reset at a time. */
const mostResets = 50;

/** Watches what the machine gives and takes graded actions before it runs out. */
export class OverloadManager {
  readonly #options: OverloadManagerOptions;
  readonly #pressure = zeros(overloadResources);
  readonly #scale = zeros(overloadActions);
  /** When the present scale of an action was last called for (monotonic). */
  readonly #calledForMs = zeros(overloadActions);
  #timer: Timer | undefined;
  #dueMs = 0;

  constructor(options: OverloadManagerOptions) {
    this.#options = options;
  }

  get status(): OverloadStatus {
    return { pressure: this.#pressure, scale: this.#scale, taken: this.#options.state.taken };
  }

  /** Samples from now on. */
  start(): void {
    if (this.#options.config.enabled) {
      this.#schedule();
    }
  }

  close(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock, config } = this.#options;
    this.#dueMs = clock.monotonicMs() + config.refreshIntervalMs;
    this.#timer = clock.setTimeout(
      () => {
        try {
          this.#sample();
        } finally {
          // A defect in one sample must not be the end of all protection.
          this.#schedule();
        }
      },
      config.refreshIntervalMs,
      { unref: true },
    );
  }

  #sample(): void {
    const { clock, config, samplers } = this.#options;
    const nowMs = clock.monotonicMs();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    for (const sampler of samplers) {
      this.#pressure[sampler.resource] = sampler.sample(lateMs);
    }
    for (const action of overloadActions) {
      let wanted = 0;
      for (const { resource, threshold, saturation } of config.triggers.get(action) ?? []) {
        wanted = Math.max(wanted, scaleOf(this.#pressure[resource], threshold, saturation));
      }
      this.#take(action, wanted, nowMs);
    }
    this.#publish();
    this.#relieve();
  }

  #take(action: OverloadAction, wanted: number, nowMs: number): void {
    const before = this.#scale[action];
    if (wanted >= before) {
      this.#calledForMs[action] = nowMs;
    } else if (nowMs - this.#calledForMs[action] < holdMs) {
      return;
    }
    this.#scale[action] = wanted;
    if (wanted > 0 !== before > 0) {
      const { logger } = this.#options;
      const fields = { action, ...this.#percentages() };
      if (wanted > 0) {
        logger.warn('overload: an action begins', fields);
      } else {
        logger.info('overload: an action ends', { ...fields, taken: this.#options.state.taken[action] });
      }
    }
  }

  #percentages(): Record<string, number> {
    return Object.fromEntries(
      overloadResources.map((resource) => [`${resource}_percent`, Math.round(this.#pressure[resource] * 100)]),
    );
  }

  #publish(): void {
    const { state } = this.#options;
    const bit = (action: OverloadAction, value: number): number => (this.#scale[action] > 0 ? value : 0);
    state.shedShare = this.#scale['weft.overload_actions.shed_low_priority_requests'];
    state.active =
      bit('envoy.overload_actions.stop_accepting_requests', OverloadBit.refuseRequests) |
      bit('weft.overload_actions.shed_low_priority_requests', OverloadBit.shedLowPriority) |
      bit('envoy.overload_actions.disable_http_keepalive', OverloadBit.noKeepalive) |
      bit('envoy.overload_actions.stop_accepting_connections', OverloadBit.refuseConnections);
  }

  #relieve(): void {
    const { relief, state } = this.#options;
    const reduce = this.#scale['envoy.overload_actions.reduce_timeouts'];
    if (reduce > 0) {
      const share = Math.max(leastIdleShare, 1 - reduce);
      state.count('envoy.overload_actions.reduce_timeouts', relief.closeIdle(share));
    }
    const reset = this.#scale['envoy.overload_actions.reset_high_memory_stream'];
    if (reset > 0) {
      const most = Math.max(1, Math.round(reset * mostResets));
      state.count('envoy.overload_actions.reset_high_memory_stream', relief.resetLargest(most));
    }
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

/** @returns 0 below the threshold, 1 from the saturation on, in between what lies between. */
function scaleOf(pressure: number, threshold: number, saturation: number): number {
  if (pressure < threshold) {
    return 0;
  }
  return pressure >= saturation ? 1 : Math.max(0.01, (pressure - threshold) / (saturation - threshold));
}

/** `envoy.config.cluster.v3.Cluster.SlowStartConfig` */
export interface SlowStartOptions {
  readonly windowMs: number;
  /** Above 0; 1 is linear, more begins faster. Default 1. */
  readonly aggression: number;
  /** Default 10. */
  readonly minWeightPercent: number;
}

/** What slow start looks at. */
export interface SlowStarting {
  /** When it came up, or was first seen; monotonic. */
  readonly healthySinceMs: number;
}

/** Part of its weight, in (0, 1], that an endpoint has at `nowMs`: it grows from its start to the end of the window. */
export function slowStartFactor(item: SlowStarting, options: SlowStartOptions, nowMs: number): number {
  const ageMs = nowMs - item.healthySinceMs;
  if (ageMs >= options.windowMs) {
    return 1;
  }
  const time = Math.max(1, ageMs) / options.windowMs;
  const grown = options.aggression === 1 ? time : time ** (1 / options.aggression);
  return Math.max(grown, options.minWeightPercent / 100);
}

/** Whether any of them is in its window. */
export function isAnyStarting(items: readonly SlowStarting[], options: SlowStartOptions, nowMs: number): boolean {
  return items.some((item) => nowMs - item.healthySinceMs <= options.windowMs);
}

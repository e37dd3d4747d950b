/** How many endpoints of one priority are in which state. */
export interface PriorityHealth {
  readonly total: number;
  /** Of `total`: not looked at yet, and not counted. */
  readonly excluded: number;
  readonly healthy: number;
  readonly degraded: number;
  /** Weights in place of numbers (`weighted_priority_health`); absent: all weigh the same. */
  readonly weights?: { readonly total: number; readonly healthy: number; readonly degraded: number };
}

/** Which part of the traffic each priority gets, in whole percent; all together are 100 or nothing may be chosen. */
export interface PriorityLoad {
  readonly healthy: Uint32Array;
  readonly degraded: Uint32Array;
  /** Too few are healthy: choices are made among all endpoints of the priority. */
  readonly panic: readonly boolean[];
  /** How much each priority could take, in percent. */
  readonly healthyShare: readonly number[];
  readonly degradedShare: readonly number[];
}

/**
 * Failover by priority as Envoy does it, in whole percent as there. A priority takes as much as its healthy part, times
 * the over-provisioning factor, allows; the rest goes to the next, then to degraded endpoints. When all together cannot
 * take everything, a priority below the panic threshold is used as if everything in it were healthy.
 */
export function priorityLoad(
  levels: readonly PriorityHealth[],
  overprovisioningFactor: number,
  panicThresholdPercent: number,
): PriorityLoad {
  const healthy = new Uint32Array(levels.length);
  const degraded = new Uint32Array(levels.length);
  const healthyShare = levels.map((level) => share(level, 'healthy', overprovisioningFactor));
  const degradedShare = levels.map((level) => share(level, 'degraded', overprovisioningFactor));
  const available = Math.min(100, sum(healthyShare) + sum(degradedShare));
  if (available > 0) {
    let rest = distribute(healthy, healthyShare, 100, available);
    rest = distribute(degraded, degradedShare, rest, available);
    // What is left are roundings: they go to the first that has something to give.
    const first = healthyShare.findIndex((percent) => percent > 0);
    const target = first >= 0 ? healthy : degraded;
    const index = first >= 0 ? first : degradedShare.findIndex((percent) => percent > 0);
    target[index] = (target[index] ?? 0) + rest;
  }
  const threshold = Math.min(100, panicThresholdPercent);
  const panic = levels.map((level) => available < 100 && isInPanic(level, threshold));
  if (panic.every((value) => value)) {
    distributeByNumber(healthy, levels);
    degraded.fill(0);
  }
  return { healthy, degraded, panic, healthyShare, degradedShare };
}

/** Whether fewer than `thresholdPercent` of the endpoints may be used. */
export function isInPanic({ total, excluded, healthy, degraded }: PriorityHealth, thresholdPercent: number): boolean {
  const count = total - excluded;
  const percent = count === 0 ? 0 : (100 * healthy) / count + (100 * degraded) / count;
  return percent < thresholdPercent;
}

function share(level: PriorityHealth, part: 'healthy' | 'degraded', factor: number): number {
  const { weights } = level;
  const whole = weights === undefined ? level.total - level.excluded : weights.total;
  if (level.total - level.excluded <= 0 || whole <= 0) {
    return 0;
  }
  return Math.min(100, Math.floor((factor * (weights === undefined ? level[part] : weights[part])) / whole));
}

/** @returns what could not be distributed. */
function distribute(loads: Uint32Array, shares: readonly number[], load: number, available: number): number {
  let rest = load;
  shares.forEach((percent, index) => {
    const part = Math.min(rest, Math.floor((percent * 100) / available));
    loads[index] = part;
    rest -= part;
  });
  return rest;
}

/** With everything in panic each priority gets what its number of endpoints is worth. */
function distributeByNumber(loads: Uint32Array, levels: readonly PriorityHealth[]): void {
  const total = sum(levels.map((level) => level.total));
  if (total === 0) {
    return;
  }
  let rest = 100;
  levels.forEach((level, index) => {
    const part = Math.floor((100 * level.total) / total);
    loads[index] = part;
    rest -= part;
  });
  const first = levels.findIndex((level) => level.total > 0);
  loads[first] = (loads[first] ?? 0) + rest;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

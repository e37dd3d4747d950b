/** What hash tables look at. */
export interface Weighted {
  readonly weight: number;
}

/** Endpoints with their shares of all traffic, which sum up to 1. */
export interface NormalizedWeights<T> {
  readonly hosts: readonly T[];
  readonly shares: Float64Array;
  readonly smallest: number;
  readonly largest: number;
}

/** Endpoints that share `weight` with the other groups. */
export interface WeightedGroup<T> {
  readonly weight: number;
  readonly hosts: readonly T[];
}

/** Shares by the weights of groups, and in them of endpoints; a group of weight 0 is left out. */
export function normalizeWeights<T extends Weighted>(groups: readonly WeightedGroup<T>[]): NormalizedWeights<T> {
  const hosts: T[] = [];
  const shares: number[] = [];
  let smallest = 1;
  let largest = 0;
  const total = groups.reduce((sum, { weight }) => sum + weight, 0);
  for (const group of groups) {
    if (group.weight === 0) {
      continue;
    }
    const groupShare = group.weight / total;
    let sum = 0;
    for (const host of group.hosts) {
      sum += host.weight;
    }
    for (const host of group.hosts) {
      const share = (host.weight * groupShare) / sum;
      hosts.push(host);
      shares.push(share);
      smallest = Math.min(smallest, share);
      largest = Math.max(largest, share);
    }
  }
  return { hosts, shares: Float64Array.from(shares), smallest, largest };
}

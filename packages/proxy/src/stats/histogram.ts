/** Upper bounds of Envoy's default histogram buckets (milliseconds or bytes); the last bucket is open. */
export const BUCKET_BOUNDS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** A histogram that only grows. */
export class Histogram {
  /** One count a bucket, not cumulative; one more than there are bounds. */
  readonly counts = new Float64Array(BUCKET_BOUNDS.length + 1);
  sum = 0;

  record(value: number): void {
    this.counts[bucketOf(value)] = (this.counts[bucketOf(value)] ?? 0) + 1;
    this.sum += value;
  }

  get count(): number {
    return this.counts.reduce((total, count) => total + count, 0);
  }
}

/** Most values are small: the search begins at the low end. */
function bucketOf(value: number): number {
  let bucket = 0;
  while (bucket < BUCKET_BOUNDS.length && value > (BUCKET_BOUNDS[bucket] as number)) {
    bucket += 1;
  }
  return bucket;
}

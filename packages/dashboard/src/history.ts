/** How many samples a line shows: with one every two seconds, four minutes. */
export const samplesKept = 120;
/** Services that are remembered; the page forgets the one that was updated longest ago. */
const maxSeries = 2_000;

/** The last rates of each service, kept by the page itself. */
export class RateHistory {
  readonly #series = new Map<string, number[]>();

  /** @param key the service's host. */
  add(key: string, rate: number): readonly number[] {
    const samples = this.#series.get(key) ?? [];
    samples.push(rate);
    if (samples.length > samplesKept) {
      samples.shift();
    }
    this.#series.delete(key);
    this.#series.set(key, samples);
    if (this.#series.size > maxSeries) {
      const oldest = this.#series.keys().next();
      if (oldest.done !== true) {
        this.#series.delete(oldest.value);
      }
    }
    return samples;
  }
}

/** Points of an SVG polyline in a box of `width` × `height`; the newest sample is at the right edge. */
export function sparkPoints(samples: readonly number[], width: number, height: number): string {
  // A quarter is left free above the highest: a line at the very edge would look cut off.
  const top = 1.25 * Math.max(0.8, ...samples);
  const step = width / (samplesKept - 1);
  return samples
    .map((sample, index) => {
      const x = width - (samples.length - 1 - index) * step;
      const y = height - 1 - (sample / top) * (height - 2);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}

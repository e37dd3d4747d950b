import { BUCKET_BOUNDS, type Histogram } from './histogram.ts';

/** Labels as `key, value, key, value, …`: the order is that of the output. */
export type LabelPairs = readonly (readonly [name: string, value: string])[];

/** `{a="b",c="d"}`, escaped as the Prometheus text format asks; empty without labels. */
export function formatLabels(pairs: LabelPairs): string {
  if (pairs.length === 0) {
    return '';
  }
  return `{${pairs.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`;
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
    : value;
}

/** Writes metrics in the Prometheus text format, version 0.0.4. */
export class Exposition {
  readonly #lines: string[] = [];

  family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  /** @param labels as {@link formatLabels} writes them. */
  sample(name: string, labels: string, value: number): void {
    this.#lines.push(`${name}${labels} ${formatValue(value)}`);
  }

  histogram(name: string, labels: string, histogram: Histogram): void {
    const head = labels === '' ? '{' : `${labels.slice(0, -1)},`;
    let total = 0;
    histogram.counts.forEach((count, bucket) => {
      total += count;
      const bound = bucket < BUCKET_BOUNDS.length ? String(BUCKET_BOUNDS[bucket]) : '+Inf';
      this.#lines.push(`${name}_bucket${head}le="${bound}"} ${total}`);
    });
    this.#lines.push(`${name}_sum${labels} ${formatValue(histogram.sum)}`, `${name}_count${labels} ${total}`);
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function formatValue(value: number): string {
  if (Number.isFinite(value)) {
    return String(value);
  }
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Labels of a series; a closed, small set of values each. */
export type MetricLabels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  render(): readonly string[];
}

/** Counts up. */
export interface Counter {
  add(by?: number, labels?: MetricLabels): void;
}

/** Takes the distribution of values, in seconds. */
export interface Histogram {
  observe(value: number): void;
}

/** Bounds of {@link Histogram}, seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The control plane's own metrics, in Prometheus' text format (version 0.0.4). */
export class Metrics {
  readonly #families: Family[] = [];

  /**
   * @param series label sets that are known beforehand: they stand there with 0, so that a rate over the first event is right. A
   *   counter without labels does so by itself (the default); give `[]` where labels are known only when something happens.
   */
  counter(name: string, help: string, series: readonly MetricLabels[] = [{}]): Counter {
    const values = new Map<string, number>(series.map((labels) => [formatLabels(labels), 0]));
    this.#families.push({
      name,
      help,
      type: 'counter',
      render: () => [...values].map(([labels, value]) => `${name}${labels} ${value}`),
    });
    return {
      add(by = 1, labels = {}) {
        const key = formatLabels(labels);
        values.set(key, (values.get(key) ?? 0) + by);
      },
    };
  }

  /** @param read called when the metrics are asked for; one value for each set of labels. */
  gauge(name: string, help: string, read: () => Iterable<readonly [MetricLabels, number]>): void {
    this.#families.push({
      name,
      help,
      type: 'gauge',
      render: () => [...read()].map(([labels, value]) => `${name}${formatLabels(labels)} ${value}`),
    });
  }

  histogram(name: string, help: string): Histogram {
    const counts = new Array<number>(buckets.length).fill(0);
    const total = { count: 0, sum: 0 };
    this.#families.push({
      name,
      help,
      type: 'histogram',
      render: () => [
        ...buckets.map((bound, at) => `${name}_bucket{le="${bound}"} ${counts[at]}`),
        `${name}_bucket{le="+Inf"} ${total.count}`,
        `${name}_sum ${total.sum}`,
        `${name}_count ${total.count}`,
      ],
    });
    return {
      observe(value) {
        total.count += 1;
        total.sum += value;
        buckets.forEach((bound, at) => {
          if (value <= bound) {
            counts[at] = (counts[at] ?? 0) + 1;
          }
        });
      },
    };
  }

  render(): string {
    return this.#families
      .flatMap(({ name, help, type, render }) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...render()])
      .concat('')
      .join('\n');
  }
}

function formatLabels(labels: MetricLabels): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

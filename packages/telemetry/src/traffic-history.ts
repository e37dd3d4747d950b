import type { Clock } from '@weft/base';
import { type Counts, Series, type TcpCounts } from './series.ts';

/** Who calls: the service account of a proxy. */
export interface Caller {
  readonly namespace: string;
  readonly name: string;
}

/** Where to: a port of a host, perhaps a subset of its endpoints. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  /** Empty: the whole service. */
  readonly subset: string;
}

/** What one proxy counted for one destination since its last report. */
export interface TrafficReport extends Counts {
  /** `<namespace>/<name>` of the proxy that counted. */
  readonly proxyKey: string;
  readonly caller: Caller;
  readonly destination: Destination;
  /** The same by endpoint, as far as it is known: address as `10.0.0.1:80`, or `unix://` and a path. */
  readonly endpoints: readonly (Counts & { readonly address: string; readonly tcp?: TcpReport })[];
  /** Where the destination is carried as TCP. */
  readonly tcp?: TcpReport;
}

export interface TcpReport extends TcpCounts {
  /** Connections that are open now. */
  readonly open: number;
}

/** TCP over a window. */
export interface TcpRates extends TcpReport {
  readonly connectionsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Rates over a window. */
export interface Rates extends Counts {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  /** 0 to 1; null when nothing ended. */
  readonly successRate: number | null;
  /** Where anything was carried as TCP. */
  readonly tcp?: TcpRates;
}

export interface EdgeRates {
  readonly caller: Caller;
  readonly destination: Destination;
  readonly rates: Rates;
}

export interface TrafficHistoryOptions {
  readonly clock: Clock;
  /** Width of a span, milliseconds. Default 2,000, the period of load reports. */
  readonly bucketMs?: number;
  /** Spans that are kept. Default 300 (10 minutes). */
  readonly buckets?: number;
  /** Most series of a kind; above it the one that was silent for longest makes room. Default 5,000. */
  readonly maxSeries?: number;
}

/** What is kept for one edge or endpoint. */
class Tracked {
  readonly requests: Series<keyof Counts>;
  readonly #newTcp: () => Series<keyof TcpCounts>;
  #tcp: Series<keyof TcpCounts> | undefined;
  #open = 0;

  constructor(options: { readonly bucketMs: number; readonly buckets: number; readonly now: number }) {
    this.requests = new Series({ names: requestNames, wide: false, ...options });
    // 4 GB are two seconds of a fast connection, and a report after an outage tells of more than two seconds.
    this.#newTcp = () => new Series({ names: tcpNames, wide: true, ...options });
  }

  get lastSpan(): number {
    return this.requests.lastSpan;
  }

  add(now: number, report: Counts & { readonly tcp?: TcpReport }): void {
    this.requests.add(now, report);
    if (report.tcp !== undefined) {
      this.#tcp ??= this.#newTcp();
      this.#tcp.add(now, report.tcp);
      this.#open = report.tcp.open;
    }
  }

  addTo(sum: Sum, now: number, windowMs: number, bucketMs: number): void {
    sum.coveredMs = Math.max(sum.coveredMs, this.requests.sum(now, windowMs, sum.requests));
    const tcp = this.#tcp;
    if (tcp !== undefined) {
      sum.tcp ??= { connections: 0, failed: 0, bytes: 0, open: 0 };
      tcp.sum(now, windowMs, sum.tcp);
      // Open connections are in every report: without one, they are no longer there.
      sum.tcp.open += Math.floor(now / bucketMs) - tcp.lastSpan <= spansUntilClosed ? this.#open : 0;
    }
  }
}

const requestNames = ['issued', 'succeeded', 'failed'] as const;
const tcpNames = ['connections', 'failed', 'bytes'] as const;
const spansUntilClosed = 3;

interface EdgeSeries {
  readonly caller: Caller;
  readonly destination: Destination;
  readonly proxyKey: string;
  readonly series: Tracked;
}

/** Load reports of all proxies, kept in memory for a while, and the questions that are asked of them. */
export class TrafficHistory {
  readonly #clock: Clock;
  readonly #bucketMs: number;
  readonly #buckets: number;
  readonly #maxSeries: number;
  readonly #edges = new Map<string, EdgeSeries>();
  readonly #endpoints = new Map<string, Tracked>();

  constructor(options: TrafficHistoryOptions) {
    this.#clock = options.clock;
    this.#bucketMs = options.bucketMs ?? 2_000;
    this.#buckets = options.buckets ?? 300;
    this.#maxSeries = options.maxSeries ?? 5_000;
  }

  /** How long back questions can reach, milliseconds. */
  get maxWindowMs(): number {
    return (this.#buckets - 1) * this.#bucketMs;
  }

  record(report: TrafficReport): void {
    const { proxyKey, caller, destination } = report;
    const now = this.#clock.now();
    const key = `${proxyKey}|${destination.host}|${destination.port}|${destination.subset}`;
    let edge = this.#edges.get(key);
    if (edge === undefined) {
      makeRoom(this.#edges, this.#maxSeries, (entry) => entry.series.lastSpan);
      edge = { caller, destination, proxyKey, series: this.#newSeries(now) };
      this.#edges.set(key, edge);
    }
    edge.series.add(now, report);
    for (const endpoint of report.endpoints) {
      let series = this.#endpoints.get(endpoint.address);
      if (series === undefined) {
        makeRoom(this.#endpoints, this.#maxSeries, (entry) => entry.lastSpan);
        series = this.#newSeries(now);
        this.#endpoints.set(endpoint.address, series);
      }
      series.add(now, endpoint);
    }
  }

  /** Calls to `host`, to all of its ports and subsets, from everywhere. */
  service(host: string, windowMs: number): Rates {
    return this.#sum(windowMs, (edge) => edge.destination.host === host);
  }

  /** All hosts at once: cheaper than asking for each. */
  services(windowMs: number): ReadonlyMap<string, Rates> {
    return this.#grouped(windowMs, (edge) => edge.destination.host);
  }

  /** Calls that arrived at endpoints, from everywhere: those of one workload, say. */
  endpoints(addresses: readonly string[], windowMs: number): Rates {
    const now = this.#clock.now();
    const sum = emptySum();
    for (const address of addresses) {
      this.#endpoints.get(address)?.addTo(sum, now, windowMs, this.#bucketMs);
    }
    return ratesOf(sum, windowMs);
  }

  /** Calls that one proxy made. */
  proxy(proxyKey: string, windowMs: number): Rates {
    return this.#sum(windowMs, (edge) => edge.proxyKey === proxyKey);
  }

  /** Who called whom; edges without a request or a TCP connection in the window are left out. Ordered by caller, then destination. */
  edges(windowMs: number): readonly EdgeRates[] {
    const named = new Map<string, EdgeSeries>();
    const keyOf = ({ caller, destination }: EdgeSeries): string =>
      [caller.namespace, caller.name, destination.host, destination.port, destination.subset].join('|');
    for (const edge of this.#edges.values()) {
      named.set(keyOf(edge), edge);
    }
    const rates = this.#grouped(windowMs, keyOf);
    return [...named]
      .map(([key, { caller, destination }]) => ({
        caller,
        destination,
        rates: rates.get(key) ?? ratesOf(emptySum(), windowMs),
      }))
      .filter(({ rates }) => rates.issued + rates.succeeded + rates.failed > 0 || isUsed(rates.tcp))
      .sort((a, b) => (edgeOrder(a) < edgeOrder(b) ? -1 : 1));
  }

  #newSeries(now: number): Tracked {
    return new Tracked({ bucketMs: this.#bucketMs, buckets: this.#buckets, now });
  }

  #sum(windowMs: number, matches: (edge: EdgeSeries) => boolean): Rates {
    return this.#grouped(windowMs, (edge) => (matches(edge) ? '' : undefined)).get('') ?? ratesOf(emptySum(), windowMs);
  }

  #grouped(windowMs: number, groupOf: (edge: EdgeSeries) => string | undefined): Map<string, Rates> {
    const now = this.#clock.now();
    const sums = new Map<string, Sum>();
    for (const edge of this.#edges.values()) {
      const group = groupOf(edge);
      if (group === undefined) {
        continue;
      }
      const sum = sums.get(group) ?? emptySum();
      edge.series.addTo(sum, now, windowMs, this.#bucketMs);
      sums.set(group, sum);
    }
    return new Map([...sums].map(([group, sum]) => [group, ratesOf(sum, windowMs)]));
  }
}

interface Sum {
  readonly requests: { issued: number; succeeded: number; failed: number };
  tcp: { connections: number; failed: number; bytes: number; open: number } | undefined;
  /** 0: nothing was added. */
  coveredMs: number;
}

function emptySum(): Sum {
  return { requests: { issued: 0, succeeded: 0, failed: 0 }, tcp: undefined, coveredMs: 0 };
}

function ratesOf({ requests, tcp, coveredMs }: Sum, windowMs: number): Rates {
  const seconds = (coveredMs === 0 ? windowMs : coveredMs) / 1_000;
  const ended = requests.succeeded + requests.failed;
  return {
    ...requests,
    requestsPerSecond: Math.max(requests.issued, ended) / seconds,
    errorsPerSecond: requests.failed / seconds,
    successRate: ended === 0 ? null : requests.succeeded / ended,
    ...(tcp === undefined
      ? {}
      : {
          tcp: { ...tcp, connectionsPerSecond: tcp.connections / seconds, bytesPerSecond: tcp.bytes / seconds },
        }),
  };
}

function isUsed(tcp: TcpRates | undefined): boolean {
  return tcp !== undefined && tcp.connections + tcp.failed + tcp.bytes + tcp.open > 0;
}

function edgeOrder({ caller, destination }: EdgeRates): string {
  return [caller.namespace, caller.name, destination.host, destination.port, destination.subset].join('\0');
}

function makeRoom<V>(map: Map<string, V>, max: number, lastSpan: (entry: V) => number): void {
  if (map.size < max) {
    return;
  }
  let oldest: { readonly key: string; readonly span: number } | undefined;
  for (const [key, entry] of map) {
    const span = lastSpan(entry);
    if (oldest === undefined || span < oldest.span) {
      oldest = { key, span };
    }
  }
  if (oldest !== undefined) {
    map.delete(oldest.key);
  }
}

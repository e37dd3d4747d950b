import { readdirSync } from 'node:fs';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { type Exposition, formatLabels } from './exposition.ts';

/** How often the delay of the event loop is sampled: rarely, because an idle proxy should be idle. */
const EVENT_LOOP_RESOLUTION_MS = 100;

const gcKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak_callbacks',
};

/** What the process costs: memory, CPU, garbage collection, delay of the event loop. */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  readonly #observer: PerformanceObserver;
  readonly #gcSeconds = new Map<string, number>();
  readonly #startSeconds = Math.round(Date.now() / 1000 - process.uptime());

  constructor() {
    this.#delay.enable();
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { detail } = entry as { readonly detail?: { readonly kind?: number } };
        const kind = gcKinds[detail?.kind ?? -1] ?? 'other';
        this.#gcSeconds.set(kind, (this.#gcSeconds.get(kind) ?? 0) + entry.duration / 1000);
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  write(out: Exposition): void {
    const { rss, heapUsed, external } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const gauge = (name: string, help: string, value: number): void => {
      out.family(name, 'gauge', help);
      out.sample(name, '', value);
    };
    out.family('process_cpu_seconds_total', 'counter', 'User and system CPU time, seconds.');
    out.sample('process_cpu_seconds_total', '', (user + system) / 1e6);
    gauge('process_resident_memory_bytes', 'Resident memory.', rss);
    gauge('process_start_time_seconds', 'Start of the process, seconds since the epoch.', this.#startSeconds);
    gauge('process_open_fds', 'Open file descriptors.', openFiles());
    gauge('nodejs_heap_size_used_bytes', 'Heap in use.', heapUsed);
    gauge('nodejs_external_memory_bytes', 'Memory of buffers outside the heap.', external);
    gauge(
      'nodejs_eventloop_lag_mean_seconds',
      'Mean delay of the event loop since the last scrape.',
      this.#lag('mean'),
    );
    gauge('nodejs_eventloop_lag_max_seconds', 'Longest delay since the last scrape.', this.#lag('max'));
    gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile since the last scrape.', this.#lag('p99'));
    out.family('weft_gc_seconds_total', 'counter', 'Time spent in garbage collection, by kind.');
    for (const [kind, seconds] of this.#gcSeconds) {
      out.sample('weft_gc_seconds_total', formatLabels([['kind', kind]]), seconds);
    }
    gauge('envoy_server_live', 'Whether the server takes new connections.', 1);
    gauge('envoy_server_uptime', 'Seconds since the start.', Math.round(process.uptime()));
    gauge('envoy_server_memory_allocated', 'Heap in use.', heapUsed);
    gauge('envoy_server_concurrency', 'Worker threads.', 1);
    this.#delay.reset();
  }

  close(): void {
    this.#delay.disable();
    this.#observer.disconnect();
  }

  /** Delay beyond the sampling interval, seconds. */
  #lag(which: 'mean' | 'max' | 'p99'): number {
    if (this.#delay.count === 0) {
      return 0;
    }
    const nanoseconds = which === 'p99' ? this.#delay.percentile(99) : this.#delay[which];
    return Math.max(0, nanoseconds / 1e9 - EVENT_LOOP_RESOLUTION_MS / 1000);
  }
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // Not Linux: unknown, as client libraries of Prometheus have it there.
    return Number.NaN;
  }
}

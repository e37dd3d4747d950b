import { readdirSync, statSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import type { OverloadLimits, OverloadResource } from './overload-config.ts';

/** Measures one resource. */
export interface PressureSampler {
  readonly resource: OverloadResource;
  /**
   * Share of the limit that is used; 1 = all of it, and it may be more.
   * @param lateMs how much later than it was due this sample is taken.
   */
  sample(lateMs: number): number;
}

/** What the memory sampler reads. */
export interface MemoryUse {
  readonly residentBytes: number;
  /** Heap in use and buffers outside of it. */
  readonly accountedBytes: number;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
}

const readMemory = (): MemoryUse => {
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    residentBytes: rss,
    accountedBytes: heapUsed + external,
    heapUsedBytes: heapUsed,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
  };
};

/** What a process of ours can explain at most: code and runtime, twice what the runtime accounts for, and its connections. */
const baseBytes = 96 * 1024 * 1024;
const explainedFactor = 2;
const bytesPerConnection = 256 * 1024;

/**
 * Resident memory against the limit, or V8's heap against its own, whichever is worse. Memory that was freed stays with
 * the allocator and looks resident for good; what the proxy cannot explain by what it holds is taken for that.
 */
export function memorySampler(
  limits: OverloadLimits,
  connections: () => number,
  read: () => MemoryUse = readMemory,
): PressureSampler {
  return {
    resource: 'memory',
    sample: () => {
      const { residentBytes, accountedBytes, heapUsedBytes, heapLimitBytes } = read();
      const explained = baseBytes + accountedBytes * explainedFactor + connections() * bytesPerConnection;
      return Math.max(Math.min(residentBytes, explained) / limits.memoryBytes, heapUsedBytes / heapLimitBytes);
    },
  };
}

/** The delay of the event loop; the better of the last two samples, so that one pause, or a laptop that slept, is none. */
export function eventLoopSampler(limits: OverloadLimits): PressureSampler {
  let before = 0;
  return {
    resource: 'event_loop_delay',
    sample: (lateMs) => {
      const worst = Math.min(before, lateMs);
      before = lateMs;
      return worst / limits.eventLoopDelayMs;
    },
  };
}

/** Reading the whole folder is expensive with ten thousand entries in it; so it is done once for this many samples. */
const samplesPerListing = 20;

/** Linux 6.2 and later says how many descriptors are open without listing them. */
function statDescriptors(): number {
  return statSync('/proc/self/fd').size;
}

function listDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Open descriptors against `RLIMIT_NOFILE`; 0 where the system does not say. */
export function descriptorSampler(
  limits: OverloadLimits,
  ask: () => number = statDescriptors,
  list: () => number = listDescriptors,
): PressureSampler {
  let untilListing = 0;
  let listed = 0;
  return {
    resource: 'descriptors',
    sample: () => {
      try {
        const asked = ask();
        if (asked > 0) {
          return asked / limits.descriptors;
        }
        if (untilListing === 0) {
          listed = list();
          untilListing = samplesPerListing;
        }
        untilListing -= 1;
      } catch {
        // No /proc: the limits of connections have to do.
      }
      return listed / limits.descriptors;
    },
  };
}

/** Connections of clients against their limit. */
export function connectionSampler(limits: OverloadLimits, connections: () => number): PressureSampler {
  return { resource: 'downstream_connections', sample: () => connections() / limits.downstreamConnections };
}

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { OverloadLimits } from './overload-config.ts';

/** A sidecar that takes more of a machine without a memory limit is out of hand. */
const shareOfMachine = 0.25;
const leastMemoryBytes = 256 * 1024 * 1024;
/** Also a machine that others keep busy makes us late: what is shed for that must be worth it. */
const defaultEventLoopDelayMs = 2000;
const mostConnections = 50_000;
/** Each connection of a client can need one to an upstream, and there are files besides. */
const connectionsPerDescriptor = 0.8;
/** Where the system does not say (not Linux). */
const assumedDescriptors = 10_240;

/** What a machine says of itself; the defaults ask the real one. */
export interface Machine {
  /** Memory limit of the control group, bytes; 0 or absurdly large = none. */
  readonly constrainedMemory: () => number;
  readonly totalMemory: () => number;
  /** Text of `/proc/self/limits`; undefined where there is none. */
  readonly processLimits: () => string | undefined;
}

const thisMachine: Machine = {
  constrainedMemory: () => process.constrainedMemory(),
  totalMemory: totalmem,
  processLimits: () => {
    try {
      return readFileSync('/proc/self/limits', 'utf8');
    } catch {
      return undefined;
    }
  },
};

/** 100 % of each resource, where the configuration does not say: the control group's memory, `RLIMIT_NOFILE` and what follows from it. */
export function machineLimits(machine: Machine = thisMachine): OverloadLimits {
  const total = machine.totalMemory();
  const group = machine.constrainedMemory();
  const memoryBytes = group > 0 && group < total ? group : Math.max(leastMemoryBytes, total * shareOfMachine);
  const descriptors = descriptorLimit(machine.processLimits());
  return {
    memoryBytes: Math.floor(memoryBytes),
    eventLoopDelayMs: defaultEventLoopDelayMs,
    descriptors,
    downstreamConnections: Math.min(mostConnections, Math.floor(descriptors * connectionsPerDescriptor)),
  };
}

/** The soft limit: Node raises it to the hard one when it starts. */
function descriptorLimit(limits: string | undefined): number {
  const line = limits?.split('\n').find((entry) => entry.startsWith('Max open files'));
  const soft = Number(line?.split(/\s+/)[3]);
  return Number.isSafeInteger(soft) && soft > 0 ? soft : assumedDescriptors;
}

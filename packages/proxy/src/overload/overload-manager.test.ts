import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock, LogFields, Logger } from '@weft/base';
import { machineLimits } from './machine-limits.ts';
import {
  defaultOverloadConfig,
  type OverloadConfig,
  type OverloadLimits,
  type OverloadResource,
  overloadResources,
} from './overload-config.ts';
import { holdMs, OverloadManager } from './overload-manager.ts';
import { OverloadBit, OverloadState } from './overload-state.ts';
import {
  connectionSampler,
  descriptorSampler,
  eventLoopSampler,
  memorySampler,
  type PressureSampler,
} from './pressure-samplers.ts';

const limits: OverloadLimits = {
  memoryBytes: 1024 ** 3,
  eventLoopDelayMs: 1000,
  descriptors: 1000,
  downstreamConnections: 100,
};

/** A manager whose clock is turned by hand and whose resources say what they are told. */
function setUp(config: OverloadConfig = defaultOverloadConfig) {
  const pressure: Record<OverloadResource, number> = {
    memory: 0,
    event_loop_delay: 0,
    descriptors: 0,
    downstream_connections: 0,
  };
  const logs: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const note = (message: string, fields?: LogFields): void => void logs.push({ message, fields });
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };
  let nowMs = 0;
  let wake: (() => void) | undefined;
  const clock: Clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    setTimeout: (callback) => {
      wake = callback;
      return {
        cancel: () => {
          wake = undefined;
        },
      };
    },
  };
  const idleShares: number[] = [];
  const resets: number[] = [];
  const state = new OverloadState();
  const samplers: PressureSampler[] = overloadResources.map((resource) => ({
    resource,
    sample: () => pressure[resource],
  }));
  const relief = {
    closeIdle: (share: number): number => {
      idleShares.push(share);
      return 2;
    },
    resetLargest: (most: number): number => {
      resets.push(most);
      return 1;
    },
  };
  const manager = new OverloadManager({ config, samplers, state, relief, clock, logger });
  manager.start();
  return {
    pressure,
    logs,
    state,
    manager,
    idleShares,
    resets,
    running: () => wake !== undefined,
    tick: (times = 1, byMs = config.refreshIntervalMs) => {
      for (let count = 0; count < times; count += 1) {
        nowMs += byMs;
        wake?.();
      }
    },
  };
}

test('while all is well the number that requests look at is 0 and nothing is logged', () => {
  const { tick, state, logs, pressure } = setUp();
  pressure.memory = 0.84;
  pressure.downstream_connections = 0.79;
  tick(10);
  assert.equal(state.active, 0);
  assert.deepEqual(logs, []);
});

test('a defect in one sample does not end the watch', () => {
  const { tick, pressure, state, running } = setUp();
  Object.defineProperty(pressure, 'memory', {
    configurable: true,
    get: () => {
      throw new Error('defect');
    },
  });
  assert.throws(() => tick(), /defect/);
  assert.ok(running());
  Object.defineProperty(pressure, 'memory', { value: 0.99 });
  tick();
  assert.ok((state.active & OverloadBit.refuseRequests) !== 0);
});

test('memory: the actions come one after another as it runs out, and go with it', () => {
  const { tick, state, pressure, idleShares, resets, manager } = setUp();
  pressure.memory = 0.9;
  tick();
  assert.equal(state.active, OverloadBit.shedLowPriority);
  assert.ok(state.shedShare < 0.05);
  assert.ok(Math.abs((idleShares.at(-1) ?? 0) - 0.5) < 1e-9, 'half of the idle timeouts');
  pressure.memory = 0.94;
  tick();
  assert.equal(state.active, OverloadBit.shedLowPriority | OverloadBit.noKeepalive);
  assert.ok(Math.abs(state.shedShare - 0.5) < 1e-9);
  assert.equal(resets.at(-1), 17);
  pressure.memory = 0.95;
  tick();
  assert.ok((state.active & OverloadBit.refuseConnections) !== 0);
  pressure.memory = 0.99;
  tick();
  assert.ok((state.active & OverloadBit.refuseRequests) !== 0);
  assert.equal(state.shedShare, 1);
  assert.equal(resets.at(-1), 50);
  assert.equal(manager.status.scale['envoy.overload_actions.stop_accepting_requests'], 1);
  assert.ok(manager.status.taken['envoy.overload_actions.reduce_timeouts'] >= 8);
  pressure.memory = 0.5;
  tick(Math.ceil(holdMs / 500) + 1);
  assert.equal(state.active, 0);
  assert.equal(state.shedShare, 0);
});

test('an action is logged when it begins and when it ends, not while it lasts, and does not flap', () => {
  const { tick, logs, pressure } = setUp();
  for (let round = 0; round < 20; round += 1) {
    pressure.descriptors = round % 2 === 0 ? 1 : 0.5;
    tick();
  }
  const lines = (): string[] => logs.map(({ message, fields }) => `${message} ${String(fields?.['action'])}`);
  assert.deepEqual(lines(), [
    'overload: an action begins envoy.overload_actions.reduce_timeouts',
    'overload: an action begins envoy.overload_actions.disable_http_keepalive',
    'overload: an action begins envoy.overload_actions.stop_accepting_connections',
  ]);
  assert.equal(logs[0]?.fields?.['descriptors_percent'], 100);
  pressure.descriptors = 0;
  tick(10);
  assert.equal(logs.filter(({ message }) => message === 'overload: an action ends').length, 3);
  assert.equal(logs.length, 6);
});

test('it can be switched off, and stops when it is closed', () => {
  assert.equal(setUp({ ...defaultOverloadConfig, enabled: false }).running(), false);
  const { manager, running } = setUp();
  assert.equal(running(), true);
  manager.close();
  assert.equal(running(), false);
});

test('the delay of the event loop counts when it is seen twice: one pause is none', () => {
  const sampler = eventLoopSampler(limits);
  assert.equal(sampler.sample(0), 0);
  assert.equal(sampler.sample(60_000), 0);
  assert.equal(sampler.sample(500), 0.5);
  assert.equal(sampler.sample(2000), 0.5);
  assert.equal(sampler.sample(2000), 2);
  assert.equal(sampler.sample(0), 0);
});

test('the manager itself measures how late its timer is', () => {
  const late: number[] = [];
  let nowMs = 0;
  let wake = (): void => {};
  const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => logger };
  const manager = new OverloadManager({
    config: defaultOverloadConfig,
    samplers: [{ resource: 'event_loop_delay', sample: (lateMs) => late.push(lateMs) * 0 }],
    state: new OverloadState(),
    relief: { closeIdle: () => 0, resetLargest: () => 0 },
    clock: {
      now: () => nowMs,
      monotonicMs: () => nowMs,
      setTimeout: (callback) => {
        wake = callback;
        return { cancel() {} };
      },
    },
    logger,
  });
  manager.start();
  for (const byMs of [500, 730, 500]) {
    nowMs += byMs;
    wake();
  }
  assert.deepEqual(late, [0, 230, 0]);
});

test('memory is what is resident, unless nothing that the proxy holds explains it, or the heap of V8 when that is worse', () => {
  const mib = 1024 ** 2;
  const use = { residentBytes: 0, accountedBytes: 0, heapUsedBytes: 0, heapLimitBytes: 4096 * mib };
  const sampler = memorySampler(
    limits,
    () => 400,
    () => use,
  );
  Object.assign(use, { residentBytes: 512 * mib, accountedBytes: 300 * mib });
  assert.equal(sampler.sample(0), 0.5);
  Object.assign(use, { residentBytes: 1024 * mib, accountedBytes: 50 * mib });
  assert.equal(sampler.sample(0), (96 + 100 + 100) / 1024, 'the rest is memory that the allocator keeps');
  Object.assign(use, { heapUsedBytes: 4000 * mib });
  assert.ok(sampler.sample(0) > 0.97);
});

test('descriptors: asked for where the system says it, listed now and then where not, 0 without /proc', () => {
  assert.equal(descriptorSampler(limits, () => 500).sample(0), 0.5);
  let lists = 0;
  const listing = descriptorSampler(
    limits,
    () => 0,
    () => {
      lists += 1;
      return 250;
    },
  );
  for (let count = 0; count < 40; count += 1) {
    assert.equal(listing.sample(0), 0.25);
  }
  assert.equal(lists, 2);
  const none = descriptorSampler(limits, () => {
    throw new Error('ENOENT');
  });
  assert.equal(none.sample(0), 0);
});

test('the real machine gives a value for each resource', () => {
  const real = machineLimits();
  assert.ok(real.memoryBytes >= 256 * 1024 ** 2 && real.descriptors > 0 && real.downstreamConnections > 0);
  const samplers = [
    memorySampler(real, () => 1),
    eventLoopSampler(real),
    descriptorSampler(real),
    connectionSampler(real, () => real.downstreamConnections / 2),
  ];
  const [memory = 0, delay = 1, descriptors = 0, connections = 0] = samplers.map((sampler) => sampler.sample(0));
  assert.ok(memory > 0 && memory < 1, `${memory}`);
  assert.equal(delay, 0);
  assert.ok(process.platform !== 'linux' || (descriptors > 0 && descriptors < 1), `${descriptors}`);
  assert.ok(Math.abs(connections - 0.5) < 0.01);
});

test('limits follow the control group and RLIMIT_NOFILE', () => {
  const gib = 1024 ** 3;
  const text =
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n';
  const limited = machineLimits({
    constrainedMemory: () => gib / 2,
    totalMemory: () => 8 * gib,
    processLimits: () => text,
  });
  assert.deepEqual(limited, {
    memoryBytes: gib / 2,
    eventLoopDelayMs: 2000,
    descriptors: 1024,
    downstreamConnections: 819,
  });
  const free = machineLimits({
    constrainedMemory: () => 2 ** 63,
    totalMemory: () => 8 * gib,
    processLimits: () => undefined,
  });
  assert.equal(free.memoryBytes, 2 * gib);
  assert.equal(free.descriptors, 10_240);
});

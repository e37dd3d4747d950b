import type { Clock, Logger } from '@weft/base';
import type { DataPlane } from '../data-plane.ts';
import { machineLimits } from './machine-limits.ts';
import type { OverloadConfig, OverloadLimits } from './overload-config.ts';
import { OverloadManager } from './overload-manager.ts';
import type { OverloadState } from './overload-state.ts';
import { connectionSampler, descriptorSampler, eventLoopSampler, memorySampler } from './pressure-samplers.ts';

/** What the configuration says, and the machine where it says nothing. */
export function overloadLimits(config: OverloadConfig): OverloadLimits {
  return { ...machineLimits(), ...config.limits };
}

/** The overload manager of a data plane, with a sampler for each resource of this process. */
export function createOverloadManager(options: {
  readonly config: OverloadConfig;
  readonly limits: OverloadLimits;
  readonly state: OverloadState;
  readonly dataPlane: Pick<DataPlane, 'connections' | 'relief'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): OverloadManager {
  const { config, limits, state, dataPlane, clock, logger } = options;
  const connections = (): number => dataPlane.connections();
  return new OverloadManager({
    config,
    state,
    clock,
    logger,
    relief: dataPlane.relief,
    samplers: [
      memorySampler(limits, connections),
      eventLoopSampler(limits),
      descriptorSampler(limits),
      connectionSampler(limits, connections),
    ],
  });
}

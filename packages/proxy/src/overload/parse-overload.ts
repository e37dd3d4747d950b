import type { FieldReader } from '../bootstrap/field-reader.ts';
import {
  defaultOverloadConfig,
  defaultRefreshIntervalMs,
  type OverloadAction,
  type OverloadConfig,
  type OverloadLimits,
  type OverloadTrigger,
  overloadActions,
  overloadResources,
  scaledActions,
} from './overload-config.ts';

const maxRefreshIntervalMs = 60_000;
const maxDelayMs = 3_600_000;

/** The `overload` section of the bootstrap file; defaults for what it leaves out. */
export function overloadFrom(root: FieldReader): OverloadConfig {
  const section = root.object('overload');
  if (section === undefined) {
    return defaultOverloadConfig;
  }
  const config: OverloadConfig = {
    enabled: section.choice('enabled', [true, false], true),
    refreshIntervalMs: section.integer('refreshIntervalMs', 10, maxRefreshIntervalMs, defaultRefreshIntervalMs),
    limits: limitsFrom(section),
    triggers: triggersFrom(section),
  };
  section.refuseUnknown();
  return config;
}

function limitsFrom(section: FieldReader): Partial<OverloadLimits> {
  const limits = section.object('limits');
  if (limits === undefined) {
    return {};
  }
  const given: { -readonly [Key in keyof OverloadLimits]?: number } = {};
  const read = (key: keyof OverloadLimits, maximum: number): void => {
    const value = limits.integer(key, 1, maximum, 0);
    if (value > 0) {
      given[key] = value;
    }
  };
  read('memoryBytes', Number.MAX_SAFE_INTEGER);
  read('eventLoopDelayMs', maxDelayMs);
  read('descriptors', Number.MAX_SAFE_INTEGER);
  read('downstreamConnections', Number.MAX_SAFE_INTEGER);
  limits.refuseUnknown();
  return given;
}

/** A list replaces the defaults as a whole: half of them would be a surprise. */
function triggersFrom(section: FieldReader): OverloadConfig['triggers'] {
  const actions = section.objectReaders('actions');
  if (actions === undefined) {
    return defaultOverloadConfig.triggers;
  }
  const triggers = new Map<OverloadAction, readonly OverloadTrigger[]>();
  for (const action of actions) {
    const name = action.requiredChoice('name', overloadActions);
    const list: OverloadTrigger[] = [];
    for (const trigger of action.objectReaders('triggers') ?? []) {
      const resource = trigger.requiredChoice('resource', overloadResources);
      const threshold = trigger.number('threshold', 0, 1);
      const saturation = trigger.number('saturation', 0, 1, threshold);
      trigger.refuseUnknown();
      if (saturation < threshold) {
        trigger.violate('saturation', `is below the threshold ${threshold}`, 'Make it at least as large.');
      }
      if (name !== undefined && saturation > threshold && !scaledActions.has(name)) {
        trigger.violate('saturation', `is set for ${name}, which is on or off`, 'Remove it.');
      }
      if (resource !== undefined) {
        list.push({ resource, threshold, saturation });
      }
    }
    if (list.length === 0) {
      action.violate('triggers', 'has no entry', 'Say at which resource and threshold the action is taken.');
    }
    action.refuseUnknown();
    if (name !== undefined) {
      if (triggers.has(name)) {
        action.violate('name', `${name} stands twice`, 'Put all its triggers into one entry.');
      }
      triggers.set(name, list);
    }
  }
  return triggers;
}

import type { XdsServerLimits, XdsServerOptions } from './options.ts';

const defaultLimits: XdsServerLimits = {
  maxStreamsPerClient: 16,
  maxNamesPerType: 50_000,
  maxNameLength: 2_048,
  requestBurst: 2_000,
  requestsPerSecond: 200,
  maxResponseBytes: 2 * 1024 * 1024,
};

/** The options with every default filled in. */
export interface XdsServerSettings {
  readonly limits: XdsServerLimits;
  readonly loadReportIntervalMs: number;
  readonly orderTimeoutMs: number;
  readonly followUpTimeoutMs: number;
  readonly onDemandTimeoutMs: number;
  readonly identifier: string;
}

export function settingsFrom(options: XdsServerOptions): XdsServerSettings {
  return {
    limits: { ...defaultLimits, ...options.limits },
    loadReportIntervalMs: options.loadReportIntervalMs ?? 2_000,
    orderTimeoutMs: options.orderTimeoutMs ?? 5_000,
    followUpTimeoutMs: options.followUpTimeoutMs ?? 500,
    onDemandTimeoutMs: options.onDemandTimeoutMs ?? 5_000,
    identifier: options.identifier ?? 'weft',
  };
}

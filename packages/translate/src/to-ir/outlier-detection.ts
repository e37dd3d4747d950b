import type { OutlierDetection } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import type { PolicySpec } from '../kinds.ts';

/** Envoy's defaults, which Istio leaves where nothing is said. */
const defaultConsecutive = 5;
const defaultIntervalMs = 10_000;
const defaultEjectionMs = 30_000;
const defaultMaxEjectionPercent = 10;

/** When endpoints are left out because of how they answer. Successes in percent are never looked at, as in Istio. */
export function outlierDetection(spec: PolicySpec['outlierDetection']): OutlierDetection | undefined {
  if (spec === undefined) {
    return undefined;
  }
  const splitsErrors = spec.splitExternalLocalOriginErrors === true;
  return {
    consecutive5xx: orOff(spec.consecutive5xxErrors ?? defaultConsecutive),
    consecutiveGatewayErrors: orOff(spec.consecutiveGatewayErrors ?? spec.consecutiveErrors ?? 0),
    consecutiveLocalErrors: splitsErrors
      ? (orOff(spec.consecutiveLocalOriginFailures ?? 0) ?? defaultConsecutive)
      : undefined,
    intervalMs: orOff(parseDurationMs(spec.interval ?? '') ?? 0) ?? defaultIntervalMs,
    baseEjectionMs: orOff(parseDurationMs(spec.baseEjectionTime ?? '') ?? 0) ?? defaultEjectionMs,
    maxEjectionPercent: orOff(spec.maxEjectionPercent ?? 0) ?? defaultMaxEjectionPercent,
  };
}

function orOff(value: number): number | undefined {
  return value > 0 ? value : undefined;
}

import type { OutlierDetection } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import { commonDefaults, type MeshDefaults } from '../defaults.ts';
import type { PolicySpec } from '../kinds.ts';

const { outlier } = commonDefaults;

/** When endpoints are left out because of how they answer. */
export function outlierDetection(
  spec: PolicySpec['outlierDetection'],
  { ejectsBySuccessRate }: MeshDefaults,
): OutlierDetection | undefined {
  if (spec === undefined) {
    return undefined;
  }
  const { outlierDetectionHttpErrorCodes: codes = [] } = spec;
  const splitsErrors = spec.splitExternalLocalOriginErrors === true;
  return {
    consecutive5xx: orOff(spec.consecutive5xxErrors ?? outlier.consecutive),
    consecutiveGatewayErrors: orOff(spec.consecutiveGatewayErrors ?? spec.consecutiveErrors ?? 0),
    consecutiveLocalErrors: splitsErrors
      ? (orOff(spec.consecutiveLocalOriginFailures ?? 0) ?? outlier.consecutive)
      : undefined,
    ...(codes.length === 0 ? {} : { errorStatuses: codes }),
    intervalMs: orOff(parseDurationMs(spec.interval ?? '') ?? 0) ?? outlier.intervalMs,
    baseEjectionMs: orOff(parseDurationMs(spec.baseEjectionTime ?? '') ?? 0) ?? outlier.baseEjectionMs,
    maxEjectionPercent: orOff(spec.maxEjectionPercent ?? 0) ?? outlier.maxEjectionPercent,
    ...(ejectsBySuccessRate ? { bySuccessRate: true } : {}),
  };
}

function orOff(value: number): number | undefined {
  return value > 0 ? value : undefined;
}

import type { OutlierDetectionConfig } from '../outlier-detection.ts';
import type { OutlierDetection } from '../wire/outlier-detection-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';

/** Envoy's, from the comments of the proto. */
const defaults = {
  consecutiveErrors: 5,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 10,
  minimumHosts: 5,
  successRateVolume: 100,
  successRateStdevFactor: 1900,
  failureThreshold: 85,
  failureVolume: 50,
} as const;

/** `envoy.config.cluster.v3.OutlierDetection` with Envoy's defaults. */
export function outlierDetectionFromXds(
  outlier: Decoded<typeof OutlierDetection>,
  problems: Problems,
): OutlierDetectionConfig {
  const percent = (name: keyof typeof outlier, fallback: number): number => {
    const value = (outlier[name] as number | undefined) ?? fallback;
    if (value > 100) {
      problems.add('must be at most 100', name);
    }
    return value;
  };
  const time = (name: keyof typeof outlier, fallback: number): number => {
    const value = outlier[name] as number | undefined;
    if (value !== undefined && value <= 0) {
      problems.add('must be above 0', name);
    }
    return value ?? fallback;
  };
  const baseEjectionMs = time('base_ejection_time', defaults.baseEjectionMs);
  return {
    consecutive5xx: {
      threshold: outlier.consecutive_5xx ?? defaults.consecutiveErrors,
      enforcingPercent: percent('enforcing_consecutive_5xx', 100),
    },
    consecutiveGatewayFailure: {
      threshold: outlier.consecutive_gateway_failure ?? defaults.consecutiveErrors,
      enforcingPercent: percent('enforcing_consecutive_gateway_failure', 0),
    },
    consecutiveLocalOriginFailure: {
      threshold: outlier.consecutive_local_origin_failure ?? defaults.consecutiveErrors,
      enforcingPercent: percent('enforcing_consecutive_local_origin_failure', 100),
    },
    splitLocalOrigin: outlier.split_external_local_origin_errors,
    intervalMs: time('interval', defaults.intervalMs),
    baseEjectionMs,
    maxEjectionMs: Math.max(baseEjectionMs, time('max_ejection_time', defaults.maxEjectionMs)),
    ejectionJitterMs: outlier.max_ejection_time_jitter ?? 0,
    maxEjectionPercent: percent('max_ejection_percent', defaults.maxEjectionPercent),
    alwaysEjectOne: outlier.always_eject_one_host ?? false,
    successRate: {
      minimumHosts: outlier.success_rate_minimum_hosts ?? defaults.minimumHosts,
      requestVolume: outlier.success_rate_request_volume ?? defaults.successRateVolume,
      stdevFactor: outlier.success_rate_stdev_factor ?? defaults.successRateStdevFactor,
      enforcingPercent: percent('enforcing_success_rate', 100),
      enforcingLocalOriginPercent: percent('enforcing_local_origin_success_rate', 100),
    },
    failurePercentage: {
      threshold: percent('failure_percentage_threshold', defaults.failureThreshold),
      minimumHosts: outlier.failure_percentage_minimum_hosts ?? defaults.minimumHosts,
      requestVolume: outlier.failure_percentage_request_volume ?? defaults.failureVolume,
      enforcingPercent: percent('enforcing_failure_percentage', 0),
      enforcingLocalOriginPercent: percent('enforcing_failure_percentage_local_origin', 0),
    },
    unejectByActiveCheck: outlier.successful_active_health_check_uneject_host ?? true,
  };
}

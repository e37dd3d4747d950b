/** What was counted for a cluster's name; outlives changes of its configuration. Names as Envoy's `health_check.*`. */
export class HealthCheckCounters {
  attempt = 0;
  success = 0;
  failure = 0;
  /** Told by `x-envoy-immediate-health-check-fail` in an answer to somebody's request. */
  passiveFailure = 0;
  /** No connection, a broken one, or no answer in time. */
  networkFailure = 0;
  /** Times that the name of the cluster was verified. */
  verifyCluster = 0;
  /** Endpoints now; gauges. */
  healthy = 0;
  degraded = 0;
}

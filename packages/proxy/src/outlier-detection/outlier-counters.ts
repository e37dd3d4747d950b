/** Why an endpoint is ejected; the names are those of Envoy's statistics. */
export const ejectionCauses = [
  'consecutive_5xx',
  'consecutive_gateway_failure',
  'consecutive_local_origin_failure',
  'success_rate',
  'local_origin_success_rate',
  'failure_percentage',
  'local_origin_failure_percentage',
] as const;

export type EjectionCause = (typeof ejectionCauses)[number];

/** What was counted for a cluster's name; outlives changes of its configuration. */
export class OutlierCounters {
  ejectionsActive = 0;
  ejectionsEnforced = 0;
  /** Times that the maximum of ejections kept an endpoint. */
  ejectionsOverflow = 0;
  readonly detected: Record<EjectionCause, number> = zeros();
  readonly enforced: Record<EjectionCause, number> = zeros();
}

function zeros(): Record<EjectionCause, number> {
  return Object.fromEntries(ejectionCauses.map((cause) => [cause, 0])) as Record<EjectionCause, number>;
}

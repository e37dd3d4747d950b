import { type OverloadAction, overloadActions } from './overload-config.ts';

/** Bits of {@link OverloadState.active}. */
export const OverloadBit = {
  /** `envoy.overload_actions.stop_accepting_requests` */
  refuseRequests: 1,
  /** `weft.overload_actions.shed_low_priority_requests` */
  shedLowPriority: 2,
  /** `envoy.overload_actions.disable_http_keepalive` */
  noKeepalive: 4,
  /** `envoy.overload_actions.stop_accepting_connections` */
  refuseConnections: 8,
} as const;

/** What connections and requests look at: one number, which is 0 while all is well. Written by the overload manager only. */
export class OverloadState {
  /** Sum of `OverloadBit`. */
  active = 0;
  /** Share of requests of default priority to refuse while `shedLowPriority` is set, 0 to 1. */
  shedShare = 0;
  /** How often each action met a connection or request. */
  readonly taken: Record<OverloadAction, number> = Object.fromEntries(
    overloadActions.map((action) => [action, 0]),
  ) as Record<OverloadAction, number>;

  /** Counts what an action did. */
  count(action: OverloadAction, times = 1): void {
    this.taken[action] += times;
  }
}

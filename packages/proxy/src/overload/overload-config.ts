/** What the overload manager watches. Envoy has a resource monitor for each but the delay of the event loop. */
export const overloadResources = ['memory', 'event_loop_delay', 'descriptors', 'downstream_connections'] as const;
export type OverloadResource = (typeof overloadResources)[number];

/** What it does about it, gentlest first. Envoy's names where Envoy has the action. */
export const overloadActions = [
  'envoy.overload_actions.reduce_timeouts',
  'weft.overload_actions.shed_low_priority_requests',
  'envoy.overload_actions.disable_http_keepalive',
  'envoy.overload_actions.reset_high_memory_stream',
  'envoy.overload_actions.stop_accepting_connections',
  'envoy.overload_actions.stop_accepting_requests',
] as const;
export type OverloadAction = (typeof overloadActions)[number];

/** Actions that can be taken to a degree; the others are on or off. */
export const scaledActions: ReadonlySet<OverloadAction> = new Set<OverloadAction>([
  'envoy.overload_actions.reduce_timeouts',
  'weft.overload_actions.shed_low_priority_requests',
  'envoy.overload_actions.reset_high_memory_stream',
]);

/** When an action is taken. Both are shares of the resource's limit, 0 to 1; equal ones make it on or off. */
export interface OverloadTrigger {
  readonly resource: OverloadResource;
  /** From here on the action is taken. */
  readonly threshold: number;
  /** From here on it is taken to the full. */
  readonly saturation: number;
}

/** What counts as 100 % of each resource. */
export interface OverloadLimits {
  readonly memoryBytes: number;
  readonly eventLoopDelayMs: number;
  readonly descriptors: number;
  /** Also the hard limit of connections that are accepted. */
  readonly downstreamConnections: number;
}

/** Limits that are absent are taken from the machine. */
export interface OverloadConfig {
  readonly enabled: boolean;
  /** How often the resources are looked at. */
  readonly refreshIntervalMs: number;
  readonly limits: Partial<OverloadLimits>;
  readonly triggers: ReadonlyMap<OverloadAction, readonly OverloadTrigger[]>;
}

const at = (resource: OverloadResource, threshold: number, saturation: number = threshold): OverloadTrigger => ({
  resource,
  threshold,
  saturation,
});

/** Half a second: an idle proxy should be idle, and memory does not run away faster than the limits of connections let it. */
export const defaultRefreshIntervalMs = 500;

/**
 * Envoy's recommendation for the edge (0.95 and 0.98 of the heap), with milder actions before them. That there are too many
 * connections needs no action: the limit itself refuses one when none of those there can be closed.
 */
const defaultTriggers: ReadonlyMap<OverloadAction, readonly OverloadTrigger[]> = new Map([
  [
    'envoy.overload_actions.reduce_timeouts',
    [at('memory', 0.85, 0.95), at('descriptors', 0.8, 0.95), at('downstream_connections', 0.8, 0.95)],
  ],
  ['weft.overload_actions.shed_low_priority_requests', [at('memory', 0.9, 0.98), at('event_loop_delay', 0.5, 1)]],
  ['envoy.overload_actions.disable_http_keepalive', [at('memory', 0.92), at('descriptors', 0.9)]],
  ['envoy.overload_actions.reset_high_memory_stream', [at('memory', 0.92, 0.98)]],
  [
    'envoy.overload_actions.stop_accepting_connections',
    [at('memory', 0.95), at('descriptors', 0.95), at('event_loop_delay', 1)],
  ],
  ['envoy.overload_actions.stop_accepting_requests', [at('memory', 0.98)]],
]);

/** What holds when the bootstrap file says nothing. */
export const defaultOverloadConfig: OverloadConfig = {
  enabled: true,
  refreshIntervalMs: defaultRefreshIntervalMs,
  limits: {},
  triggers: defaultTriggers,
};

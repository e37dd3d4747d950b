/** A condition of Gateway API without what only the writer knows (`observedGeneration`, `lastTransitionTime`). */
export interface GatewayCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export function condition(type: string, holds: boolean, reason: string, message: string): GatewayCondition {
  return { type, status: holds ? 'True' : 'False', reason, message };
}

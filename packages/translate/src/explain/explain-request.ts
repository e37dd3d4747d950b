import type { MeshState } from '../state/mesh-state.ts';
import { clientOf, workloadIr } from '../to-ir/workload-ir.ts';
import type { ExplainedRequest } from './match-request.ts';
import type { ExplainedStep, Walk } from './request-walk.ts';
import { enterGateway } from './walk-gateway.ts';
import { enterSidecar } from './walk-sidecar.ts';

export interface RequestExplanation {
  /** `<namespace>/<name>` of the proxy. */
  readonly proxy: string;
  readonly steps: readonly ExplainedStep[];
  /** What the client gets: `forwarded`, `answered <status>`. */
  readonly outcome: string;
}

/**
 * Walks one request of a workload, or of a gateway's client, through the configuration that its proxy is to have.
 * @param observedHosts as for `workloadIr`.
 * @returns undefined when there is no such Proxy.
 */
export function explainRequest(
  state: MeshState,
  proxyKey: string,
  observedHosts: readonly string[],
  request: ExplainedRequest,
): RequestExplanation | undefined {
  const ir = workloadIr(state, proxyKey, observedHosts);
  if (ir === undefined) {
    return undefined;
  }
  const client = clientOf(state, proxyKey);
  const clusters = new Map(ir.clusters.map((cluster) => [cluster.name, cluster]));
  const walk: Walk = { state, proxyKey, client, ir, request, clusters, steps: [] };
  const outcome = client.isGateway === true ? enterGateway(walk) : enterSidecar(walk);
  return { proxy: proxyKey, steps: walk.steps, outcome };
}

import type { HealthAnswer } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import type { EndpointPolicy } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { endpointPolicyOf, httpCheckOf } from './endpoint-policy.ts';

/** Checks of callers that the sidecar of an endpoint answers by itself for a while, and the policies that say so. */
export interface HealthAnswers {
  readonly answers: readonly HealthAnswer[];
  readonly policies: readonly EndpointPolicy[];
}

/**
 * The checks that arrive at one listener of a workload and whose answers are kept.
 * @param isServed whether a port of a service leads to the listener.
 */
export function healthAnswers(
  state: MeshState,
  services: readonly ServiceModel[],
  isServed: (port: ServicePortModel) => boolean,
): HealthAnswers {
  const answers = new Map<string, HealthAnswer>();
  const policies = new Set<EndpointPolicy>();
  for (const service of services) {
    for (const port of service.ports) {
      const policy = endpointPolicyOf(state, service, port);
      const { healthCheck } = policy?.spec ?? {};
      const checkedNumber = healthCheck?.port ?? port.number;
      const checked = service.ports.find(({ number, protocol }) => number === checkedNumber && protocol !== 'udp');
      const { http } = healthCheck ?? {};
      const cacheMs = parseDurationMs(http?.cacheTime ?? '');
      if (
        policy !== undefined &&
        http !== undefined &&
        cacheMs !== undefined &&
        checked !== undefined &&
        isServed(checked)
      ) {
        const { method, path, host } = httpCheckOf(http, service.host, false);
        policies.add(policy);
        answers.set(`${method} ${host} ${path}`, { method, path, host, cacheMs });
      }
    }
  }
  return { answers: [...answers.values()], policies: [...policies] };
}

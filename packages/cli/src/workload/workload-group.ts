import { MeshError } from '@weft/base';
import { type WorkloadGroup, workloadGroupKind } from '@weft/resources';
import type { ResourceApi } from '../api/resource-api.ts';
import { probeProblem } from './probe/health-probe.ts';
import type { WorkloadSpec } from './workload-spec.ts';

/**
 * The group that a workload joins.
 * @throws MeshError `NOT_FOUND`, `INVALID` when the group has its workloads checked in a way that `weft run` does not know: it would
 *   take for healthy what nobody has looked at.
 */
export async function findWorkloadGroup(
  resources: ResourceApi,
  namespace: string,
  name: string,
): Promise<WorkloadGroup> {
  const group = await resources.find<WorkloadGroup>(workloadGroupKind, namespace, name);
  if (group === undefined) {
    throw new MeshError('NOT_FOUND', `there is no WorkloadGroup ${namespace}/${name}`);
  }
  const problem = group.spec.probe === undefined ? undefined : probeProblem(group.spec.probe);
  if (problem !== undefined) {
    throw new MeshError('INVALID', `WorkloadGroup ${namespace}/${name}: ${problem}`);
  }
  return group;
}

/**
 * The workload as a group makes it: identity (unless a flag says it), labels, locality and weight, and how its health is checked.
 * @param serviceAccount what a flag says.
 */
export function inGroup(spec: WorkloadSpec, group: WorkloadGroup, serviceAccount: string | undefined): WorkloadSpec {
  const { template } = group.spec;
  return {
    ...spec,
    group: group.spec,
    serviceAccount: serviceAccount ?? (template.serviceAccount || spec.serviceAccount),
  };
}

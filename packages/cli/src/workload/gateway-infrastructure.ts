import { MeshError } from '@weft/base';
import { type KubeGateway, kubeGatewayKind } from '@weft/resources';
import type { ResourceApi } from '../api/resource-api.ts';
import type { WorkloadSpec } from './workload-spec.ts';

/** Label by which a Gateway of Gateway API finds its proxies. */
export const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name';

/**
 * With the labels and annotations that a Gateway asks for on what is made for it (`spec.infrastructure`), as it is now. Selectors of workloads do
 * not choose by them.
 */
export async function withInfrastructure(resources: ResourceApi, spec: WorkloadSpec): Promise<WorkloadSpec> {
  const name = spec.gateway?.labels[gatewayNameLabel];
  if (name === undefined) {
    return spec;
  }
  const { labels, annotations } = (await readable(resources, spec.namespace, name))?.spec.infrastructure ?? {};
  return {
    ...spec,
    labels: { ...labels, ...spec.labels },
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Who may run a gateway need not be one who may read Gateways: it has nothing of them then. */
async function readable(resources: ResourceApi, namespace: string, name: string): Promise<KubeGateway | undefined> {
  try {
    return await resources.find<KubeGateway>(kubeGatewayKind, namespace, name);
  } catch (error) {
    if (MeshError.from(error).code === 'FORBIDDEN') {
      return undefined;
    }
    throw error;
  }
}

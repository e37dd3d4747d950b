import { MeshError } from '@weft/base';
import { concurrencyConfig, type ProxyConfig, proxyConfigKind } from '@weft/resources';
import type { ResourceApi } from '../api/resource-api.ts';
import { workloadLabels } from './objects.ts';
import type { WorkloadSpec } from './workload-spec.ts';

/** Whose ProxyConfigs are for all namespaces. */
const rootNamespace = 'weft-system';

/** Worker threads that a ProxyConfig gives the proxy of a workload; undefined: none says it. Only Envoy has more than one. */
export async function proxyConcurrency(resources: ResourceApi, spec: WorkloadSpec): Promise<number | undefined> {
  if (spec.engine !== 'envoy') {
    return undefined;
  }
  const namespaces = [...new Set([spec.namespace, rootNamespace])];
  const lists = await Promise.all(namespaces.map((namespace) => readable(resources, namespace)));
  const workload = { namespace: spec.namespace, labels: workloadLabels(spec) };
  return concurrencyConfig(lists.flat(), workload, rootNamespace)?.spec?.concurrency;
}

/** A user who may run workloads need not be one who may read the settings of other namespaces: those are not for him then. */
async function readable(resources: ResourceApi, namespace: string): Promise<readonly ProxyConfig[]> {
  try {
    return await resources.list<ProxyConfig>(proxyConfigKind, namespace);
  } catch (error) {
    if (MeshError.from(error).code === 'FORBIDDEN') {
      return [];
    }
    throw error;
  }
}

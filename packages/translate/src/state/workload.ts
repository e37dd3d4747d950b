import type { WorkloadLabels } from '@weft/ir';
import type { Labels, WorkloadEntry } from '../kinds.ts';

/** Labels that selectors see: those of the spec win over those of the object. */
export function labelsOf(entry: WorkloadEntry): Labels {
  return { ...entry.metadata.labels, ...entry.spec.labels };
}

/** Istio's rules for the canonical name and revision of a workload. */
export function workloadLabels(name: string, namespace: string, labels: Labels, cluster: string): WorkloadLabels {
  return {
    name,
    namespace,
    canonicalName:
      labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? name,
    canonicalRevision:
      labels['service.istio.io/canonical-revision'] ??
      labels['app.kubernetes.io/version'] ??
      labels['version'] ??
      'latest',
    cluster,
  };
}

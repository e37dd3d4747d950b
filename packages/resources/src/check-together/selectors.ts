import type { DestinationRule } from '../kinds/networking/destination-rule.ts';
import type { Sidecar } from '../kinds/networking/sidecar.ts';
import type { PeerAuthentication } from '../kinds/security/peer-authentication.ts';
import type { KubeObject } from '../object.ts';
import type { Place } from '../place.ts';
import type { Findings } from './finding.ts';
import { type Inventory, type Labels, selects } from './inventory.ts';

/** Policies that choose workloads by labels, and choose none. Only where the files tell of workloads in the policy's namespace. */
export function checkSelectors(inventory: Inventory, findings: Findings): void {
  for (const object of inventory.list<PeerAuthentication>('security.istio.io/PeerAuthentication')) {
    const place = findings.of(object).at('spec', 'selector', 'matchLabels');
    checkSelector(inventory, object, object.spec?.selector?.matchLabels, place);
  }
  for (const object of inventory.list<Sidecar>('networking.istio.io/Sidecar')) {
    const place = findings.of(object).at('spec', 'workloadSelector', 'labels');
    checkSelector(inventory, object, object.spec?.workloadSelector?.labels, place);
  }
  for (const object of inventory.list<DestinationRule>('networking.istio.io/DestinationRule')) {
    const place = findings.of(object).at('spec', 'workloadSelector', 'matchLabels');
    checkSelector(inventory, object, object.spec?.workloadSelector?.matchLabels, place);
  }
}

function checkSelector(inventory: Inventory, object: KubeObject, selector: Labels | undefined, place: Place): void {
  if (selector === undefined || Object.keys(selector).length === 0 || !inventory.complete) {
    return;
  }
  const namespace = inventory.namespaceOf(object);
  const workloads = inventory.workloads.filter((workload) => workload.namespace === namespace);
  if (inventory.workloads.length > 0 && !workloads.some(({ labels }) => selects(selector, labels))) {
    place.notFound(
      selector,
      `it matches none of the ${workloads.length} workloads of namespace ${namespace} in these files`,
      'Check the labels and the namespace.',
    );
  }
}

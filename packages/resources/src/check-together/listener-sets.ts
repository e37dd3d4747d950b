import type { KubeGateway } from '../kinds/gateway/gateway.ts';
import type { ListenerSet } from '../kinds/gateway/listener-set.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** ListenerSets whose Gateway is in none of the files, or takes no listeners of theirs. */
export function checkListenerSets(inventory: Inventory, findings: Findings): void {
  if (!inventory.tellsOf('gateway.networking.k8s.io/Gateway')) {
    return;
  }
  for (const set of inventory.list<ListenerSet>('gateway.networking.k8s.io/ListenerSet')) {
    const { kind = 'Gateway', name, namespace = inventory.namespaceOf(set) } = set.spec.parentRef;
    const key = `${namespace}/${name}`;
    const place = findings.of(set).at('spec', 'parentRef');
    if (kind !== 'Gateway') {
      continue;
    }
    const gateway = inventory.find<KubeGateway>('gateway.networking.k8s.io/Gateway', key);
    const from = gateway?.spec.allowedListeners?.namespaces?.from ?? 'None';
    if (gateway === undefined) {
      place.at('name').notFound(name, `Gateway ${key} is in none of these files`, 'Check the name and the namespace.');
    } else if (from === 'None') {
      place.forbidden(`Gateway ${key} takes no ListenerSets`, 'Set spec.allowedListeners.namespaces at the Gateway.');
    } else if (from === 'Same' && namespace !== inventory.namespaceOf(set)) {
      place.forbidden(
        `Gateway ${key} takes only ListenerSets of its own namespace`,
        'Set spec.allowedListeners.namespaces at the Gateway, or move the ListenerSet.',
      );
    }
  }
}

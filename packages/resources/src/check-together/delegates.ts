import type { VirtualService } from '../kinds/networking/virtual-service.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

const kind = 'networking.istio.io/VirtualService';

/** Delegations that lead nowhere, and VirtualServices that are only for delegation and get none. */
export function checkDelegates(inventory: Inventory, findings: Findings): void {
  const used = new Set<string>();
  for (const object of inventory.list<VirtualService>(kind)) {
    for (const [index, { delegate }] of (object.spec?.http ?? []).entries()) {
      if (delegate === undefined) {
        continue;
      }
      const own = inventory.namespaceOf(object);
      const namespace = delegate.namespace === undefined || delegate.namespace === '' ? own : delegate.namespace;
      const key = `${namespace}/${delegate.name ?? ''}`;
      used.add(key);
      const place = findings.of(object).at('spec', 'http', index, 'delegate');
      const found = inventory.find<VirtualService>(kind, key);
      const exportTo = found?.spec?.exportTo ?? [];
      if (found === undefined) {
        if (inventory.complete) {
          place
            .at('name')
            .notFound(
              delegate.name ?? '',
              `VirtualService ${key} is in none of these files, and its requests get a 503`,
              'Check the name and the namespace.',
            );
        }
      } else if ((found.spec?.hosts ?? []).length > 0) {
        place
          .at('name')
          .conflict(
            `VirtualService ${key} has hosts of its own, so nothing can be delegated to it`,
            'Remove its hosts, or delegate to another one.',
          );
      } else if (
        exportTo.length > 0 &&
        !exportTo.some((to) => to === '*' || to === own || (to === '.' && namespace === own))
      ) {
        place
          .at('name')
          .forbidden(`VirtualService ${key} is not exported to ${own}`, `Add ${own} to its spec.exportTo.`);
      }
    }
  }
  for (const object of inventory.complete ? inventory.list<VirtualService>(kind) : []) {
    if ((object.spec?.hosts ?? []).length === 0 && !used.has(inventory.keyOf(object))) {
      findings
        .of(object)
        .at('spec', 'hosts')
        .required(
          'without hosts it is only used by delegation, and nothing in these files delegates to it',
          'Add hosts, or a delegate in another VirtualService.',
        );
    }
  }
}

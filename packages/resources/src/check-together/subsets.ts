import type { DestinationRule } from '../kinds/networking/destination-rule.ts';
import type { VirtualService } from '../kinds/networking/virtual-service.ts';
import { destinationsOf } from './destinations.ts';
import type { Findings } from './finding.ts';
import { type Inventory, selects } from './inventory.ts';

/** Subsets that no DestinationRule declares, and subsets that select none of the host's workloads. */
export function checkSubsets(inventory: Inventory, findings: Findings): void {
  if (inventory.tellsOf('networking.istio.io/DestinationRule', '/Service', 'networking.istio.io/ServiceEntry')) {
    for (const object of inventory.list<VirtualService>('networking.istio.io/VirtualService')) {
      checkUse(inventory, object, findings);
    }
  }
  for (const rule of inventory.list<DestinationRule>('networking.istio.io/DestinationRule')) {
    checkLabels(inventory, rule, findings);
  }
}

function checkUse(inventory: Inventory, object: VirtualService, findings: Findings): void {
  const namespace = inventory.namespaceOf(object);
  for (const { destination, path } of destinationsOf(object)) {
    const { host, subset = '' } = destination;
    const known =
      subset !== '' && (inventory.service(host, namespace) !== undefined || !inventory.tellsOfHost(host, namespace));
    const rules = known ? inventory.destinationRules(host, namespace) : [];
    const names = rules.flatMap(({ spec }) => (spec?.subsets ?? []).map(({ name }) => name));
    if (known && !names.includes(subset)) {
      findings
        .of(object)
        .at(...path, 'subset')
        .notFound(
          subset,
          `no DestinationRule of these files declares it for ${host}, and requests to it get a 503`,
          names.length === 0
            ? `Add a DestinationRule for ${host} with the subset.`
            : `Use one of ${[...new Set(names)].join(', ')}, or add it to the DestinationRule.`,
        );
    }
  }
}

function checkLabels(inventory: Inventory, rule: DestinationRule, findings: Findings): void {
  const service = inventory.service(rule.spec?.host ?? '', inventory.namespaceOf(rule));
  const workloads = service === undefined ? [] : inventory.endpointLabels(service);
  if (workloads.length === 0 || !inventory.complete) {
    return;
  }
  for (const [index, { name, labels }] of (rule.spec?.subsets ?? []).entries()) {
    if (labels !== undefined && !workloads.some((workload) => selects(labels, workload))) {
      findings
        .of(rule)
        .at('spec', 'subsets', index, 'labels')
        .notFound(
          labels,
          `subset ${name} selects none of the ${workloads.length} workloads of ${rule.spec?.host} in these files`,
          'Check the labels of the workloads.',
        );
    }
  }
}

import type { Service } from '../kinds/core/service.ts';
import type { DestinationRule } from '../kinds/networking/destination-rule.ts';
import type { EndpointPolicy } from '../kinds/weft/endpoint-policy.ts';
import type { Place } from '../place.ts';
import type { Findings } from './finding.ts';
import type { Inventory, KnownService } from './inventory.ts';

/** Policies for endpoints of what is in none of the files, or of what another one is for, and those that find nothing to change. */
export function checkEndpointPolicies(inventory: Inventory, findings: Findings): void {
  const owners = new Map<string, EndpointPolicy>();
  for (const policy of inventory.list<EndpointPolicy>('weft.dev/EndpointPolicy')) {
    const { targetRefs, healthCheck, loadBalancer } = policy.spec;
    const namespace = inventory.namespaceOf(policy);
    const place = findings.of(policy).at('spec');
    for (const [index, { group, kind, name, sectionName = '' }] of targetRefs.entries()) {
      const here = place.at('targetRefs', index);
      const target = `${kind} ${namespace}/${name}`;
      const key = `${target} ${sectionName}`;
      const owner = owners.get(key);
      if (owner !== undefined) {
        const part = sectionName === '' ? '' : `, port ${sectionName}`;
        here.conflict(
          `${inventory.nameOf(owner)} is for ${target}${part}, too: only the older of the two is in force`,
          'Write both into one policy.',
        );
      }
      owners.set(key, owner ?? policy);
      const services = inventory.services.filter(
        ({ object }) => object.kind === kind && inventory.keyOf(object) === `${namespace}/${name}`,
      );
      const [service] = services;
      if (service === undefined) {
        if (inventory.tellsOf(`${group}/${kind}`)) {
          const message = `${target} is in none of these files`;
          here.at('name').notFound(name, message, 'A policy is for targets of its own namespace: check both names.');
        }
        continue;
      }
      if (sectionName !== '' && service.ports.every((port) => port.name !== sectionName)) {
        const names = service.ports.map((port) => port.name).join(', ');
        here.at('sectionName').notFound(sectionName, `${target} has no port of this name`, `Use one of: ${names}.`);
      }
      checkPort(place.at('healthCheck', 'port'), healthCheck?.port, service, target);
      if (loadBalancer?.boundedLoad !== undefined && !services.some((each) => mayHash(inventory, each))) {
        place
          .at('loadBalancer', 'boundedLoad')
          .conflict(
            `callers of ${target} do not choose by hash`,
            'Add a DestinationRule with loadBalancer.consistentHash.',
          );
      }
    }
  }
}

function checkPort(place: Place, port: number | undefined, { ports }: KnownService, target: string): void {
  if (port !== undefined && ports.every(({ number }) => number !== port)) {
    const numbers = ports.map(({ number }) => number).join(', ');
    place.notFound(port, `${target} has no such port`, `Use one of: ${numbers}.`);
  }
}

/** Whether somebody balances by hash, or a rule that does may be elsewhere. */
function mayHash(inventory: Inventory, { host, namespace, object }: KnownService): boolean {
  const rules = inventory.destinationRules(host, namespace);
  const isSticky = object.kind === 'Service' && (object as Service).spec?.sessionAffinity === 'ClientIP';
  return isSticky || !inventory.tellsOf('networking.istio.io/DestinationRule') || rules.some(hashes);
}

function hashes({ spec }: DestinationRule): boolean {
  const policies = [spec?.trafficPolicy, ...(spec?.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  return policies
    .flatMap((policy) => [policy, ...(policy?.portLevelSettings ?? [])])
    .some((policy) => policy?.loadBalancer?.consistentHash !== undefined);
}

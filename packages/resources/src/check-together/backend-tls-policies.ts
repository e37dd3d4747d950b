import type { BackendTlsPolicy } from '../kinds/gateway/backend-tls-policy.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** Policies of TLS for a Service or port that is in none of the files, or that trust what is in none of them. */
export function checkBackendTlsPolicies(inventory: Inventory, findings: Findings): void {
  for (const policy of inventory.list<BackendTlsPolicy>('gateway.networking.k8s.io/BackendTLSPolicy')) {
    const namespace = inventory.namespaceOf(policy);
    const place = findings.of(policy).at('spec');
    for (const [index, { group, kind, name, sectionName = '' }] of policy.spec.targetRefs.entries()) {
      const here = place.at('targetRefs', index);
      if (group !== '' || kind !== 'Service' || !inventory.tellsOf('/Service')) {
        continue;
      }
      const service = inventory.serviceOf(`${namespace}/${name}`);
      if (service === undefined) {
        const message = `Service ${namespace}/${name} is in none of these files`;
        here.at('name').notFound(name, message, 'A policy is for Services of its own namespace: check both names.');
      } else if (sectionName !== '' && service.ports.every((port) => port.name !== sectionName)) {
        const names = service.ports.map((port) => port.name).join(', ');
        here
          .at('sectionName')
          .notFound(sectionName, `Service ${namespace}/${name} has no port of this name`, `Use one of: ${names}.`);
      }
    }
    for (const [index, { group, kind, name }] of (policy.spec.validation.caCertificateRefs ?? []).entries()) {
      const isMissing =
        group === '' &&
        inventory.tellsOf(`/${kind}`) &&
        inventory.find(`/${kind}`, `${namespace}/${name}`) === undefined;
      if (isMissing) {
        place
          .at('validation', 'caCertificateRefs', index, 'name')
          .notFound(
            name,
            `${kind} ${namespace}/${name} is in none of these files`,
            'Check the name; the namespace is that of the policy.',
          );
      }
    }
  }
}

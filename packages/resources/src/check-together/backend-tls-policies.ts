import type { BackendTlsPolicy } from '../kinds/gateway/backend-tls-policy.ts';
import type { ServiceEntry } from '../kinds/networking/service-entry.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

const serviceEntry = 'networking.istio.io/ServiceEntry';
const targetKinds: ReadonlySet<string> = new Set(['/Service', serviceEntry]);

/** The names of the ports of a backend; undefined: there is none of this name. */
function portsOf(inventory: Inventory, kind: string, key: string): readonly string[] | undefined {
  return kind === serviceEntry
    ? namesOf(inventory.find<ServiceEntry>(kind, key))
    : inventory.serviceOf(key)?.ports.map(({ name }) => name);
}

function namesOf(entry: ServiceEntry | undefined): readonly string[] | undefined {
  return entry === undefined ? undefined : (entry.spec.ports ?? []).map(({ name = '' }) => name);
}

/** Policies of TLS for a Service, a ServiceEntry or a port that is in none of the files, or that trust what is in none of them. */
export function checkBackendTlsPolicies(inventory: Inventory, findings: Findings): void {
  for (const policy of inventory.list<BackendTlsPolicy>('gateway.networking.k8s.io/BackendTLSPolicy')) {
    const namespace = inventory.namespaceOf(policy);
    const place = findings.of(policy).at('spec');
    for (const [index, { group, kind, name, sectionName = '' }] of policy.spec.targetRefs.entries()) {
      const here = place.at('targetRefs', index);
      const known = targetKinds.has(`${group}/${kind}`);
      if (!known || !inventory.tellsOf(`${group}/${kind}`)) {
        continue;
      }
      const ports = portsOf(inventory, `${group}/${kind}`, `${namespace}/${name}`);
      if (ports === undefined) {
        const message = `${kind} ${namespace}/${name} is in none of these files`;
        const fix = `A policy is for ${kind === 'Service' ? 'Services' : 'ServiceEntries'} of its own namespace: check both names.`;
        here.at('name').notFound(name, message, fix);
      } else if (sectionName !== '' && !ports.includes(sectionName)) {
        here
          .at('sectionName')
          .notFound(
            sectionName,
            `${kind} ${namespace}/${name} has no port of this name`,
            `Use one of: ${ports.join(', ')}.`,
          );
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

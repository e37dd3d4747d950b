import type { KubeGateway } from '../kinds/gateway/gateway.ts';
import type { ListenerSet } from '../kinds/gateway/listener-set.ts';
import type { IstioGateway } from '../kinds/networking/istio-gateway.ts';
import type { KubeObject } from '../object.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** Certificates of listeners whose Secret is in none of the files, or lacks a ReferenceGrant. Only where the files hold Secrets. */
export function checkCertificates(inventory: Inventory, findings: Findings): void {
  if (!inventory.tellsOf('/Secret')) {
    return;
  }
  const owners: readonly (KubeGateway | ListenerSet)[] = [
    ...inventory.list<KubeGateway>('gateway.networking.k8s.io/Gateway'),
    ...inventory.list<ListenerSet>('gateway.networking.k8s.io/ListenerSet'),
  ];
  for (const owner of owners) {
    for (const [index, { tls }] of owner.spec.listeners.entries()) {
      for (const [at, ref] of (tls?.certificateRefs ?? []).entries()) {
        if ((ref.kind ?? 'Secret') !== 'Secret' || (ref.group ?? '') !== '') {
          continue;
        }
        const place = findings.of(owner).at('spec', 'listeners', index, 'tls', 'certificateRefs', at);
        const key = `${ref.namespace ?? inventory.namespaceOf(owner)}/${ref.name}`;
        if (inventory.find('/Secret', key) === undefined) {
          place.at('name').notFound(ref.name, `Secret ${key} is in none of these files`, 'Check name and namespace.');
        } else if (!inventory.isGranted(owner, { group: '', kind: 'Secret', key })) {
          place
            .at('namespace')
            .forbidden(
              `no ReferenceGrant of these files lets ${owner.kind}s of ${inventory.namespaceOf(owner)} refer to Secret ${key}`,
              `Add a ReferenceGrant in namespace ${key.split('/')[0]}.`,
            );
        }
      }
    }
  }
  const secrets = new Set(inventory.list<KubeObject>('/Secret').map(({ metadata }) => metadata.name));
  for (const gateway of inventory.list<IstioGateway>('networking.istio.io/Gateway')) {
    for (const [index, { tls }] of (gateway.spec?.servers ?? []).entries()) {
      const { credentialName: name = '' } = tls ?? {};
      // In which namespace it is looked for depends on where the gateway runs.
      if (name !== '' && !name.includes('://') && !secrets.has(name)) {
        findings
          .of(gateway)
          .at('spec', 'servers', index, 'tls', 'credentialName')
          .notFound(name, 'no Secret of these files has the name', 'Check the name, or add the Secret.');
      }
    }
  }
}

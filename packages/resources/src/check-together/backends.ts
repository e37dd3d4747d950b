import type { KubeBackendRef } from '../kinds/gateway/stream-routes.ts';
import type { Place } from '../place.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';
import { type KubeRoute, kubeRoutes } from './kube-routes.ts';

type BackendRef = Pick<KubeBackendRef, 'group' | 'kind' | 'name' | 'namespace' | 'port'>;

/** Backends of routes of the Gateway API that are in none of the files, lack the port, or a ReferenceGrant. */
export function checkBackends(inventory: Inventory, findings: Findings): void {
  for (const route of kubeRoutes(inventory)) {
    for (const [index, rule] of (route.spec.rules ?? []).entries()) {
      const place = findings.of(route).at('spec', 'rules', index);
      for (const [at, ref] of (rule.backendRefs ?? []).entries()) {
        checkBackend(inventory, route, ref, place.at('backendRefs', at));
      }
      for (const [at, filter] of ('filters' in rule ? (rule.filters ?? []) : []).entries()) {
        const ref = filter.requestMirror?.backendRef;
        if (ref !== undefined) {
          checkBackend(inventory, route, ref, place.at('filters', at, 'requestMirror', 'backendRef'));
        }
      }
    }
  }
}

function checkBackend(inventory: Inventory, route: KubeRoute, ref: BackendRef, place: Place): void {
  const { group = '', kind = 'Service', name, port } = ref;
  if (group !== '' || kind !== 'Service') {
    return;
  }
  const namespace = ref.namespace ?? inventory.namespaceOf(route);
  const key = `${namespace}/${name}`;
  const service = inventory.serviceOf(key);
  if (service === undefined && inventory.tellsOf('/Service')) {
    place.at('name').notFound(name, `Service ${key} is in none of these files`, 'Check the name and the namespace.');
  }
  if (service !== undefined && port !== undefined && !service.ports.some(({ number }) => number === port)) {
    const ports = service.ports.map(({ number }) => number).join(', ');
    place.at('port').notFound(port, `Service ${key} has no such port`, `Use one of ${ports}.`);
  }
  const toldOfGrants = service !== undefined || inventory.tellsOf('gateway.networking.k8s.io/ReferenceGrant');
  if (inventory.complete && toldOfGrants && !inventory.isGranted(route, { group, kind, key })) {
    place
      .at('namespace')
      .forbidden(
        `no ReferenceGrant of these files lets ${route.kind}s of ${inventory.namespaceOf(route)} refer to Service ${key}`,
        `Add a ReferenceGrant in namespace ${namespace}.`,
      );
  }
}

import type { KubeHttpRoute } from '../kinds/gateway/http-route.ts';
import { conditionOf } from '../kinds/gateway/http-route-warnings.ts';
import type { ServiceEntry } from '../kinds/networking/service-entry.ts';
import type { VirtualService } from '../kinds/networking/virtual-service.ts';
import type { PeerAuthentication } from '../kinds/security/peer-authentication.ts';
import type { KubeObject } from '../object.ts';
import type { Findings } from './finding.ts';
import { type Inventory, kindOf } from './inventory.ts';

const fix = 'Merge the two, or remove one.';

/** Objects that claim the same: of two only the older one is in force. The same object twice: only the last one. */
export function checkRivals(inventory: Inventory, findings: Findings): void {
  checkTwins(inventory, findings);
  checkVirtualServices(inventory, findings);
  checkHttpRoutes(inventory, findings);
  const entries = new Map<string, KubeObject>();
  for (const object of inventory.list<ServiceEntry>('networking.istio.io/ServiceEntry')) {
    for (const [index, host] of object.spec.hosts.entries()) {
      const key = host.toLowerCase();
      const other = entries.get(key);
      if (other !== undefined && areTwo(inventory, other, object) && seesSame(object.spec.exportTo, other)) {
        findings
          .of(object)
          .at('spec', 'hosts', index)
          .conflict(`${inventory.nameOf(other)} declares ${host}, too: the older of the two has it`, fix);
      }
      entries.set(key, other ?? object);
    }
  }
  const scopes = new Map<string, KubeObject>();
  for (const object of inventory.list<PeerAuthentication>('security.istio.io/PeerAuthentication')) {
    if (Object.keys(object.spec?.selector?.matchLabels ?? {}).length === 0) {
      const namespace = inventory.namespaceOf(object);
      const other = scopes.get(namespace);
      if (other !== undefined && areTwo(inventory, other, object)) {
        findings
          .of(object)
          .at('spec')
          .conflict(
            `${inventory.nameOf(other)} is for the whole namespace ${namespace}, too: the older of the two is in force`,
            fix,
          );
      }
      scopes.set(namespace, other ?? object);
    }
  }
}

function checkTwins(inventory: Inventory, findings: Findings): void {
  const seen = new Set<string>();
  for (const object of inventory.objects) {
    const key = `${kindOf(object)} ${inventory.keyOf(object)}`;
    const { name } = object.metadata;
    if (name !== undefined && name !== '' && seen.has(key)) {
      findings
        .of(object)
        .at('metadata', 'name')
        .duplicate(name, `${inventory.nameOf(object)} stands in these files before: remove one of the two.`);
    }
    seen.add(key);
  }
}

/** At a gateway several VirtualServices may have one host: their rules are put together. */
function checkVirtualServices(inventory: Inventory, findings: Findings): void {
  const owners = new Map<string, VirtualService>();
  for (const object of inventory.list<VirtualService>('networking.istio.io/VirtualService')) {
    const namespace = inventory.namespaceOf(object);
    const { gateways = [], hosts = [], exportTo } = object.spec ?? {};
    for (const gateway of gateways.length === 0 ? ['mesh'] : gateways) {
      const name =
        gateway === 'mesh' || gateway.includes('/')
          ? gateway.replace(/^\.\//, `${namespace}/`)
          : `${namespace}/${gateway}`;
      for (const [index, host] of hosts.entries()) {
        const key = `${name} ${inventory.canonicalHost(host, namespace)}`;
        const other = owners.get(key);
        if (other !== undefined && areTwo(inventory, other, object) && seesSame(exportTo, other)) {
          findings
            .of(object)
            .at('spec', 'hosts', index)
            .conflict(
              name === 'mesh'
                ? `${inventory.nameOf(other)} has host ${host} for sidecars, too: only the older of the two is in force`
                : `${inventory.nameOf(other)} has host ${host} at gateway ${name}, too: which of their rules come first depends on age`,
              fix,
            );
        }
        owners.set(key, other ?? object);
      }
    }
  }
}

/** Two HTTPRoutes of one parent with the same match for the same host: the older one gets the requests. */
function checkHttpRoutes(inventory: Inventory, findings: Findings): void {
  const owners = new Map<string, KubeHttpRoute>();
  for (const object of inventory.list<KubeHttpRoute>('gateway.networking.k8s.io/HTTPRoute')) {
    const namespace = inventory.namespaceOf(object);
    const { parentRefs = [], hostnames = [], rules = [] } = object.spec;
    const parents = parentRefs.map(({ group = '', kind = 'Gateway', name, sectionName = '', port = '', ...ref }) =>
      // Routes of the mesh are those of the client's namespace, or of the service's: of two namespaces they never meet.
      [group, kind, ref.namespace ?? namespace, name, sectionName, port, kind === 'Service' ? namespace : ''].join(' '),
    );
    for (const [index, { matches }] of rules.entries()) {
      for (const [at, match] of (matches ?? [{}]).entries()) {
        const place = findings.of(object).at('spec', 'rules', index, ...(matches === undefined ? [] : ['matches', at]));
        const condition = conditionOf(match);
        const keys = parents.flatMap((parent) =>
          (hostnames.length === 0 ? ['*'] : hostnames).map((host) => `${parent} ${host.toLowerCase()} ${condition}`),
        );
        const other = keys.map((key) => owners.get(key)).find((owner) => owner !== undefined);
        if (other !== undefined && areTwo(inventory, other, object)) {
          place.conflict(
            `${inventory.nameOf(other)} has the same match for the same host, too: the older of the two gets the requests`,
            fix,
          );
        }
        for (const key of keys) {
          owners.set(key, owners.get(key) ?? object);
        }
      }
    }
  }
}

/** Not the same object, nor two versions of it. */
function areTwo(inventory: Inventory, a: KubeObject, b: KubeObject): boolean {
  return inventory.keyOf(a) !== inventory.keyOf(b);
}

/** Whether some namespace may see both; only what is kept to one's own namespace is told apart. */
function seesSame(exportTo: readonly string[] | undefined, other: KubeObject): boolean {
  const own = (list: readonly string[] | undefined): boolean => list?.length === 1 && list[0] === '.';
  const { spec } = other as { readonly spec?: { readonly exportTo?: readonly string[] } };
  return !(own(exportTo) || own(spec?.exportTo));
}

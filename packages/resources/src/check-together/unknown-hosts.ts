import { coversHost } from '../format/hosts.ts';
import type { DestinationRule } from '../kinds/networking/destination-rule.ts';
import { splitHost } from '../kinds/networking/host-with-namespace.ts';
import type { Sidecar } from '../kinds/networking/sidecar.ts';
import type { Destination, VirtualService } from '../kinds/networking/virtual-service.ts';
import type { Place } from '../place.ts';
import { destinationsOf } from './destinations.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

const fix = 'Check the name and the namespace, or add a Service or a ServiceEntry.';

/** Hosts, and ports of them, that are declared in none of the files. */
export function checkHosts(inventory: Inventory, findings: Findings): void {
  if (!inventory.tellsOf('/Service', 'networking.istio.io/ServiceEntry')) {
    return;
  }
  for (const object of inventory.list<VirtualService>('networking.istio.io/VirtualService')) {
    const namespace = inventory.namespaceOf(object);
    const root = findings.of(object);
    for (const { destination, path } of destinationsOf(object)) {
      checkDestination(inventory, destination, namespace, root.at(...path));
    }
    for (const [index, host] of (object.spec?.hosts ?? []).entries()) {
      // A name of DNS may be one that only the VirtualService has; a short name is one of a service.
      if (!host.includes('.') && host !== '*' && !/[:*]/.test(host)) {
        checkHost(inventory, host, namespace, root.at('spec', 'hosts', index));
      }
    }
  }
  for (const object of inventory.list<DestinationRule>('networking.istio.io/DestinationRule')) {
    if (object.spec !== undefined) {
      checkHost(inventory, object.spec.host, inventory.namespaceOf(object), findings.of(object).at('spec', 'host'));
    }
  }
  for (const object of inventory.list<Sidecar>('networking.istio.io/Sidecar')) {
    checkSidecar(inventory, object, findings.of(object));
  }
}

function checkDestination(inventory: Inventory, { host, port }: Destination, namespace: string, place: Place): void {
  const service = inventory.service(host, namespace);
  if (service === undefined) {
    checkHost(inventory, host, namespace, place.at('host'));
  } else if (
    port?.number !== undefined &&
    service.ports.length > 0 &&
    service.ports.every(({ number }) => number !== port.number)
  ) {
    place
      .at('port', 'number')
      .notFound(
        port.number,
        `${inventory.nameOf(service.object)} has no such port`,
        `Use one of ${service.ports.map(({ number }) => number).join(', ')}.`,
      );
  }
}

function checkHost(inventory: Inventory, host: string, namespace: string, place: Place): void {
  const found = host.startsWith('*')
    ? inventory.services.some((service) => coversHost(host, service.host) || coversHost(service.host, host))
    : inventory.service(host, namespace) !== undefined;
  if (!found && inventory.tellsOfHost(host, namespace)) {
    place.notFound(host, 'the host is in none of these files', fix);
  }
}

/** Of what a sidecar may reach, entries that are of no service at all. */
function checkSidecar(inventory: Inventory, object: Sidecar, root: Place): void {
  for (const [index, { hosts }] of (object.spec?.egress ?? []).entries()) {
    for (const [at, text] of hosts.entries()) {
      const { namespace = '*', host } = splitHost(text);
      const own = namespace === '.' ? inventory.namespaceOf(object) : namespace;
      const there = inventory.services.some(
        (service) =>
          (own === '*' || own === service.namespace) &&
          (coversHost(host, service.host) || coversHost(service.host, host)),
      );
      if (host !== '*' && own !== '~' && !there) {
        root
          .at('spec', 'egress', index, 'hosts', at)
          .notFound(text, 'it stands for no service of these files', 'Check the namespace and the full host name.');
      }
    }
  }
}

import { isCidr, isIpAddress } from '../../format/address.ts';
import { checkHostPattern, isHostName } from '../../format/hosts.ts';
import { checkName } from '../../format/names.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkLoadBalancerAnnotation } from '../load-balancer-annotation.ts';
import { checkExportTo, checkWorkloadLabels } from './istio-checks.ts';
import { checkProtocol, isHttpProtocol, isTlsProtocol } from './protocols.ts';
import type { ServiceEntry, ServiceEntrySpec } from './service-entry.ts';
import { checkWorkloadEntrySpec } from './workload-entry-validation.ts';

function checkPorts(place: Place, spec: ServiceEntrySpec): void {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const here = place.at(index);
    checkName(here.at('name'), port.name, 'label');
    if (names.has(port.name)) {
      here.at('name').duplicate(port.name, 'Give each port a name of its own.');
    }
    names.add(port.name);
    if (numbers.has(port.number)) {
      here.at('number').duplicate(port.number, 'port number cannot be duplicated: remove one of the two.');
    }
    numbers.add(port.number);
    checkProtocol(here.at('protocol'), port.protocol);
  }
}

/** Plain TCP to several hosts: nothing in a connection says which is meant. */
function checkHostsTellApart(place: Place, spec: ServiceEntrySpec): void {
  if (spec.hosts.length < 2 || (spec.resolution ?? 'NONE') === 'NONE') {
    return;
  }
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (!isHttpProtocol(port.protocol) && !isTlsProtocol(port.protocol)) {
      place
        .at('ports', index, 'protocol')
        .conflict(
          'with several hosts only HTTP and TLS say which one is meant',
          'Set the protocol to HTTP, HTTP2, GRPC, HTTPS or TLS, or make an object for each host.',
        );
    }
  }
}

function checkAddresses(place: Place, spec: ServiceEntrySpec): void {
  const resolution = spec.resolution ?? 'NONE';
  for (const [index, address] of (spec.addresses ?? []).entries()) {
    const here = place.at('addresses', index);
    if (!isIpAddress(address) && !isCidr(address)) {
      here.invalid(address, 'neither an IP address nor a CIDR block', 'Write it as 10.1.0.0/16 or 10.1.2.3.');
    } else if (address.includes('/') && resolution !== 'NONE' && resolution !== 'STATIC') {
      here.forbidden('CIDR addresses are allowed only for NONE/STATIC resolution types', 'Use single addresses.');
    }
  }
}

function checkEndpoints(place: Place, spec: ServiceEntrySpec): void {
  const resolution = spec.resolution ?? 'NONE';
  const endpoints = spec.endpoints ?? [];
  const here = place.at('endpoints');
  if (spec.endpoints !== undefined && spec.workloadSelector !== undefined) {
    here.conflict('only one of WorkloadSelector or Endpoints can be set', 'Remove workloadSelector or endpoints.');
  }
  if (resolution === 'NONE' && spec.endpoints !== undefined) {
    here.forbidden('NONE mode cannot set endpoints', 'Set resolution to STATIC or DNS, or remove the endpoints.');
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    here.forbidden('DNS_ROUND_ROBIN mode cannot have multiple endpoints', 'Keep one, or set resolution to DNS.');
  }
  if (resolution === 'DYNAMIC_DNS' && endpoints.length > 0) {
    here.forbidden('DYNAMIC_DNS mode resolves the host that was asked for', 'Remove the endpoints.');
  }
  const portNames = new Set((spec.ports ?? []).map(({ name }) => name));
  for (const [index, endpoint] of endpoints.entries()) {
    const at = here.at(index);
    checkWorkloadEntrySpec(at, endpoint, true);
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (!portNames.has(name)) {
        at.at('ports', name).notFound(name, 'no port of this service entry has the name', 'Use a name of spec.ports.');
      }
    }
    const address = endpoint.address ?? '';
    if (resolution === 'STATIC' && address !== '' && !address.startsWith('unix://') && isHostName(address)) {
      at.at('address').invalid(address, 'STATIC mode needs addresses', 'Use an IP address, or set resolution to DNS.');
    }
    if (resolution.startsWith('DNS') && address.startsWith('unix://')) {
      at.at('address').invalid(address, 'DNS cannot resolve a socket', 'Use a host name, or set resolution to STATIC.');
    }
  }
}

function checkHosts(place: Place, spec: ServiceEntrySpec): void {
  const resolution = spec.resolution ?? 'NONE';
  const byDns = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN';
  const seen = new Set<string>();
  for (const [index, host] of spec.hosts.entries()) {
    const here = place.at('hosts', index);
    if (seen.has(host.toLowerCase())) {
      here.duplicate(host, 'Name each host once.');
    }
    seen.add(host.toLowerCase());
    if (host === '*') {
      here.invalid(host, 'hostname cannot be wildcard', 'Name the hosts; `*.` and a name is allowed.');
    } else if (isIpAddress(host)) {
      here.invalid(host, 'not a host name', 'Put addresses into spec.addresses, and name a host.');
    } else {
      checkHostPattern(here, host);
    }
    if (byDns && (spec.endpoints ?? []).length === 0 && spec.workloadSelector === undefined && host.startsWith('*')) {
      here.invalid(
        host,
        `hosts must be FQDN if no endpoints are provided for resolution mode ${resolution}`,
        'Name the host in full, or add endpoints.',
      );
    }
  }
}

export function validateServiceEntry({ metadata, spec }: ServiceEntry): Violation[] {
  const root = Place.root();
  checkLoadBalancerAnnotation(root, metadata.annotations);
  const place = root.at('spec');
  checkHosts(place, spec);
  checkAddresses(place, spec);
  checkPorts(place.at('ports'), spec);
  checkHostsTellApart(place, spec);
  checkEndpoints(place, spec);
  checkWorkloadLabels(place.at('workloadSelector', 'labels'), spec.workloadSelector?.labels);
  checkExportTo(place.at('exportTo'), spec.exportTo, true);
  return root.violations;
}

import { isCidr, isIpAddress } from '../../format/address.ts';
import { checkLabels } from '../../format/labels.ts';
import { isLabel, isSubdomain } from '../../format/names.ts';
import { isPort, isPortName } from '../../format/ports.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import { checkLoadBalancerAnnotation } from '../load-balancer-annotation.ts';
import type { Service, ServicePort } from './service.ts';

type Spec = NonNullable<Service['spec']>;

function checkPorts(place: Place, ports: readonly ServicePort[]): void {
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const here = place.at(index);
    const name = port.name ?? '';
    if (name === '') {
      if (ports.length > 1) {
        here.at('name').required('a service with several ports needs a name for each', 'Name the port, such as http.');
      }
    } else if (!isLabel(name)) {
      here.at('name').invalid(name, 'not a valid port name', 'Use lower case letters, digits and `-`.');
    } else if (names.has(name)) {
      here.at('name').duplicate(name, 'Give each port a name of its own.');
    }
    names.add(name);
    const key = `${port.port}/${port.protocol ?? 'TCP'}`;
    if (numbers.has(key)) {
      here.at('port').duplicate(key, 'Remove one of the two ports or change its number.');
    }
    numbers.add(key);
    if (port.targetPort !== port.port) {
      checkTargetPort(here.at('targetPort'), port.targetPort);
    }
  }
}

function checkTargetPort(place: Place, target: number | string | undefined): void {
  if (typeof target === 'number' && !isPort(target)) {
    place.invalid(target, 'port must be between 1-65535', 'Use the number of the port that the workload listens on.');
  }
  if (typeof target === 'string' && !isPortName(target)) {
    place.invalid(
      target,
      'not a port name',
      'Use a number, or a name of at most 15 lower case letters, digits and `-` with a letter in it.',
    );
  }
}

function checkAddresses(place: Place, spec: Spec): void {
  const none = ['', 'None'];
  if (spec.clusterIP !== undefined && !none.includes(spec.clusterIP) && !isIpAddress(spec.clusterIP)) {
    place.at('clusterIP').invalid(spec.clusterIP, 'not an IP address', 'Use an address, `None`, or leave it out.');
  }
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    if (!none.includes(address) && !isIpAddress(address)) {
      place.at('clusterIPs', index).invalid(address, 'not an IP address', 'Use an address or `None`.');
    }
  }
  const first = spec.clusterIPs?.[0];
  if (first !== undefined && spec.clusterIP !== undefined && first !== spec.clusterIP) {
    place.at('clusterIPs', 0).invalid(first, `not the same as clusterIP ${spec.clusterIP}`, 'Make the two equal.');
  }
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    if (!isIpAddress(address)) {
      place.at('externalIPs', index).invalid(address, 'not an IP address', 'Use an IPv4 or IPv6 address.');
    }
  }
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    if (!isCidr(range.trim())) {
      place.at('loadBalancerSourceRanges', index).invalid(range, 'not a CIDR block', 'Write it as 10.0.0.0/8.');
    }
  }
}

function checkType(place: Place, spec: Spec): void {
  if (spec.type === 'ExternalName') {
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') {
      place.at('externalName').required('a service of type ExternalName needs it', 'Name a host.');
    } else if (!isSubdomain(name)) {
      place.at('externalName').invalid(spec.externalName, 'not a host name', 'Use a DNS name such as db.example.com.');
    }
    if (spec.clusterIP !== undefined && spec.clusterIP !== '') {
      place
        .at('clusterIP')
        .forbidden('a service of type ExternalName has no address', 'Remove clusterIP or change the type.');
    }
  } else if ((spec.ports ?? []).length === 0 && spec.clusterIP !== 'None') {
    place.at('ports').required('a service needs a port', 'Add a port, or set clusterIP to None.');
  }
  if (spec.sessionAffinityConfig?.clientIP !== undefined && spec.sessionAffinity !== 'ClientIP') {
    place
      .at('sessionAffinityConfig')
      .forbidden('sessionAffinity is not ClientIP', 'Remove it or set sessionAffinity to ClientIP.');
  }
}

export function validateService(service: Service): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  const spec = service.spec ?? {};
  checkType(place, spec);
  checkPorts(place.at('ports'), spec.ports ?? []);
  checkAddresses(place, spec);
  checkLabels(place.at('selector'), spec.selector);
  checkLoadBalancerAnnotation(root, service.metadata.annotations);
  return root.violations;
}

export function validateServiceUpdate(service: Service, previous: Service): Violation[] {
  const root = Place.root();
  const before = previous.spec?.clusterIP ?? '';
  const after = service.spec?.clusterIP ?? '';
  if (before !== '' && after !== before && service.spec?.type !== 'ExternalName') {
    root.at('spec', 'clusterIP').forbidden(`it is ${before} and cannot be changed`, `Leave it at ${before}.`);
  }
  return root.violations;
}

import { isIpAddress } from '../../format/address.ts';
import { isQualifiedName } from '../../format/labels.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { KubeGateway, KubeListener } from './gateway.ts';
import type { ListenerSet } from './listener-set.ts';
import { checkSelector } from './selector-checks.ts';

const hostPattern = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Longest prefix of a label's or an annotation's key. */
const prefixLengthMax = 252;

function checkListener(place: Place, { protocol, hostname, tls, allowedRoutes }: KubeListener): void {
  const plain = protocol === 'HTTP' || protocol === 'TCP' || protocol === 'UDP';
  if (plain && tls !== undefined) {
    place
      .at('tls')
      .forbidden(`a listener of protocol ${protocol} has no TLS`, 'Remove it, or set protocol to HTTPS or TLS.');
  }
  if (protocol === 'HTTPS' && (tls?.mode ?? 'Terminate') !== 'Terminate') {
    place.at('tls', 'mode').invalid(tls?.mode, 'HTTPS ends at the Gateway', 'Use Terminate, or set protocol to TLS.');
  }
  if (protocol === 'TLS' && tls === undefined) {
    place.at('tls').required('a listener of protocol TLS needs it', 'Add tls.mode: Passthrough, or a certificate.');
  }
  if ((protocol === 'TCP' || protocol === 'UDP') && (hostname ?? '') !== '') {
    place.at('hostname').forbidden(`nothing in ${protocol} names a host`, 'Remove it.');
  }
  if (tls !== undefined && (tls.mode ?? 'Terminate') === 'Terminate') {
    const certificates = tls.certificateRefs?.length ?? 0;
    if (certificates === 0 && Object.keys(tls.options ?? {}).length === 0) {
      place
        .at('tls', 'certificateRefs')
        .required('TLS cannot end here without a certificate', 'Refer to a Secret of type kubernetes.io/tls.');
    }
  }
  checkSelector(place.at('allowedRoutes', 'namespaces', 'selector'), allowedRoutes?.namespaces?.selector);
}

function checkListeners(place: Place, listeners: readonly KubeListener[]): void {
  const sockets = new Map<string, string>();
  for (const [index, listener] of listeners.entries()) {
    const here = place.at(index);
    checkListener(here, listener);
    const key = JSON.stringify([listener.port, listener.protocol, listener.hostname]);
    const other = sockets.get(key);
    if (other !== undefined) {
      here.conflict(
        `listener ${other} has the same port, protocol and hostname`,
        'Change one of the three, or remove one of the two listeners.',
      );
    }
    sockets.set(key, other ?? listener.name);
  }
}

interface Address {
  readonly type?: string | undefined;
  readonly value?: string | undefined;
}

function checkAddresses(place: Place, addresses: readonly Address[]): void {
  const seen = new Set<string>();
  for (const [index, { type = 'IPAddress', value }] of addresses.entries()) {
    if (value === undefined) {
      continue;
    }
    const here = place.at(index, 'value');
    if (type === 'IPAddress' && !isIpAddress(value)) {
      here.invalid(value, 'not an IP address', 'Write an IPv4 or IPv6 address, or set type to Hostname.');
    }
    if (type === 'Hostname' && !hostPattern.test(value)) {
      here.invalid(value, 'not a host name', 'Write it as gateway.example.com, or leave the value out.');
    }
    const key = JSON.stringify([type, value]);
    if ((type === 'IPAddress' || type === 'Hostname') && seen.has(key)) {
      here.duplicate(value, 'Name each address once.');
    }
    seen.add(key);
  }
}

function checkKeys(place: Place, pairs: Readonly<Record<string, string>> | undefined): void {
  for (const key of Object.keys(pairs ?? {})) {
    if (!isQualifiedName(key) || key.indexOf('/') > prefixLengthMax) {
      place
        .at(key)
        .invalid(
          key,
          'not the key of a label or annotation',
          'Use `name` or `prefix/name`: the name at most 63 characters, the prefix a DNS name of at most 252.',
        );
    }
  }
}

export function validateGateway({ spec, status }: KubeGateway): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  checkListeners(place.at('listeners'), spec.listeners);
  checkAddresses(place.at('addresses'), spec.addresses ?? []);
  checkSelector(place.at('allowedListeners', 'namespaces', 'selector'), spec.allowedListeners?.namespaces?.selector);
  checkKeys(place.at('infrastructure', 'labels'), spec.infrastructure?.labels);
  checkKeys(place.at('infrastructure', 'annotations'), spec.infrastructure?.annotations);
  checkAddresses(root.at('status', 'addresses'), status?.addresses ?? []);
  return root.violations;
}

export function validateListenerSet({ spec }: ListenerSet): Violation[] {
  const root = Place.root();
  checkListeners(root.at('spec', 'listeners'), spec.listeners);
  return root.violations;
}

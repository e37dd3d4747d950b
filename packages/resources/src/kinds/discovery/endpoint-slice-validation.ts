import { isIP } from 'node:net';
import { isIpAddress } from '../../format/address.ts';
import { isHostName } from '../../format/hosts.ts';
import { checkName } from '../../format/names.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { Endpoint, EndpointSlice } from './endpoint-slice.ts';

/** Most addresses that one endpoint may have. */
const addressesMax = 100;

function isOfType(address: string, type: EndpointSlice['addressType']): boolean {
  return type === 'FQDN' ? isHostName(address) : isIpAddress(address) && isIP(address) === (type === 'IPv4' ? 4 : 6);
}

function checkEndpoint(place: Place, endpoint: Endpoint, type: EndpointSlice['addressType']): void {
  if (endpoint.addresses.length === 0) {
    place.at('addresses').required('an endpoint needs an address', 'Add one.');
  }
  if (endpoint.addresses.length > addressesMax) {
    place.at('addresses').tooLong(`more than ${addressesMax} addresses`, 'Make an endpoint for each.');
  }
  for (const [index, address] of endpoint.addresses.entries()) {
    if (!isOfType(address, type)) {
      place.at('addresses', index).invalid(address, `not an address of type ${type}`, 'Use an address of that type.');
    }
  }
  if (endpoint.hostname !== undefined && endpoint.hostname !== '') {
    checkName(place.at('hostname'), endpoint.hostname, 'label');
  }
}

export function validateEndpointSlice(slice: EndpointSlice): Violation[] {
  const root = Place.root();
  for (const [index, endpoint] of (slice.endpoints ?? []).entries()) {
    checkEndpoint(root.at('endpoints', index), endpoint, slice.addressType);
  }
  const names = new Set<string>();
  for (const [index, { name = '' }] of (slice.ports ?? []).entries()) {
    const here = root.at('ports', index, 'name');
    if (names.has(name)) {
      here.duplicate(name, 'Give each port a name of its own.');
    }
    names.add(name);
    if (name !== '') {
      checkName(here, name, 'label');
    }
  }
  return root.violations;
}

export function validateEndpointSliceUpdate(slice: EndpointSlice, previous: EndpointSlice): Violation[] {
  const root = Place.root();
  if (slice.addressType !== previous.addressType) {
    root
      .at('addressType')
      .forbidden(`it is ${previous.addressType} and cannot be changed`, 'Delete the slice and create it anew.');
  }
  return root.violations;
}

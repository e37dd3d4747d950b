import type { z } from 'zod';
import type { Immutable } from '../../declare-kind.ts';
import { isIpAddress } from '../../format/address.ts';
import { isHostName } from '../../format/hosts.ts';
import { checkLabels } from '../../format/labels.ts';
import { checkName } from '../../format/names.ts';
import type { Place } from '../../place.ts';
import { checkUnixAddress, isUnixAddress } from './istio-checks.ts';
import type { workloadEntrySpec } from './workload-entry-schema.ts';

export type WorkloadEntrySpec = Immutable<z.infer<ReturnType<typeof workloadEntrySpec>>>;

function checkAddress(place: Place, address: string): void {
  if (isUnixAddress(address)) {
    checkUnixAddress(place, address);
  } else if (!isIpAddress(address) && !isHostName(address)) {
    place.invalid(
      address,
      'neither an IP address nor a host name',
      'Use an IPv4 or IPv6 address without port, a DNS name, or unix:// and the path of a socket.',
    );
  }
}

/** Rules for a workload entry wherever it stands. A template (`addressNeeded` false) may leave the address to the workload. */
export function checkWorkloadEntrySpec(place: Place, spec: WorkloadEntrySpec, addressNeeded: boolean): void {
  const address = spec.address ?? '';
  if (address !== '') {
    checkAddress(place.at('address'), address);
  } else if (addressNeeded && (spec.network ?? '') === '') {
    place
      .at('address')
      .required('Address is required', 'Give the address of the workload, or the network that it is reached through.');
  }
  if (isUnixAddress(address) && spec.ports !== undefined) {
    place.at('ports').forbidden('UDS may not include ports', 'Remove the ports: a Unix socket has none.');
  }
  for (const name of Object.keys(spec.ports ?? {})) {
    if (name.length >= 63 || !/^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name)) {
      place
        .at('ports')
        .invalid(
          name,
          'port name must be valid',
          'Use letters, digits and `-`, at most 62 of them, as in the service.',
        );
    }
  }
  if (spec.serviceAccount !== undefined && spec.serviceAccount !== '') {
    checkName(place.at('serviceAccount'), spec.serviceAccount, 'subdomain');
  }
  checkLabels(place.at('labels'), spec.labels);
}

import { BlockList, isIPv6 } from 'node:net';
import type { ServiceEntry, TcpMatchSpec } from '../kinds.ts';
import type { ServiceModel } from '../state/service-model.ts';

/**
 * Addresses by which a service is known, single ones or blocks: `addresses` of a ServiceEntry. Nothing is intercepted, so that they stand for the
 * address that the client connects to.
 */
export function knownAddresses(model: ServiceModel | undefined): readonly string[] {
  return model?.object.kind === 'ServiceEntry' ? ((model.object as ServiceEntry).spec.addresses ?? []) : [];
}

/**
 * Whether what a match says about addresses holds for a destination that has these. One that is for the networks of some clients never does, as
 * nobody looks at those: the rule would be for all of them otherwise.
 */
export function addressesMatch(
  { destinationSubnets = [], sourceSubnet = '' }: Pick<TcpMatchSpec, 'destinationSubnets' | 'sourceSubnet'>,
  addresses: readonly string[],
): boolean {
  return (
    sourceSubnet === '' &&
    (destinationSubnets.length === 0 ||
      destinationSubnets.some((subnet) => addresses.some((address) => contains(subnet, address))))
  );
}

/** Both are an address or `address/prefix length`. */
function contains(subnet: string, inner: string): boolean {
  const [network, address] = [partsOf(subnet), partsOf(inner)];
  if (network.family !== address.family || network.bits > address.bits) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(network.address, network.bits, network.family);
  return list.check(address.address, address.family);
}

function partsOf(text: string): { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' } {
  const [address = '', bits] = text.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  return { address, bits: bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family };
}

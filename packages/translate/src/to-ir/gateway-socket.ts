import type { GatewayChain, GatewayVirtualHost, OriginRef, OutboundCluster } from '@weft/ir';

/** What a gateway's proxy opens on one port of its Gateways, of whichever kind they are. */
export interface GatewaySocket {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** An IP address or `unix://` and the path of a socket; undefined: that of the gateway. */
  readonly address?: string;
  readonly chains: readonly GatewayChain[];
  readonly virtualHosts: readonly GatewayVirtualHost[];
  readonly clusters: readonly OutboundCluster[];
  /** Of the socket and its chains. */
  readonly origins: readonly OriginRef[];
}

/**
 * Which chain has a name of the socket, in lower case, `*` included. undefined: connections for it are closed, and nobody answers for it.
 *
 * A request belongs to the chain that has the most specific name for its authority, whichever chain the client's server name chose. All chains
 * of a socket share one list of virtual hosts, each of which names its chain: with lists of their own, each of n chains would have to hold the
 * names of all others to tell a misdirected request (421) from one that nobody takes (404).
 */
export type NameOwners = ReadonlyMap<string, string | undefined>;

/** What {@link GatewayVirtualHost.chain} says of a name's owner: a socket of one chain has nowhere else to send a request. */
export function onlyBy(chains: readonly GatewayChain[], owner: string | undefined): string | undefined {
  return chains.length > 1 ? owner : undefined;
}

/** The names of a chain of a socket that connections come to by server name, each with its owner. */
export function chainNames({
  name,
  serverNames,
  traffic,
}: GatewayChain): readonly (readonly [string, string | undefined])[] {
  const owner = traffic.kind === 'tcp' && traffic.destinations.length === 0 ? undefined : name;
  return (serverNames.length === 0 ? ['*'] : serverNames).map((host) => [host, owner]);
}

import type { GatewayChain, OriginRef, OutboundCluster } from '@weft/ir';

/** What a gateway's proxy opens on one port of its Gateways, of whichever kind they are. */
export interface GatewaySocket {
  readonly port: number;
  readonly chains: readonly GatewayChain[];
  readonly clusters: readonly OutboundCluster[];
  readonly origins: readonly OriginRef[];
}

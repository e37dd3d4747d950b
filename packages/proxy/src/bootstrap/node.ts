import type { Node } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import type { Bootstrap } from './bootstrap.ts';

/** How the proxy introduces itself to a control plane. */
export function nodeFromBootstrap({ node }: Bootstrap, version: string): Node {
  return {
    id: node.id,
    cluster: node.cluster,
    metadata: { ...node.metadata },
    dynamicParameters: {},
    locality: node.locality,
    userAgentName: 'weft',
    userAgentVersionType: { $case: 'userAgentVersion', value: version },
    extensions: [],
    clientFeatures: ['envoy.lrs.supports_send_all_clusters'],
    listeningAddresses: [],
  };
}

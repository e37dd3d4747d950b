import { typeUrls } from '@weft/xds-types';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfig,
} from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { localClusterName } from '../names.ts';
import { fromAds } from './core.ts';
import { create, type XdsMessage, xdsMessage } from './message.ts';

/**
 * The cluster of the proxy's own peers, to which nothing is sent. Envoy has it from its bootstrap, where alone it can be the local cluster, and
 * leaves it as it is: what static resources have CDS cannot change.
 */
export const localClusterMessage: XdsMessage = xdsMessage(
  typeUrls.cluster,
  localClusterName,
  Cluster,
  create(Cluster, {
    name: localClusterName,
    clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: create(Cluster_EdsClusterConfig, { edsConfig: fromAds }),
  }),
  [],
);

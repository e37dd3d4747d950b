import { typeUrls } from '@weft/xds-types';
import {
  Cluster,
  Cluster_DiscoveryType,
  Cluster_EdsClusterConfig,
} from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { fromAds } from '../core.ts';
import { create, type XdsMessage, xdsMessage } from '../message.ts';

/** Name of a cluster without endpoints: where calls go that have nowhere to go. */
export const nowhereName = 'nowhere';

export const nowhereMessages: readonly XdsMessage[] = [
  xdsMessage(
    typeUrls.cluster,
    nowhereName,
    Cluster,
    create(Cluster, {
      name: nowhereName,
      clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: create(Cluster_EdsClusterConfig, { edsConfig: fromAds }),
    }),
    [],
  ),
  xdsMessage(
    typeUrls.endpoint,
    nowhereName,
    ClusterLoadAssignment,
    create(ClusterLoadAssignment, { clusterName: nowhereName }),
    [],
  ),
];

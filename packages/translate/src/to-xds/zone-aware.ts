import type { ZoneAware } from '@weft/ir';
import type { Cluster_CommonLbConfig_ZoneAwareLbConfig } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { Percent } from '@weft/xds-types/envoy/type/v3/percent.ts';
import { create } from './message.ts';

/**
 * What both kinds of `ZoneAwareLbConfig` have. It is switched off where nobody asks for it: a proxy that knows its peers balances every cluster
 * of six endpoints or more by zone unless it is told not to.
 */
export function zoneFields(
  zoneAware: ZoneAware | undefined,
): Pick<Cluster_CommonLbConfig_ZoneAwareLbConfig, 'routingEnabled' | 'minClusterSize'> {
  if (zoneAware === undefined) {
    return { routingEnabled: create(Percent, { value: 0 }), minClusterSize: undefined };
  }
  const { minClusterSize } = zoneAware;
  return {
    routingEnabled: undefined,
    minClusterSize: minClusterSize === undefined ? undefined : BigInt(minClusterSize),
  };
}

import type { Destination, TcpLimits } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { Filter } from '@weft/xds-types/envoy/config/listener/v3/listener_components.ts';
import {
  TcpProxy,
  TcpProxy_TunnelingConfig,
  TcpProxy_WeightedCluster,
  TcpProxy_WeightedCluster_ClusterWeight,
} from '@weft/xds-types/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { HashPolicy, HashPolicy_SourceIp } from '@weft/xds-types/envoy/type/v3/hash_policy.ts';
import { accessLogs } from './access-log.ts';
import { duration } from './core.ts';
import { create } from './message.ts';

const bySourceIp = create(HashPolicy, {
  policySpecifier: { $case: 'sourceIp', value: create(HashPolicy_SourceIp, {}) },
});

/** @param destinations at least one. */
export function tcpProxyFilter(
  statPrefix: string,
  destinations: readonly Pick<Destination, 'cluster' | 'weight'>[],
  accessLogPath: string | undefined,
  limits?: TcpLimits,
): Filter {
  const [only] = destinations;
  const proxy = create(TcpProxy, {
    statPrefix,
    clusterSpecifier:
      destinations.length === 1 && only !== undefined
        ? { $case: 'cluster', value: only.cluster }
        : {
            $case: 'weightedClusters',
            value: create(TcpProxy_WeightedCluster, {
              clusters: destinations.map(({ cluster, weight }) =>
                create(TcpProxy_WeightedCluster_ClusterWeight, { name: cluster, weight }),
              ),
            }),
          },
    // 0 switches it off in Envoy as well.
    idleTimeout: limits?.idleTimeoutMs === undefined ? undefined : duration(limits.idleTimeoutMs),
    maxDownstreamConnectionDuration: limits?.maxDurationMs === undefined ? undefined : duration(limits.maxDurationMs),
    tunnelingConfig:
      limits?.tunnel === undefined
        ? undefined
        : create(TcpProxy_TunnelingConfig, { hostname: limits.tunnel.to, usePost: limits.tunnel.method === 'POST' }),
    hashPolicy: limits?.bySourceIp === true ? [bySourceIp] : [],
    accessLog: accessLogs(accessLogPath),
  });
  return create(Filter, {
    name: 'envoy.filters.network.tcp_proxy',
    configType: {
      $case: 'typedConfig',
      value: packAny('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', TcpProxy, proxy),
    },
  });
}

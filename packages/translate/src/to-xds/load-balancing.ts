import type { OutboundCluster, OutlierDetection, SlowStart } from '@weft/ir';
import {
  type Cluster,
  Cluster_CommonLbConfig,
  Cluster_CommonLbConfig_ConsistentHashingLbConfig,
  Cluster_CommonLbConfig_LocalityWeightedLbConfig,
  Cluster_CommonLbConfig_ZoneAwareLbConfig,
  Cluster_LbPolicy,
  Cluster_LeastRequestLbConfig,
  Cluster_MaglevLbConfig,
  Cluster_RingHashLbConfig,
  Cluster_RoundRobinLbConfig,
  Cluster_SlowStartConfig,
} from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { OutlierDetection as OutlierDetectionMessage } from '@weft/xds-types/envoy/config/cluster/v3/outlier_detection.ts';
import { RuntimeDouble } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { Percent } from '@weft/xds-types/envoy/type/v3/percent.ts';
import { duration } from './core.ts';
import { create } from './message.ts';
import { peakEwmaPolicy } from './peak-ewma.ts';
import { zoneFields } from './zone-aware.ts';

type LoadBalancing = Pick<Cluster, 'lbPolicy' | 'lbConfig' | 'commonLbConfig' | 'loadBalancingPolicy'>;

/** How a cluster chooses among its endpoints. */
export function loadBalancing(cluster: OutboundCluster): Partial<LoadBalancing> {
  return { ...policy(cluster), ...commonSettings(cluster) };
}

function commonSettings(cluster: OutboundCluster): Pick<LoadBalancing, 'commonLbConfig'> | undefined {
  const { panicPercent, loadBalancer } = cluster;
  const localities = localityConfig(cluster);
  const bound = 'boundedLoadPercent' in loadBalancer ? loadBalancer.boundedLoadPercent : undefined;
  if (panicPercent === undefined && localities === undefined && bound === undefined) {
    return undefined;
  }
  return {
    commonLbConfig: create(Cluster_CommonLbConfig, {
      ...(panicPercent === undefined ? {} : { healthyPanicThreshold: create(Percent, { value: panicPercent }) }),
      ...(bound === undefined
        ? {}
        : {
            consistentHashingLbConfig: create(Cluster_CommonLbConfig_ConsistentHashingLbConfig, {
              hashBalanceFactor: bound,
            }),
          }),
      ...(localities === undefined ? {} : { localityConfigSpecifier: localities }),
    }),
  };
}

/** How localities count; undefined where the policy says it by itself, or knows no zones. */
function localityConfig({
  loadBalancer: { kind },
  byLocalityWeight,
  zoneAware,
}: OutboundCluster): Cluster_CommonLbConfig['localityConfigSpecifier'] {
  if (kind === 'peak-ewma') {
    return undefined;
  }
  if (byLocalityWeight) {
    return { $case: 'localityWeightedLbConfig', value: create(Cluster_CommonLbConfig_LocalityWeightedLbConfig, {}) };
  }
  return kind === 'ring-hash' || kind === 'maglev'
    ? undefined
    : { $case: 'zoneAwareLbConfig', value: create(Cluster_CommonLbConfig_ZoneAwareLbConfig, zoneFields(zoneAware)) };
}

function policy(cluster: OutboundCluster): Partial<LoadBalancing> {
  const { loadBalancer, slowStart } = cluster;
  const slowStartConfig = slowStart === undefined ? undefined : slowStartMessage(slowStart);
  switch (loadBalancer.kind) {
    case 'round-robin':
      return {
        lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
        ...(slowStartConfig === undefined
          ? {}
          : {
              lbConfig: {
                $case: 'roundRobinLbConfig',
                value: create(Cluster_RoundRobinLbConfig, { slowStartConfig }),
              },
            }),
      };
    case 'peak-ewma':
      return {
        lbPolicy: Cluster_LbPolicy.LOAD_BALANCING_POLICY_CONFIG,
        loadBalancingPolicy: peakEwmaPolicy(cluster, slowStartConfig),
      };
    case 'least-request': {
      const { choiceCount, activeRequestBias: bias } = loadBalancer;
      const isDefault = slowStartConfig === undefined && choiceCount === undefined && bias === undefined;
      const activeRequestBias =
        bias === undefined
          ? undefined
          : create(RuntimeDouble, { defaultValue: bias, runtimeKey: 'weft.least_request.active_request_bias' });
      return {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        ...(isDefault
          ? {}
          : {
              lbConfig: {
                $case: 'leastRequestLbConfig',
                value: create(Cluster_LeastRequestLbConfig, { choiceCount, activeRequestBias, slowStartConfig }),
              },
            }),
      };
    }
    case 'random':
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case 'ring-hash':
      return {
        lbPolicy: Cluster_LbPolicy.RING_HASH,
        lbConfig: {
          $case: 'ringHashLbConfig',
          value: create(Cluster_RingHashLbConfig, { minimumRingSize: BigInt(loadBalancer.minimumRingSize) }),
        },
      };
    case 'maglev':
      return {
        lbPolicy: Cluster_LbPolicy.MAGLEV,
        lbConfig: {
          $case: 'maglevLbConfig',
          value: create(Cluster_MaglevLbConfig, { tableSize: BigInt(loadBalancer.tableSize) }),
        },
      };
  }
}

function slowStartMessage({ windowMs, minimumPercent, aggression }: SlowStart): Cluster_SlowStartConfig {
  return create(Cluster_SlowStartConfig, {
    slowStartWindow: duration(windowMs),
    minWeightPercent: minimumPercent === undefined ? undefined : create(Percent, { value: minimumPercent }),
    aggression:
      aggression === undefined
        ? undefined
        : create(RuntimeDouble, { defaultValue: aggression, runtimeKey: 'weft.slow_start.aggression' }),
  });
}

/** What is not looked at is not enforced, where Envoy would by default. */
export function outlierDetection(outlier: OutlierDetection): OutlierDetectionMessage {
  const { consecutive5xx, consecutiveGatewayErrors, consecutiveLocalErrors } = outlier;
  const enforcingSuccessRate = outlier.bySuccessRate === true ? 100 : 0;
  return create(OutlierDetectionMessage, {
    ...(consecutive5xx === undefined ? { enforcingConsecutive5xx: 0 } : { consecutive5xx }),
    ...(consecutiveGatewayErrors === undefined
      ? {}
      : { consecutiveGatewayFailure: consecutiveGatewayErrors, enforcingConsecutiveGatewayFailure: 100 }),
    ...(consecutiveLocalErrors === undefined
      ? {}
      : {
          splitExternalLocalOriginErrors: true,
          consecutiveLocalOriginFailure: consecutiveLocalErrors,
          enforcingConsecutiveLocalOriginFailure: 100,
          enforcingLocalOriginSuccessRate: enforcingSuccessRate,
        }),
    enforcingSuccessRate,
    interval: duration(outlier.intervalMs),
    baseEjectionTime: duration(outlier.baseEjectionMs),
    maxEjectionPercent: outlier.maxEjectionPercent,
  });
}

import type { OutboundCluster, OutlierDetection } from '@weft/ir';
import {
  type Cluster,
  Cluster_CommonLbConfig,
  Cluster_LbPolicy,
  Cluster_LeastRequestLbConfig,
  Cluster_MaglevLbConfig,
  Cluster_RingHashLbConfig,
  Cluster_RoundRobinLbConfig,
  Cluster_SlowStartConfig,
} from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { OutlierDetection as OutlierDetectionMessage } from '@weft/xds-types/envoy/config/cluster/v3/outlier_detection.ts';
import { Percent } from '@weft/xds-types/envoy/type/v3/percent.ts';
import { duration } from './core.ts';
import { create } from './message.ts';

type LoadBalancing = Pick<Cluster, 'lbPolicy' | 'lbConfig' | 'commonLbConfig'>;

/** How a cluster chooses among its endpoints. */
export function loadBalancing(cluster: OutboundCluster): Partial<LoadBalancing> {
  const { panicPercent } = cluster;
  return {
    ...policy(cluster),
    ...(panicPercent === undefined
      ? {}
      : {
          commonLbConfig: create(Cluster_CommonLbConfig, {
            healthyPanicThreshold: create(Percent, { value: panicPercent }),
          }),
        }),
  };
}

function policy({ loadBalancer, slowStartMs }: OutboundCluster): Partial<LoadBalancing> {
  const slowStartConfig =
    slowStartMs === undefined ? undefined : create(Cluster_SlowStartConfig, { slowStartWindow: duration(slowStartMs) });
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
    case 'least-request':
    case 'peak-ewma':
      return {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        ...(slowStartConfig === undefined
          ? {}
          : {
              lbConfig: {
                $case: 'leastRequestLbConfig',
                value: create(Cluster_LeastRequestLbConfig, { slowStartConfig }),
              },
            }),
      };
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

/** What is not looked at is not enforced, where Envoy would by default. */
export function outlierDetection(outlier: OutlierDetection): OutlierDetectionMessage {
  const { consecutive5xx, consecutiveGatewayErrors, consecutiveLocalErrors } = outlier;
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
        }),
    enforcingSuccessRate: 0,
    interval: duration(outlier.intervalMs),
    baseEjectionTime: duration(outlier.baseEjectionMs),
    maxEjectionPercent: outlier.maxEjectionPercent,
  });
}

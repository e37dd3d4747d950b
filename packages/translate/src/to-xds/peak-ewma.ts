import type { OutboundCluster } from '@weft/ir';
import { BinaryWriter, packAny } from '@weft/xds-types';
import { LoadBalancingPolicy, LoadBalancingPolicy_Policy } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { TypedExtensionConfig } from '@weft/xds-types/envoy/config/core/v3/extension.ts';
import {
  LocalityLbConfig,
  LocalityLbConfig_LocalityWeightedLbConfig,
  LocalityLbConfig_ZoneAwareLbConfig,
  SlowStartConfig,
} from '@weft/xds-types/envoy/extensions/load_balancing_policies/common/v3/common.ts';
import { LeastRequest } from '@weft/xds-types/envoy/extensions/load_balancing_policies/least_request/v3/least_request.ts';
import { create } from './message.ts';
import { zoneFields } from './zone-aware.ts';

const PEAK_EWMA = 'weft.load_balancing_policies.peak_ewma.v1.PeakEwma';
const LEAST_REQUEST = 'envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest';

/** Our proxies take the first of the two (docs/proxy.md, "Load balancing"); Envoy, which does not know it, the second. */
export function peakEwmaPolicy(
  { byLocalityWeight, zoneAware }: OutboundCluster,
  slowStartConfig: SlowStartConfig | undefined,
): LoadBalancingPolicy {
  const localityLbConfig = create(LocalityLbConfig, {
    localityConfigSpecifier: byLocalityWeight
      ? { $case: 'localityWeightedLbConfig', value: create(LocalityLbConfig_LocalityWeightedLbConfig, {}) }
      : { $case: 'zoneAwareLbConfig', value: create(LocalityLbConfig_ZoneAwareLbConfig, zoneFields(zoneAware)) },
  });
  const ours = new BinaryWriter();
  ours.uint32(26).bytes(LocalityLbConfig.encode(localityLbConfig).finish());
  if (slowStartConfig !== undefined) {
    ours.uint32(34).bytes(SlowStartConfig.encode(slowStartConfig).finish());
  }
  const theirs = create(LeastRequest, { localityLbConfig, slowStartConfig });
  return create(LoadBalancingPolicy, {
    policies: [
      { name: PEAK_EWMA, typedConfig: { typeUrl: `type.googleapis.com/${PEAK_EWMA}`, value: ours.finish() } },
      { name: LEAST_REQUEST, typedConfig: packAny(LEAST_REQUEST, LeastRequest, theirs) },
    ].map((config) =>
      create(LoadBalancingPolicy_Policy, { typedExtensionConfig: create(TypedExtensionConfig, config) }),
    ),
  });
}

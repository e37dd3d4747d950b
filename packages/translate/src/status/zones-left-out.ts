import { meshDefaults } from '../defaults.ts';
import type { DestinationRule, PolicySpec, TrafficPolicySpec } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { balancing, isZoneAware } from '../to-ir/load-balancer.ts';
import { enginesOf } from './proxies.ts';

/** Where a DestinationRule asks for zone-aware balancing and some clients, or all, go by regions alone: paths of the fields, with the reason. */
export function zonesLeftOut(state: MeshState, { metadata, spec }: DestinationRule): readonly string[] {
  const asking = [
    ...policiesOf('spec.trafficPolicy', spec?.trafficPolicy),
    ...(spec?.subsets ?? []).flatMap(({ trafficPolicy }, index) =>
      policiesOf(`spec.subsets[${index}].trafficPolicy`, trafficPolicy),
    ),
  ].filter(([, { loadBalancer }]) => isZoneAware(loadBalancer));
  const { namespace = '' } = metadata;
  const service = state.resolveHost(spec?.host ?? '', namespace, namespace);
  const defaults = meshDefaults[state.settings.defaults];
  const isProxyless = enginesOf(state).includes('grpc');
  return asking.flatMap(([path, { loadBalancer }]) => {
    const field = `${path}.loadBalancer.zoneAwareLbSetting`;
    if (balancing(loadBalancer, service?.prefers, defaults).zoneAware === undefined) {
      return [`${field} (endpoints are chosen by hash, only regions count)`];
    }
    return isProxyless ? [`${field} (workloads without a proxy go to all zones of their region alike)`] : [];
  });
}

function policiesOf(path: string, policy: TrafficPolicySpec | undefined): readonly (readonly [string, PolicySpec])[] {
  return policy === undefined
    ? []
    : [
        [path, policy],
        ...(policy.portLevelSettings ?? []).map(
          (settings, index) => [`${path}.portLevelSettings[${index}]`, settings] as const,
        ),
      ];
}

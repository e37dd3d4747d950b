import type { HashPolicy, LoadBalancer, OutboundCluster } from '@weft/ir';
import { parseDurationMs } from '@weft/resources';
import { commonDefaults, type MeshDefaults } from '../defaults.ts';
import type { PolicySpec } from '../kinds.ts';
import type { ServiceModel } from '../state/service-model.ts';

type LoadBalancerSpec = NonNullable<PolicySpec['loadBalancer']>;

const simple: Readonly<Record<string, LoadBalancer>> = {
  ROUND_ROBIN: { kind: 'round-robin' },
  LEAST_REQUEST: { kind: 'least-request' },
  LEAST_CONN: { kind: 'least-request' },
  RANDOM: { kind: 'random' },
  // Clients ask for a name, so there is no address of theirs to go to: no endpoint is preferred.
  PASSTHROUGH: { kind: 'random' },
};

/**
 * How a cluster chooses among its endpoints.
 * @param prefers what the service asks for where no policy says how to choose (`sessionAffinity: ClientIP`, or the annotation).
 */
export function balancing(
  spec: LoadBalancerSpec | undefined,
  prefers: ServiceModel['prefers'],
  defaults: MeshDefaults,
): Pick<OutboundCluster, 'loadBalancer' | 'hash' | 'slowStart' | 'zoneAware'> {
  const { consistentHash } = spec ?? {};
  if (consistentHash !== undefined) {
    return { loadBalancer: hashing(consistentHash), hash: hashOf(consistentHash), slowStart: undefined };
  }
  const chosen = simple[spec?.simple ?? ''];
  if (chosen === undefined && prefers === 'source-ip') {
    const loadBalancer = { kind: 'ring-hash', minimumRingSize: commonDefaults.ringSize } as const;
    return { loadBalancer, hash: { kind: 'source-ip' }, slowStart: undefined };
  }
  const preferred: LoadBalancer = prefers === 'peak-ewma' ? { kind: prefers } : defaults.loadBalancer;
  return {
    loadBalancer: chosen ?? preferred,
    hash: undefined,
    slowStart: slowStart(spec, chosen),
    ...(isZoneAware(spec) ? { zoneAware: { minClusterSize: spec?.zoneAwareLbSetting?.minClusterSize } } : {}),
  };
}

/** Whether the own region comes first, and in it the own zone as far as that keeps the load even. */
export function isZoneAware(spec: LoadBalancerSpec | undefined): boolean {
  return spec?.zoneAwareLbSetting !== undefined && spec.zoneAwareLbSetting.enabled !== false;
}

function hashing(spec: NonNullable<LoadBalancerSpec['consistentHash']>): LoadBalancer {
  return spec.maglev === undefined
    ? {
        kind: 'ring-hash',
        minimumRingSize: spec.ringHash?.minimumRingSize ?? spec.minimumRingSize ?? commonDefaults.ringSize,
      }
    : { kind: 'maglev', tableSize: spec.maglev.tableSize ?? commonDefaults.tableSize };
}

function hashOf(spec: NonNullable<LoadBalancerSpec['consistentHash']>): HashPolicy | undefined {
  const { httpHeaderName, httpCookie, httpQueryParameterName } = spec;
  if (httpHeaderName !== undefined) {
    return { kind: 'header', name: httpHeaderName };
  }
  if (httpCookie !== undefined) {
    const ttlMs = httpCookie.ttl === undefined ? undefined : parseDurationMs(httpCookie.ttl);
    const { name, path = '', attributes = [] } = httpCookie;
    return {
      kind: 'cookie',
      name,
      path,
      ttlMs,
      attributes: attributes.map((attribute) => ({ name: attribute.name, value: attribute.value ?? '' })),
    };
  }
  if (httpQueryParameterName !== undefined) {
    return { kind: 'query', name: httpQueryParameterName };
  }
  return spec.useSourceIp === true ? { kind: 'source-ip' } : undefined;
}

/** Envoy spares new endpoints where it balances by turns or by load; a choice at random takes no notice. */
function slowStart(spec: LoadBalancerSpec | undefined, chosen: LoadBalancer | undefined): OutboundCluster['slowStart'] {
  const windowMs = parseDurationMs(spec?.warmup?.duration ?? spec?.warmupDurationSecs ?? '') ?? 0;
  return windowMs === 0 || chosen?.kind === 'random'
    ? undefined
    : { windowMs, minimumPercent: spec?.warmup?.minimumPercent, aggression: spec?.warmup?.aggression };
}

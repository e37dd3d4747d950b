import type { Endpoint } from '@weft/ir';
import type { Labels } from '../kinds.ts';
import type { Instance } from '../state/instances.ts';
import type { Client } from '../state/mesh-state.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { isZoneAware } from './load-balancer.ts';
import type { EffectivePolicy } from './traffic-policy.ts';

type LocalitySetting = NonNullable<NonNullable<EffectivePolicy['loadBalancer']>['localityLbSetting']>;

/** How the endpoints of a cluster are ranked for one client. */
export interface LocalityView {
  /** Equal texts rank alike; empty: the client makes no difference. */
  readonly name: string;
  /** Of the client, `region/zone/subzone`, or `region/*` where all zones of it are alike; empty: it makes no difference. */
  readonly locality: string;
  /** Labels that are compared with those of endpoints, in this order, with the client's values. */
  readonly labels: readonly (readonly [string, string])[];
  readonly failover: NonNullable<LocalitySetting['failover']>;
  /** Shares of localities, which may end in `*`; undefined: none are given. */
  readonly shares: Readonly<Record<string, number>> | undefined;
}

const noView: LocalityView = { name: '', locality: '', labels: [], failover: [], shares: undefined };

/**
 * The view of a client on a service. As in Istio shares need only a locality, while an order of localities needs outlier detection (without it
 * nobody would notice that the first one fails), and is by region, zone and subzone where nothing is said. With zone-aware balancing regions
 * come one after the other in any case, and the client's proxy tells the zones of the first one apart.
 */
export function localityView(policy: EffectivePolicy, service: ServiceModel, client: Client): LocalityView {
  const setting = policy.loadBalancer?.localityLbSetting;
  const { locality = '' } = client;
  if (isZoneAware(policy.loadBalancer)) {
    return orderedView(policy.loadBalancer?.zoneAwareLbSetting ?? {}, client, anyZoneOf(locality));
  }
  if (setting?.enabled === false) {
    return noView;
  }
  const shares = setting?.distribute?.find(({ from }) => covers(from ?? '', locality))?.to;
  if (locality !== '' && setting?.distribute !== undefined && setting.distribute.length > 0) {
    return shares === undefined ? noView : { ...noView, name: locality, locality, shares };
  }
  if (service.nearFirst && policy.loadBalancer === undefined) {
    // Without outlier detection: Kubernetes asks for none.
    return locality === '' ? noView : { ...noView, name: locality, locality };
  }
  if (policy.outlierDetection === undefined) {
    return noView;
  }
  const byLabelsAlone = (setting?.failoverPriority ?? []).length > 0 && (setting?.failover ?? []).length === 0;
  return orderedView(setting ?? {}, client, byLabelsAlone ? '' : locality);
}

/**
 * First by labels, then by locality.
 * @param from the client's locality as far as it counts; empty: it does not.
 */
function orderedView(
  { failover = [], failoverPriority = [] }: Pick<LocalitySetting, 'failover' | 'failoverPriority'>,
  client: Client,
  from: string,
): LocalityView {
  const own = withTopology(client.labels, client.locality ?? '');
  const labels = failoverPriority.map((text): readonly [string, string] => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, own[text] ?? ''] : [text.slice(0, equals), text.slice(equals + 1)];
  });
  const name = [...(from === '' ? [] : [from]), ...labels.map(([key, value]) => `${key}=${value}`)].join(',');
  return { name, locality: from, labels, failover, shares: undefined };
}

/** `region/*`; empty where the region is not known. */
function anyZoneOf(locality: string): string {
  const [region = ''] = locality.split('/');
  return region === '' ? '' : `${region}/*`;
}

/** Endpoints with their priorities, and the shares of localities; those of localities without a share are left out. */
export function ranked(
  endpoints: readonly (readonly [Instance, Endpoint])[],
  view: LocalityView,
): { readonly endpoints: readonly Endpoint[]; readonly weights: Readonly<Record<string, number>> | undefined } {
  if (view.shares !== undefined) {
    return shared(
      endpoints.map(([, endpoint]) => endpoint),
      view.shares,
    );
  }
  if (view.name === '') {
    return { endpoints: endpoints.map(([, endpoint]) => endpoint), weights: undefined };
  }
  const ranks = endpoints.map(([instance, endpoint]) => rankOf(instance, endpoint, view));
  // Priorities are numbered without gaps.
  const distinct = [...new Set(ranks)].sort((a, b) => a - b);
  return {
    endpoints: endpoints.map(([, endpoint], index) => ({
      ...endpoint,
      priority: distinct.indexOf(ranks[index] ?? 0),
    })),
    weights: undefined,
  };
}

/** More than localities can be apart. */
const localityRanks = 8;

function rankOf(instance: Instance, endpoint: Endpoint, { labels, locality, failover }: LocalityView): number {
  const own = withTopology(instance.labels, endpoint.locality);
  const differs = labels.findIndex(([key, value]) => (own[key] ?? '') !== value);
  const byLabels = differs < 0 ? 0 : labels.length - differs;
  return byLabels * localityRanks + (locality === '' ? 0 : distance(locality, endpoint.locality, failover));
}

/** 0: the same place, 1: another subzone, 2: another zone, 3: another region (that which takes over, if one does), 4: any other region. */
function distance(from: string, to: string, failover: LocalityView['failover']): number {
  const [region = '', zone = '', subzone = ''] = from.split('/');
  const [otherRegion = '', otherZone = '', otherSubzone = ''] = to.split('/');
  if (region === otherRegion) {
    return zone === '*' ? 0 : zone !== otherZone ? 2 : subzone !== otherSubzone ? 1 : 0;
  }
  const pair = failover.find((entry) => entry.from === region);
  return pair === undefined || pair.to === otherRegion ? 3 : 4;
}

function shared(
  endpoints: readonly Endpoint[],
  shares: Readonly<Record<string, number>>,
): { readonly endpoints: readonly Endpoint[]; readonly weights: Readonly<Record<string, number>> } {
  const ownWeight = new Map<string, number>();
  for (const { locality, weight } of endpoints) {
    ownWeight.set(locality, (ownWeight.get(locality) ?? 0) + weight);
  }
  const weights: Record<string, number> = {};
  const taken = new Set<string>();
  for (const [pattern, percent] of Object.entries(shares)) {
    const matching = [...ownWeight].filter(([locality]) => !taken.has(locality) && covers(pattern, locality));
    const total = matching.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [locality, weight] of matching) {
      taken.add(locality);
      weights[locality] = Math.ceil((weight * percent) / total);
    }
  }
  return { endpoints: endpoints.filter(({ locality }) => taken.has(locality)), weights };
}

/** Whether a locality as a rule writes it (`region`, `region/zone/*`, `*`) has another one in it. */
function covers(pattern: string, locality: string): boolean {
  const parts = locality.split('/');
  return pattern.split('/').every((part, index) => part === '*' || part === (parts[index] ?? ''));
}

/** Labels of the topology, which workloads need not write: their locality says them. */
function withTopology(labels: Labels, locality: string): Labels {
  const [region = '', zone = '', subzone = ''] = locality.split('/');
  return {
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zone,
    'topology.istio.io/subzone': subzone,
    ...labels,
  };
}

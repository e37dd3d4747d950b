import type { HttpRoute, OutboundCluster } from '@weft/ir';
import type { MergedRule } from '../state/merged-rule.ts';
import { clusterFields, partPlaces } from '../status/parts-without-proxy.ts';
import { policyPlace } from '../to-ir/policy-place.ts';
import { RulePlaces } from '../to-ir/rule-places.ts';
import { clusterPartsWithoutGrpc, partsWithoutGrpc } from '../to-xds/proxyless/abilities.ts';
import { type ExplainedValue, placeText } from './effective.ts';
import type { Walk } from './request-walk.ts';

/** What of a route a workload without a proxy goes without; nothing for others. */
export function lacksOfRoute({ ir }: Walk, route: HttpRoute): readonly ExplainedValue[] {
  const places = new RulePlaces(route);
  return ir.workload.engine !== 'grpc'
    ? []
    : partsWithoutGrpc(route).flatMap((part) => {
        const { remark, find } = partPlaces[part];
        return [...new Set(find(places, route).map(placeText))].flatMap((origin) =>
          origin === undefined ? [] : [{ name: `not done: ${part}`, value: remark, origin }],
        );
      });
}

/** The same of a cluster. */
export function lacksOfCluster(
  { ir }: Walk,
  rule: MergedRule | undefined,
  cluster: OutboundCluster,
): readonly ExplainedValue[] {
  return ir.workload.engine !== 'grpc'
    ? []
    : clusterPartsWithoutGrpc(cluster).flatMap((part) => {
        const { remark, fields } = clusterFields[part];
        const origins = fields.map((field) => policyPlace(rule, cluster.subset, cluster.port, field.split('.')));
        return origins.flatMap((place) =>
          place === undefined ? [] : [{ name: `not done: ${part}`, value: remark, origin: placeText(place) ?? '' }],
        );
      });
}

/** What the client gets of an answer of the proxy's own. */
export function answered({ ir }: Walk, status: string): string {
  return ir.workload.engine === 'grpc' ? 'fails at once (UNAVAILABLE)' : `answered ${status}`;
}

import type { Destination, HttpRoute, OutboundCluster } from '@weft/ir';
import type { KubeHttpRouteRule } from '@weft/resources';
import type { HttpRouteSpec, KubeGrpcRoute, KubeHttpRoute } from '../kinds.ts';
import type { ServiceModel } from '../state/service-model.ts';
import { resolveDestination } from '../to-ir/destination.ts';
import { resolveBackend } from '../to-ir/gateway-api/backend.ts';
import { openService } from '../to-ir/open-service.ts';
import { RulePlaces } from '../to-ir/rule-places.ts';
import { type ExplainedValue, placeText, shareText, weftDefault } from './effective.ts';
import { clusterValues, subsetValues } from './explain-cluster.ts';
import { clusterView } from './explain-endpoints.ts';
import { peerValues } from './explain-peers.ts';
import { lacksOfCluster } from './lacks-without-proxy.ts';
import { addStep, type Walk } from './request-walk.ts';
import { destinationValues } from './route-settings.ts';

/** Of a route that forwards. */
interface Forwarding {
  readonly route: HttpRoute;
  /** Of the request. */
  readonly port: number;
  /** Answer for destinations that do not exist. */
  readonly status: number;
}

/** Identities that are named. */
const namedIdentities = 3;

/** Where the shares of requests or connections go. @param forwarding undefined: of connections. */
export function goToDestinations(
  walk: Walk,
  destinations: readonly Destination[],
  forwarding: Forwarding | undefined,
): void {
  const fields = forwarding && new RulePlaces(forwarding.route);
  for (const [index, destination] of destinations.entries()) {
    const { cluster: name, resolved } = destination;
    const cluster = walk.clusters.get(name);
    const origin = placeText(fields?.destination(index)) ?? '';
    const share = shareText(destination, destinations);
    if (!resolved || cluster === undefined) {
      const values = fields === undefined ? [] : whyMissing(walk, fields, index, forwarding?.port ?? 0);
      const what = forwarding === undefined ? 'connections are closed' : `answered ${forwarding.status}`;
      addStep(walk, 'destination', `${share} to ${name}, which does not exist: ${what}`, origin, { values });
    } else {
      const own = forwarding === undefined ? [] : destinationValues(forwarding.route, index);
      visit(walk, `${share} to ${name}`, origin, own, cluster);
    }
  }
}

function whyMissing(
  { state, client }: Walk,
  fields: RulePlaces,
  index: number,
  port: number,
): readonly ExplainedValue[] {
  const { source } = fields;
  const place = fields.destinationPlace(index);
  if (source === undefined || place === undefined) {
    return [];
  }
  const { object } = source;
  const rule = source.rule as HttpRouteSpec & KubeHttpRouteRule;
  const destination = rule.route?.[place]?.destination;
  const ref = rule.backendRefs?.[place];
  const value =
    object.kind === 'VirtualService'
      ? destination && resolveDestination(state, client, destination, object.metadata.namespace ?? '', port).missing
      : ref && resolveBackend(state, client, ref, object as KubeHttpRoute | KubeGrpcRoute).problem?.message;
  return value === undefined ? [] : [{ name: 'because', value, origin: '' }];
}

function visit(
  walk: Walk,
  result: string,
  origin: string,
  own: readonly ExplainedValue[],
  cluster: OutboundCluster,
): void {
  const { state, client } = walk;
  const service = serviceOf(walk, cluster);
  addStep(walk, 'destination', result, origin, {
    values:
      service === undefined
        ? own
        : [
            ...own,
            ...subsetValues(state, client, service, cluster),
            ...clusterValues(state, client, service, cluster),
            ...lacksOfCluster(walk, state.destinationRuleOf(service, client), cluster),
            ...identityValues(walk, service, cluster),
          ],
  });
  const { endpoints, values } = clusterView(state, client, service, cluster);
  const healthy = endpoints.filter(({ health }) => health === 'healthy').length;
  const nobody = endpoints.length === 0 ? ': nobody is there, requests are answered 503 (UH)' : '';
  const count = `${endpoints.length} endpoint${endpoints.length === 1 ? '' : 's'}`;
  addStep(walk, 'endpoints', `${count}, ${healthy} healthy${nobody}`, '', { values });
}

function serviceOf({ state, client }: Walk, { host, port }: OutboundCluster): ServiceModel | undefined {
  return (
    state.services.exact(host, client.namespace) ??
    state.resolveHost(host, client.namespace, client.namespace) ??
    openService(state, client, host, port, 'auto')
  );
}

/** Of mutual TLS of the mesh: whom the proxy takes for a server, and what the servers take from clients. */
function identityValues({ state }: Walk, service: ServiceModel, { tls }: OutboundCluster): readonly ExplainedValue[] {
  if (tls.kind !== 'auto' && tls.kind !== 'mutual') {
    return [];
  }
  const { peerIds } = tls.mutual;
  const more = peerIds.length - namedIdentities;
  const ids = [...peerIds.slice(0, namedIdentities), ...(more > 0 ? [`${more} more`] : [])];
  return [
    { name: 'identities of servers', value: ids.join(', '), origin: weftDefault },
    ...peerValues(state, service, 'its workloads take'),
  ];
}

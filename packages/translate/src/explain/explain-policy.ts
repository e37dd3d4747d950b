import {
  type ClusterTls,
  type HealthCheck,
  type LoadBalancer,
  type OutboundCluster,
  type RetryBudget,
  unlimited,
} from '@weft/ir';
import type { DefaultsName } from '../defaults.ts';
import type { EndpointPolicy } from '../kinds.ts';
import type { MergedRule } from '../state/merged-rule.ts';
import { policyPlace } from '../to-ir/policy-place.ts';
import {
  type ExplainedValue,
  envoyDefault,
  meshDefault,
  originText,
  placeText,
  refText,
  timeText,
  weftDefault,
} from './effective.ts';

/**
 * What clients do with connections to one port of a service, or one subset of it, and where each value comes from.
 * @param service where the service itself asks for a way of balancing; undefined: it does not.
 * @param own for the port; undefined: there is none.
 */
export function policyValues(
  cluster: OutboundCluster,
  rule: MergedRule | undefined,
  defaults: DefaultsName,
  service: string | undefined,
  own: EndpointPolicy | undefined,
): readonly ExplainedValue[] {
  const { limits, outlierDetection, healthCheck, subset, port } = cluster;
  const { leastRequest, boundedLoad, panicThreshold } = own?.spec.loadBalancer ?? {};
  /** Where a field of the policy decides; undefined: it says nothing. */
  const ownOrigin = (field: string, said: unknown): string | undefined =>
    own === undefined || said === undefined ? undefined : originText(own, `spec.${field}`);
  const { loadBalancer } = cluster;
  const detail =
    ownOrigin('loadBalancer.boundedLoad', 'boundedLoadPercent' in loadBalancer ? boundedLoad : undefined) ??
    ownOrigin('loadBalancer.leastRequest', loadBalancer.kind === 'least-request' ? leastRequest : undefined);
  const balancing = (whole: ExplainedValue): ExplainedValue =>
    detail === undefined ? whole : { ...whole, origin: `${whole.origin}, ${detail}` };
  const tlsPolicy = cluster.origins.find(({ kind }) => kind === 'BackendTLSPolicy');
  const ofMesh = meshDefault(defaults);
  /** @param otherwise where it comes from if none of `paths` is set. */
  const value = (
    name: string,
    text: string,
    otherwise: string,
    ...paths: readonly (readonly string[])[]
  ): ExplainedValue => {
    const place = paths.map((path) => policyPlace(rule, subset, port, path)).find((found) => found !== undefined);
    return { name, value: text, origin: placeText(place) ?? otherwise };
  };
  const tcp = (name: string): readonly string[] => ['connectionPool', 'tcp', name];
  const http = (name: string): readonly string[] => ['connectionPool', 'http', name];
  return [
    balancing(value('balancing', balancingText(cluster), service ?? ofMesh, ['loadBalancer'])),
    value(
      'slow start',
      timeText(cluster.slowStart?.windowMs),
      envoyDefault,
      ['loadBalancer', 'warmup'],
      ['loadBalancer', 'warmupDurationSecs'],
    ),
    value(
      'locality',
      localityText(cluster),
      weftDefault,
      ['loadBalancer', 'zoneAwareLbSetting'],
      ['loadBalancer', 'localityLbSetting'],
    ),
    value('connect timeout', timeText(cluster.connectTimeoutMs), ofMesh, tcp('connectTimeout')),
    value('connections', limitText(limits.maxConnections), ofMesh, tcp('maxConnections')),
    value('pending requests', limitText(limits.maxPendingRequests), ofMesh, http('http1MaxPendingRequests')),
    value('requests', limitText(limits.maxRequests), ofMesh, http('http2MaxRequests')),
    limits.retryBudget === undefined
      ? value('retries', limitText(limits.maxRetries), ofMesh, http('maxRetries'))
      : value('retries', budgetText(limits.retryBudget), ofMesh, ['retryBudget']),
    value(
      'requests per connection',
      cluster.maxRequestsPerConnection === 0 ? 'unlimited' : String(cluster.maxRequestsPerConnection),
      envoyDefault,
      http('maxRequestsPerConnection'),
    ),
    value(
      'idle timeout',
      cluster.httpIdleTimeoutMs === undefined ? '1 h' : timeText(cluster.httpIdleTimeoutMs),
      envoyDefault,
      http('idleTimeout'),
    ),
    value('TCP keep-alive', keepaliveText(cluster.tcpKeepalive), envoyDefault, tcp('tcpKeepalive')),
    value('outlier detection', outlierText(outlierDetection), envoyDefault, ['outlierDetection']),
    {
      name: 'health checks',
      value: healthCheckText(healthCheck),
      origin: ownOrigin('healthCheck', healthCheck) ?? weftDefault,
    },
    panicThreshold === undefined
      ? value(
          'panic threshold',
          `${cluster.panicPercent ?? 50} % healthy`,
          outlierDetection === undefined && healthCheck === undefined ? envoyDefault : ofMesh,
          ['outlierDetection', 'minHealthPercent'],
        )
      : {
          name: 'panic threshold',
          value: `${panicThreshold} % healthy`,
          origin: ownOrigin('loadBalancer.panicThreshold', panicThreshold) ?? ofMesh,
        },
    value(
      'tunnel of TCP',
      cluster.tcp.tunnel === undefined ? 'none' : `${cluster.tcp.tunnel.method} ${cluster.tcp.tunnel.to}`,
      envoyDefault,
      ['tunnel'],
    ),
    tlsPolicy === undefined
      ? value('TLS', tlsText(cluster.tls), weftDefault, ['tls'])
      : { name: 'TLS', value: tlsText(cluster.tls), origin: `${refText(tlsPolicy)} spec.validation` },
    value('spoken', protocolTexts[cluster.protocol], weftDefault, http('h2UpgradePolicy'), http('useClientProtocol')),
  ];
}

/** Of a subset: those values that its own policy says otherwise than that of the host. */
export function changedValues(
  values: readonly ExplainedValue[],
  whole: readonly ExplainedValue[],
): readonly ExplainedValue[] {
  return values.filter((value, index) => value.value !== whole[index]?.value || value.origin !== whole[index]?.origin);
}

function keepaliveText(keepalive: OutboundCluster['tcpKeepalive']): string {
  if (keepalive === undefined) {
    return 'off';
  }
  const { timeSec, intervalSec, probes } = keepalive;
  const parts = [
    timeSec === undefined ? 'as the system has it' : `after ${timeSec} s`,
    ...(intervalSec === undefined ? [] : [`every ${intervalSec} s`]),
    ...(probes === undefined ? [] : [`${probes} probes`]),
  ];
  return parts.join(', ');
}

const protocolTexts: Readonly<Record<OutboundCluster['protocol'], string>> = {
  tcp: 'opaque bytes',
  http1: 'HTTP/1.1',
  http2: 'HTTP/2',
  'http-by-alpn': 'HTTP/2 where the peer agrees (ALPN), else HTTP/1.1',
  'http-as-downstream': 'the version in which the request came',
};

function budgetText({ percent, minConcurrency, intervalMs }: RetryBudget): string {
  const of = intervalMs === undefined ? 'requests' : `the requests of ${timeText(intervalMs)}`;
  return `${percent} % of ${of}, always ${minConcurrency}`;
}

function limitText(value: number): string {
  return value === unlimited ? 'unlimited' : String(value);
}

const balancers: Readonly<Record<LoadBalancer['kind'], string>> = {
  'round-robin': 'by turns (round robin)',
  'least-request': 'least requests of two',
  random: 'at random',
  'peak-ewma': 'peak EWMA of latency',
  'ring-hash': 'by hash (ring)',
  maglev: 'by hash (Maglev)',
};

function balancingText({ loadBalancer, hash }: OutboundCluster): string {
  const of = hash === undefined ? '' : ` of the ${'name' in hash ? `${hash.kind} ${hash.name}` : hash.kind}`;
  if (loadBalancer.kind === 'least-request') {
    const { choiceCount, activeRequestBias: bias } = loadBalancer;
    const fewest = choiceCount === undefined ? balancers['least-request'] : `least requests of ${choiceCount}`;
    return bias === undefined ? fewest : `${fewest}, bias ${bias}`;
  }
  const bound = 'boundedLoadPercent' in loadBalancer ? loadBalancer.boundedLoadPercent : undefined;
  return `${balancers[loadBalancer.kind]}${of}${bound === undefined ? '' : `, at most ${bound} % of the mean load for each`}`;
}

function healthCheckText(healthCheck: OutboundCluster['healthCheck']): string {
  if (healthCheck === undefined) {
    return 'none';
  }
  const { check, intervalMs, timeoutMs, healthyThreshold, unhealthyThreshold } = healthCheck;
  return `${wayText(check)} every ${timeText(intervalMs)}, at most ${timeText(timeoutMs)}; ${unhealthyThreshold} failures in a row are too many, ${healthyThreshold} passed heal`;
}

function wayText(check: HealthCheck['check']): string {
  switch (check.kind) {
    case 'http':
      return `${check.method} http://${check.host}${check.path}`;
    case 'grpc':
      return `gRPC ${check.service === '' ? 'of the server' : `of ${check.service}`}`;
    case 'tcp':
      return check.receive.length === 0 ? 'TCP connections' : 'TCP and an answer';
  }
}

function localityText({ byLocalityWeight, zoneAware, discovery }: OutboundCluster): string {
  const at = discovery.kind === 'endpoints' ? discovery.assignment.indexOf('@') : -1;
  const view = discovery.kind === 'endpoints' && at >= 0 ? ` as seen from ${discovery.assignment.slice(at + 1)}` : '';
  if (byLocalityWeight) {
    return `shares by locality${view}`;
  }
  const order = view === '' ? 'all alike' : `the nearest first${view}`;
  return zoneAware === undefined
    ? order
    : `${order}; of those the own zone as far as the load stays even, with ${zoneAware.minClusterSize ?? 6} endpoints or more`;
}

function outlierText(spec: OutboundCluster['outlierDetection']): string {
  if (spec === undefined) {
    return 'off';
  }
  const bySuccess = spec.bySuccessRate === true ? ', or with far less success than the others' : '';
  const when = [
    [spec.consecutive5xx, spec.errorStatuses === undefined ? '5xx' : `of ${spec.errorStatuses.join(', ')}`],
    [spec.consecutiveGatewayErrors, 'gateway errors'],
    [spec.consecutiveLocalErrors, 'errors of connecting'],
  ].flatMap(([count, what]) => (count === undefined ? [] : [`${count} ${what}`]));
  return `after ${when.join(' or ')} in a row${bySuccess}, ${timeText(spec.baseEjectionMs)} at first, at most ${spec.maxEjectionPercent} % of the endpoints, looked at every ${timeText(spec.intervalMs)}`;
}

const tlsTexts: Readonly<Record<ClusterTls['kind'], string>> = {
  auto: 'mutual TLS where the endpoint has a sidecar, plaintext elsewhere',
  mutual: 'mutual TLS of the mesh',
  originate: 'TLS',
  disabled: 'plaintext',
};

function tlsText(tls: ClusterTls): string {
  return tls.kind === 'originate'
    ? `${tlsTexts.originate}, server name ${tls.origination.sni ?? 'of the request'}, ${tls.origination.roots.kind === 'none' ? 'not verified' : `roots: ${tls.origination.roots.kind}`}${tls.origination.crlPath === undefined ? '' : `, revoked: ${tls.origination.crlPath}`}${tls.origination.certificate === undefined ? '' : ', with a certificate'}`
    : tlsTexts[tls.kind];
}

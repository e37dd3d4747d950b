import type { HealthCheck, HttpCheck, LoadBalancer, OutboundCluster } from '@weft/ir';
import { type EndpointHealthCheck, type EndpointPolicySpec, parseDurationMs, statusRange } from '@weft/resources';
import type { MeshDefaults } from '../defaults.ts';
import type { EndpointPolicy } from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { portOf, type ServiceModel, type ServicePortModel } from '../state/service-model.ts';
import { type Attachment, policyOfPort } from './attached-policy.ts';

export const endpointPolicyAttachment: Attachment<'weft.dev/EndpointPolicy'> = {
  kind: 'weft.dev/EndpointPolicy',
  isTarget: () => true,
};

export function endpointPolicyOf(
  state: MeshState,
  service: ServiceModel,
  port: ServicePortModel,
): EndpointPolicy | undefined {
  return policyOfPort(state, endpointPolicyAttachment, service, port);
}

/** The port of a service at which endpoints of another one are checked; undefined: the same port, or none. */
export function checkedElsewhere(
  state: MeshState,
  service: ServiceModel,
  port: ServicePortModel,
): ServicePortModel | undefined {
  const number = endpointPolicyOf(state, service, port)?.spec.healthCheck?.port;
  return number === undefined || number === port.number ? undefined : portOf(service, number);
}

/** What Kubernetes has for its probes. */
const healthCheckDefaults = {
  intervalMs: 10_000,
  timeoutMs: 1_000,
  healthyThreshold: 1,
  unhealthyThreshold: 3,
  /** Share of the interval. */
  jitter: 0.1,
} as const;

type Changed = Pick<OutboundCluster, 'loadBalancer' | 'panicPercent' | 'healthCheck'>;

export interface PolicyEffect {
  readonly settings: Changed;
  /** Fields that find nothing to change at the cluster, and why: `spec.healthCheck.grpc (…)`. */
  readonly unused: readonly string[];
}

/**
 * What a policy makes of a cluster.
 * @param cluster as DestinationRules and defaults have it.
 */
export function policyEffect(
  { healthCheck: check, loadBalancer: spec = {} }: EndpointPolicySpec,
  cluster: Pick<OutboundCluster, 'host' | 'port' | 'protocol' | 'loadBalancer' | 'panicPercent'>,
  service: ServiceModel,
  defaults: MeshDefaults,
): PolicyEffect {
  const why = check === undefined ? undefined : unchecked(check, cluster, service);
  const healthCheck = check === undefined || why !== undefined ? undefined : healthCheckOf(check, cluster, service);
  const { loadBalancer, unused } = tuned(cluster, spec);
  return {
    settings: {
      loadBalancer,
      panicPercent:
        spec.panicThreshold ?? cluster.panicPercent ?? (healthCheck === undefined ? undefined : defaults.panicPercent),
      ...(healthCheck === undefined ? {} : { healthCheck }),
    },
    unused: [...(why === undefined ? [] : [why]), ...unused],
  };
}

/** Why endpoints cannot be checked in the way that is asked for; undefined: they can. */
function unchecked(
  { port, grpc }: EndpointHealthCheck,
  { host, port: number, protocol }: Pick<OutboundCluster, 'host' | 'port' | 'protocol'>,
  service: ServiceModel,
): string | undefined {
  if (port !== undefined && portOf(service, port) === undefined) {
    return `spec.healthCheck.port (${host} has no port ${port}: endpoints of port ${number} are not checked)`;
  }
  // Proxies refuse such a cluster, whatever the port is that is asked.
  return grpc !== undefined && (protocol === 'http1' || protocol === 'tcp')
    ? `spec.healthCheck.grpc (HTTP/2 is not spoken to ${host}:${number}: declare the port as grpc)`
    : undefined;
}

function healthCheckOf(
  check: EndpointHealthCheck,
  { host, port, protocol }: Pick<OutboundCluster, 'host' | 'port' | 'protocol'>,
  service: ServiceModel,
): HealthCheck {
  const { intervalMs: usual, timeoutMs, healthyThreshold, unhealthyThreshold, jitter } = healthCheckDefaults;
  const intervalMs = parseDurationMs(check.interval ?? '') ?? usual;
  const elsewhere = check.port === undefined || check.port === port ? undefined : portOf(service, check.port);
  const http2 = elsewhere === undefined ? protocol === 'http2' : ['http2', 'grpc-web'].includes(elsewhere.protocol);
  return {
    intervalMs,
    jitterMs: parseDurationMs(check.jitter ?? '') ?? Math.round(intervalMs * jitter),
    timeoutMs: parseDurationMs(check.timeout ?? '') ?? timeoutMs,
    healthyThreshold: check.healthyThreshold ?? healthyThreshold,
    unhealthyThreshold: check.unhealthyThreshold ?? unhealthyThreshold,
    check: wayOf(check, host, http2),
  };
}

function wayOf({ http, grpc, tcp }: EndpointHealthCheck, host: string, http2: boolean): HealthCheck['check'] {
  if (http !== undefined) {
    return httpCheckOf(http, host, http2);
  }
  if (grpc !== undefined) {
    return { kind: 'grpc', service: grpc.service ?? '', authority: grpc.authority ?? host };
  }
  return { kind: 'tcp', send: hexOf(tcp?.send), receive: (tcp?.receive ?? []).map(hexOf) };
}

/** @param host of the service. */
export function httpCheckOf(
  { method = 'GET', path, host: own, expectedStatuses = [200] }: NonNullable<EndpointHealthCheck['http']>,
  host: string,
  http2: boolean,
): HttpCheck {
  return {
    ...{ kind: 'http', http2, method, path, host: own ?? host },
    expectedStatuses: expectedStatuses.flatMap((item) => {
      const range = statusRange(item);
      return range === undefined ? [] : [range];
    }),
  };
}

function hexOf(payload: { readonly text?: string | undefined; readonly base64?: string | undefined } = {}): string {
  return (
    payload.text === undefined ? Buffer.from(payload.base64 ?? '', 'base64') : Buffer.from(payload.text)
  ).toString('hex');
}

/** The policy of balancing itself is said by DestinationRules; here is what they cannot say of it. */
function tuned(
  { host, port, loadBalancer }: Pick<OutboundCluster, 'host' | 'port' | 'loadBalancer'>,
  { boundedLoad, leastRequest }: NonNullable<EndpointPolicySpec['loadBalancer']>,
): { readonly loadBalancer: LoadBalancer; readonly unused: readonly string[] } {
  const { kind } = loadBalancer;
  const hashes = kind === 'ring-hash' || kind === 'maglev';
  const compares = kind === 'least-request';
  return {
    loadBalancer: {
      ...loadBalancer,
      ...(hashes && boundedLoad !== undefined ? { boundedLoadPercent: boundedLoad } : {}),
      ...(compares ? leastRequest : {}),
    },
    unused: [
      ...(boundedLoad === undefined || hashes
        ? []
        : [
            `spec.loadBalancer.boundedLoad (callers of ${host}:${port} do not choose by hash: a DestinationRule with consistentHash is missing)`,
          ]),
      ...(leastRequest === undefined || compares
        ? []
        : [`spec.loadBalancer.leastRequest (callers of ${host}:${port} do not choose by the fewest requests)`]),
    ],
  };
}

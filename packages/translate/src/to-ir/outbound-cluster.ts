import { type ClusterProtocol, type ClusterTls, mergeOrigins, type OutboundCluster } from '@weft/ir';
import { meshDefaults } from '../defaults.ts';
import { type EndpointPolicy, keyOf, type PolicySpec } from '../kinds.ts';
import { selects } from '../match.ts';
import { assignmentName, noIdentity, outboundClusterName, outboundSni } from '../names.ts';
import { originOf } from '../origin.ts';
import type { MeshSettings } from '../settings.ts';
import type { Instance } from '../state/instances.ts';
import type { MergedRule } from '../state/merged-rule.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { clusterTls, type TlsSecrets, tlsSecrets } from './client-tls.ts';
import { checkedElsewhere, endpointPolicyOf, policyEffect } from './endpoint-policy.ts';
import { endpointOf } from './endpoints.ts';
import { type BackendTls, backendTls } from './gateway-api/backend-tls.ts';
import { type LocalityView, localityView, ranked } from './locality.ts';
import { type EffectivePolicy, poolSettings, trafficPolicy } from './traffic-policy.ts';

/**
 * The cluster of one port of a service, or of one subset of it; a text says why there is none to be had: the subset is not declared, or
 * the DestinationRule or BackendTLSPolicy asks for TLS with what is not there (plaintext instead would be worse than no answer). How
 * TLS is spoken a BackendTLSPolicy says before a DestinationRule: it is the word of who runs the service, and no client may take it back.
 */
export function outboundCluster(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
  subset: string,
): OutboundCluster | string {
  const rule = state.destinationRuleOf(service, client);
  const name = outboundClusterName(port.number, subset, service.host);
  const policy = trafficPolicy(rule, subset, port.number);
  const view = localityView(policy, service, client);
  const backend = backendTls(state, client, service, port);
  const endpointPolicy = endpointPolicyOf(state, service, port);
  const checkPort = checkedElsewhere(state, service, port);
  const secrets = backend === undefined ? tlsSecrets(state, client, policy.tls, rule) : undefined;
  const origination = backend === undefined ? '' : JSON.stringify(backend.origination);
  const atEdge = client.isGateway === true;
  if (view.name !== '') {
    state.instances.noteView(name, view.name);
  }
  return state.memo.get(
    `cluster|${name}|${(rule?.rules ?? []).map(keyOf).join(',')}|${view.name}|${secrets?.namespace ?? ''}|${secrets?.refusal ?? ''}|${origination}|${atEdge}`,
    [
      service,
      port,
      subset,
      rule,
      view.name,
      state.instances.identitiesOf(service),
      service.discovery === 'dns' ? state.instances.of(service).instances : undefined,
      state.settings,
      secrets?.own,
      secrets?.roots,
      endpointPolicy,
      checkPort,
      ...(backend?.origins ?? []),
    ] as const,
    ([, , , , , identities, dnsInstances, settings]) =>
      buildCluster({
        ...{ service, port, subset, rule, policy, view, identities, dnsInstances, settings, secrets, backend },
        ...{ endpointPolicy, checkPort, atEdge },
      }),
  );
}

interface ClusterInputs {
  readonly service: ServiceModel;
  readonly port: ServicePortModel;
  readonly subset: string;
  readonly rule: MergedRule | undefined;
  /** Of the rule. */
  readonly policy: EffectivePolicy;
  /** Of the policy and the client; equal names, equal views. */
  readonly view: LocalityView;
  readonly identities: readonly string[];
  readonly dnsInstances: readonly Instance[] | undefined;
  readonly settings: MeshSettings;
  readonly secrets: TlsSecrets | undefined;
  readonly backend: BackendTls | undefined;
  readonly endpointPolicy: EndpointPolicy | undefined;
  /** Of the policy, where it is another one than `port`. */
  readonly checkPort: ServicePortModel | undefined;
  /** The proxy is a gateway's. */
  readonly atEdge: boolean;
}

function buildCluster(inputs: ClusterInputs): OutboundCluster | string {
  const { service, port, subset, rule, policy, view, identities, dnsInstances, settings, secrets, backend } = inputs;
  const { endpointPolicy, checkPort, atEdge } = inputs;
  const declared = subset === '' ? undefined : rule?.subsets.get(subset)?.value;
  if (subset !== '' && declared === undefined) {
    return `subset ${subset} of ${service.host} is not declared by a DestinationRule`;
  }
  const peerIds = [...new Set([...identities, ...service.subjectAltNames])].sort();
  const mutual = {
    sni: outboundSni(port.number, subset, service.host),
    peerIds: peerIds.length === 0 ? [noIdentity(settings.trustDomain, service.namespace)] : peerIds,
  };
  const tls = backend === undefined ? clusterTls(policy.tls, mutual, service, secrets) : originated(backend);
  if (typeof tls === 'string') {
    return `TLS to ${service.host}: ${tls}`;
  }
  if (service.discovery === 'none') {
    return `${service.host} cannot be reached in the way that it is declared`;
  }
  const name = outboundClusterName(port.number, subset, service.host);
  const defaults = meshDefaults[settings.defaults];
  const cluster = {
    host: service.host,
    port: port.number,
    protocol: clusterProtocol(service, port, policy, tls.kind, backend !== undefined, atEdge),
    ...poolSettings(policy, service.prefers, defaults),
  };
  return {
    name,
    subset,
    service: { name: service.name, namespace: service.namespace },
    discovery:
      dnsInstances === undefined
        ? { kind: 'endpoints', assignment: assignmentName(name, view.name) }
        : {
            kind: 'dns',
            addresses: service.firstAddressOnly || goesWhereDnsSays(policy, dnsInstances) ? 'one' : 'all',
            endpoints: ranked(
              dnsInstances
                .filter((instance) => selects(declared?.labels, instance.labels))
                .flatMap((instance) =>
                  endpointOf(instance, port, 'dns', checkPort).map((endpoint) => [instance, endpoint] as const),
                )
                .slice(0, service.firstAddressOnly ? 1 : undefined),
              view,
            ).endpoints,
          },
    ...cluster,
    ...(endpointPolicy && policyEffect(endpointPolicy.spec, cluster, service, defaults).settings),
    byLocalityWeight: view.shares !== undefined,
    tls,
    origins: mergeOrigins([
      [service.origin],
      (rule?.rules ?? []).map(originOf),
      [secrets?.own, secrets?.roots].flatMap((secret) => (secret === undefined ? [] : [originOf(secret)])),
      backend?.origins ?? [],
      endpointPolicy === undefined ? [] : [originOf(endpointPolicy)],
      ...(dnsInstances ?? []).map((instance) => instance.origins),
    ]),
  };
}

function originated({ origination }: BackendTls): ClusterTls | string {
  return typeof origination === 'string' ? origination : { kind: 'originate', origination };
}

/** PASSTHROUGH to a single name: to the address that the client would have found itself, without a choice among several. */
function goesWhereDnsSays(policy: PolicySpec, instances: readonly Instance[]): boolean {
  return policy.loadBalancer?.simple === 'PASSTHROUGH' && instances.length === 1;
}

/**
 * Workloads of the mesh have a proxy that takes HTTP/2 and speaks to the application as that wants, so HTTP/1.1 goes to them
 * multiplexed. Whether a peer is one is seen on each connection; plaintext stays what it was declared.
 * @param ownTls the endpoints end TLS themselves: what they were declared to speak is all that they speak, and where nothing was
 * declared ALPN says it.
 */
function clusterProtocol(
  service: ServiceModel,
  port: ServicePortModel,
  policy: PolicySpec,
  tls: ClusterTls['kind'],
  ownTls: boolean,
  atEdge: boolean,
): ClusterProtocol {
  const { h2UpgradePolicy, useClientProtocol } = policy.connectionPool?.http ?? {};
  if (port.protocol === 'udp' || port.protocol === 'tcp') {
    return 'tcp';
  }
  if (useClientProtocol === true) {
    return 'http-as-downstream';
  }
  if (port.protocol === 'auto') {
    // A caller of the mesh speaks what the application does, as it would without a proxy; what browsers speak to a gateway says nothing of it.
    return ownTls ? 'http-by-alpn' : atEdge ? 'http1' : 'http-as-downstream';
  }
  if (port.protocol === 'http2' || port.protocol === 'grpc-web' || h2UpgradePolicy === 'UPGRADE') {
    return 'http2';
  }
  const plain = h2UpgradePolicy === 'DO_NOT_UPGRADE' || service.external || tls === 'disabled';
  return plain || ownTls ? 'http1' : 'http-by-alpn';
}

import type { OriginRef, OutboundCluster } from '@weft/ir';
import type { Service } from '../kinds.ts';
import { originOf } from '../origin.ts';
import { carriesHttp } from '../protocol.ts';
import type { Client, MeshState } from '../state/mesh-state.ts';
import type { ServiceModel, ServicePortModel } from '../state/service-model.ts';
import { attachedTo } from '../to-ir/attached-policy.ts';
import { endpointPolicyAttachment } from '../to-ir/endpoint-policy.ts';
import { outboundCluster } from '../to-ir/outbound-cluster.ts';
import {
  type EffectiveExplanation,
  type ExplainedSection,
  type ExplainedValue,
  originText,
  refText,
} from './effective.ts';
import { clusterValues } from './explain-cluster.ts';
import { conditionSections } from './explain-conditions.ts';
import { instanceValues } from './explain-endpoints.ts';
import { peerValues } from './explain-peers.ts';
import { changedValues } from './explain-policy.ts';
import { routeValues } from './explain-routes.ts';

/** What is in force for calls of `client` to a service. @param from the client in words. */
export function explainService(
  state: MeshState,
  service: ServiceModel,
  client: Client,
  from: string,
): EffectiveExplanation {
  const ports = service.ports.filter(({ protocol }) => protocol !== 'udp');
  return {
    subject: `${service.object.kind} ${service.namespace}/${service.object.metadata.name}`,
    from,
    sections: [
      {
        title: 'service',
        values: [
          { name: 'host', value: service.host, origin: originText(service.object) },
          { name: 'found by', value: discoveryText(service), origin: originText(service.object) },
        ],
      },
      { title: 'ports', values: service.ports.map((port, index) => portValue(service, port, index)) },
      { title: 'mutual TLS of its workloads', values: peerValues(state, service) },
      ...ports.flatMap((port) => policySections(state, client, service, port)),
      ...ports.flatMap((port) =>
        carriesHttp(port.protocol)
          ? [{ title: `routes of port ${port.number}`, values: routeValues(state, client, service, port) }]
          : [],
      ),
      { title: 'endpoints', values: instanceValues(state, service) },
      ...conditionSections(state, involved(state, service)),
    ],
  };
}

function discoveryText(service: ServiceModel): string {
  const found = { endpoints: 'its workloads', dns: 'its name in DNS', none: 'nothing: it cannot be reached' };
  return found[service.discovery];
}

function portValue(service: ServiceModel, port: ServicePortModel, index: number): ExplainedValue {
  const field = service.object.kind === 'Service' ? servicePortField(service.object as Service, index) : 'protocol';
  const origin = port.declared
    ? originText(service.object, `spec.ports[${index}].${field}`)
    : port.protocol === 'auto'
      ? 'default: found out for each connection'
      : 'default: a well-known port';
  return {
    name: `${port.number}${port.name === '' ? '' : ` ${port.name}`}`,
    value: `${port.protocol}, target port ${port.targetPort}`,
    origin,
  };
}

/** The field that says what a port speaks. */
function servicePortField(service: Service, index: number): string {
  const port = service.spec?.ports?.[index];
  return (port?.protocol ?? 'TCP') !== 'TCP' ? 'protocol' : port?.appProtocol === undefined ? 'name' : 'appProtocol';
}

function policySections(
  state: MeshState,
  client: Client,
  service: ServiceModel,
  port: ServicePortModel,
): readonly ExplainedSection[] {
  const rule = state.destinationRuleOf(service, client);
  const applies: readonly ExplainedValue[] =
    rule === undefined
      ? [{ name: 'rule', value: 'none', origin: '' }]
      : rule.rules.map((part, index) => ({
          name: index === 0 ? 'rule' : 'merged with',
          value: refText(originOf(part)),
          origin: originText(part, part.spec?.workloadSelector === undefined ? 'spec.host' : 'spec.workloadSelector'),
        }));
  const valuesOf = (cluster: OutboundCluster): readonly ExplainedValue[] =>
    clusterValues(state, client, service, cluster);
  const made = outboundCluster(state, client, service, port, '');
  const whole = typeof made === 'string' ? [broken(made)] : valuesOf(made);
  const subsets = [...(rule?.subsets.keys() ?? [])].flatMap((name): readonly ExplainedSection[] => {
    const cluster = outboundCluster(state, client, service, port, name);
    const values = typeof cluster === 'string' ? [broken(cluster)] : changedValues(valuesOf(cluster), whole);
    return values.length === 0 ? [] : [{ title: `calls to port ${port.number}, subset ${name}`, values }];
  });
  return [{ title: `calls to port ${port.number}`, values: [...applies, ...whole] }, ...subsets];
}

function broken(why: string): ExplainedValue {
  return { name: 'calls', value: `answered 503: ${why}`, origin: '' };
}

/** Everything that says something about the service, in force or not. */
function involved(state: MeshState, service: ServiceModel): readonly OriginRef[] {
  const objects = [
    ...state.services.claims(service.host).map(({ object }) => object),
    ...state.virtualServices.covering(service.host).flat(),
    ...state.destinationRules.covering(service.host).flat(),
    ...state.routes.attachedTo(service.objectKey),
    ...state
      .list('security.istio.io/PeerAuthentication')
      .filter(({ metadata }) => metadata.namespace === service.namespace),
    ...attachedTo(state, endpointPolicyAttachment, service.objectKey),
  ];
  return [...objects.map(originOf), ...state.instances.of(service).instances.flatMap(({ origins }) => origins)];
}

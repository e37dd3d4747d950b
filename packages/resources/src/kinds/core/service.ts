import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList, pairList } from '../../format/columns.ts';
import { conditions } from '../../schema/conditions.ts';
import { choice, flag, int32, intOrString, keyedList, list, map, object, port, text } from '../../schema/fields.ts';
import { validateService, validateServiceUpdate } from './service-validation.ts';

function servicePort() {
  return object(
    'A port of the service.',
    {
      name: text('Name of the port, a label; needed as soon as there is more than one port.'),
      port: port('The port that clients connect to.'),
      targetPort: intOrString('The port of the workload, by number or by name. Default: the same as `port`.'),
      protocol: choice('Transport protocol. Default TCP.', ['TCP', 'UDP', 'SCTP'], { default: 'TCP' }),
      appProtocol: text(
        'Application protocol: http, http2, grpc, https, tls, tcp, kubernetes.io/h2c or a name of your own. Where it is absent, the part of the port name before the first dash counts.',
      ),
      nodePort: int32('Port on each node, for types NodePort and LoadBalancer. Nothing in Weft acts on it.', {
        min: 0,
        max: 65_535,
      }),
    },
    ['port'],
  );
}

function serviceSpec() {
  const address = (description: string) => text(description);
  return object('What is asked for.', {
    ports: keyedList('The ports of the service.', servicePort(), {
      listMapKeys: ['port', 'protocol'],
      patchMergeKey: 'port',
    }),
    selector: map(
      'Labels of the workloads that are the endpoints of the service. Without a selector somebody else keeps its EndpointSlices.',
      text('Value of the label.'),
      {},
      { 'x-kubernetes-map-type': 'atomic' },
    ),
    type: choice('How the service is exposed. Default ClusterIP; ExternalName is another name for a host.', [
      'ClusterIP',
      'NodePort',
      'LoadBalancer',
      'ExternalName',
    ]),
    clusterIP: text('A virtual address, `None` for a headless service, or empty.'),
    clusterIPs: list(
      'Virtual addresses by family; the first is `clusterIP`.',
      address('An address or `None`.'),
      {},
      {
        'x-kubernetes-list-type': 'atomic',
      },
    ),
    externalIPs: list(
      'Addresses that reach the service from outside.',
      address('An IP address.'),
      {},
      {
        'x-kubernetes-list-type': 'atomic',
      },
    ),
    externalName: text('The host that an ExternalName service stands for.'),
    sessionAffinity: choice('Whether a client stays with an endpoint. Default None.', ['None', 'ClientIP']),
    sessionAffinityConfig: object('Details of the affinity.', {
      clientIP: object('For affinity by client address.', {
        timeoutSeconds: int32('Seconds that the affinity lasts. Default 10800.', { min: 1, max: 86_400 }),
      }),
    }),
    loadBalancerIP: text('An address asked of a load balancer. Nothing in Weft acts on it.'),
    loadBalancerSourceRanges: list(
      'Client networks that a load balancer lets in.',
      text('A CIDR block.'),
      {},
      {
        'x-kubernetes-list-type': 'atomic',
      },
    ),
    loadBalancerClass: text('Which load balancer is meant.'),
    allocateLoadBalancerNodePorts: flag('Whether a load balancer gets node ports.'),
    externalTrafficPolicy: choice('Which endpoints traffic from outside may reach.', ['Cluster', 'Local']),
    internalTrafficPolicy: choice('Which endpoints traffic from inside may reach.', ['Cluster', 'Local']),
    trafficDistribution: text('A preference among endpoints: PreferClose, PreferSameZone or PreferSameNode.'),
    healthCheckNodePort: int32('Port for health checks by a load balancer.', { min: 0, max: 65_535 }),
    publishNotReadyAddresses: flag('Whether endpoints that are not ready count as well.'),
    ipFamilies: list(
      'Address families, at most two.',
      choice('A family.', ['IPv4', 'IPv6']),
      { max: 2 },
      {
        'x-kubernetes-list-type': 'atomic',
      },
    ),
    ipFamilyPolicy: choice('Whether one family is enough.', ['SingleStack', 'PreferDualStack', 'RequireDualStack']),
  });
}

function serviceSchema() {
  return object('A service.', {
    spec: serviceSpec(),
    status: object('What is.', {
      conditions: conditions('Statements about the service: Accepted, Programmed.'),
      loadBalancer: object('What a load balancer gave.', {
        ingress: list(
          'Where the load balancer listens.',
          object('One place.', {
            ip: text('Its address.'),
            hostname: text('Its host name.'),
            ipMode: text('Whether the address is the load balancer (VIP) or stands before it (Proxy).'),
            ports: list(
              'Its ports.',
              object(
                'One port.',
                {
                  port: int32('Its number.'),
                  protocol: choice('Its transport protocol.', ['TCP', 'UDP', 'SCTP']),
                  error: text('Why it does not work.'),
                },
                ['port', 'protocol'],
              ),
              {},
              { 'x-kubernetes-list-type': 'atomic' },
            ),
          }),
          {},
          { 'x-kubernetes-list-type': 'atomic' },
        ),
      }),
    }),
  });
}

/** A name for a set of workloads, with ports. */
export type Service = ObjectOf<typeof serviceSchema>;
export type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

function withDefaults(service: Service): Service {
  const spec = service.spec ?? {};
  const type = spec.type ?? 'ClusterIP';
  return {
    ...service,
    spec: {
      ...spec,
      type,
      sessionAffinity: spec.sessionAffinity ?? 'None',
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' }),
      ...(spec.ports === undefined
        ? {}
        : {
            ports: spec.ports.map((port) => ({
              ...port,
              protocol: port.protocol ?? 'TCP',
              targetPort: port.targetPort ?? port.port,
            })),
          }),
    },
    status: { ...service.status, loadBalancer: service.status?.loadBalancer ?? {} },
  };
}

export const serviceKind = declareKind<Service>({
  group: '',
  versions: ['v1'],
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  nameFormat: 'dns-label',
  hasStatus: true,
  description: 'A name for a set of workloads, with the ports that clients connect to.',
  schema: serviceSchema,
  withDefaults,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  columns: [
    { name: 'Type', type: 'string', priority: 0, description: 'How it is exposed.', value: ({ spec }) => spec?.type },
    {
      name: 'Cluster-IP',
      type: 'string',
      priority: 0,
      description: 'Its virtual address.',
      value: ({ spec }) => (spec?.clusterIP === '' ? undefined : spec?.clusterIP),
    },
    {
      name: 'External-IP',
      type: 'string',
      priority: 0,
      description: 'Where it is reached from outside.',
      value: ({ spec, status }) =>
        spec?.type === 'ExternalName'
          ? spec.externalName
          : commaList([
              ...(status?.loadBalancer?.ingress ?? []).flatMap((ingress) => ingress.ip ?? ingress.hostname ?? []),
              ...(spec?.externalIPs ?? []),
            ]),
    },
    {
      name: 'Port(s)',
      type: 'string',
      priority: 0,
      description: 'Its ports.',
      value: ({ spec }) =>
        commaList(
          (spec?.ports ?? []).map(
            ({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`,
          ),
        ),
    },
    age,
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of its workloads.',
      value: ({ spec }) => pairList(spec?.selector),
    },
  ],
});

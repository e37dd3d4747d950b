import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { accepted, age, commaList, programmed } from '../../format/columns.ts';
import { list, map, object, text } from '../../schema/fields.ts';
import { istioStatus } from '../../schema/istio-status.ts';
import { workloadSelector } from '../../schema/workload-selector.ts';
import { validateDestinationRule } from './destination-rule-validation.ts';
import { portPolicy, trafficPolicy } from './traffic-policy-schema.ts';

function destinationRuleSchema() {
  const parts = portPolicy();
  return object('A destination rule.', {
    spec: object(
      'What happens to traffic after it was routed to the host.',
      {
        host: text('Name of the service; a short name is completed with the namespace of this object.'),
        trafficPolicy: trafficPolicy('How traffic to the host is sent.', parts),
        subsets: list(
          'Parts of the endpoints that routes can name.',
          object(
            'One subset.',
            {
              name: text('Its name.'),
              labels: map('Labels that the endpoints of the subset have.', text('Value of the label.')),
              trafficPolicy: trafficPolicy('What differs from the policy of the host.', parts),
            },
            ['name'],
          ),
        ),
        exportTo: list(
          'Namespaces that see the rule: names, `.` for the own one, `*` for all (default).',
          text('A namespace.'),
        ),
        workloadSelector: workloadSelector('Callers that the rule is for. Default all.'),
      },
      ['host'],
    ),
    status: istioStatus(),
  });
}

/** What happens to traffic after it was routed to a host. */
export type DestinationRule = ObjectOf<typeof destinationRuleSchema>;
export type DestinationRuleSpec = NonNullable<DestinationRule['spec']>;
export type Subset = NonNullable<DestinationRuleSpec['subsets']>[number];
export type TrafficPolicy = NonNullable<DestinationRuleSpec['trafficPolicy']>;
export type PortTrafficPolicy = NonNullable<TrafficPolicy['portLevelSettings']>[number];

export const destinationRuleKind = declareKind<DestinationRule>({
  group: 'networking.istio.io',
  versions: ['v1', 'v1beta1', 'v1alpha3'],
  kind: 'DestinationRule',
  plural: 'destinationrules',
  singular: 'destinationrule',
  shortNames: ['dr'],
  categories: ['istio-io', 'networking-istio-io'],
  namespaced: true,
  hasStatus: true,
  description: 'What happens to traffic after it was routed to a host: subsets, load balancing, limits, TLS.',
  schema: destinationRuleSchema,
  validate: validateDestinationRule,
  columns: [
    {
      name: 'Host',
      type: 'string',
      priority: 0,
      description: 'The service that the rule is for.',
      value: ({ spec }) => spec?.host,
    },
    {
      name: 'Subsets',
      type: 'string',
      priority: 0,
      description: 'Names of its subsets.',
      value: ({ spec }) => commaList(spec?.subsets?.map(({ name }) => name)),
    },
    programmed,
    accepted,
    age,
  ],
});

import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList } from '../../format/columns.ts';
import { bytes, choice, decimal, integer, intOrString, list, object, port, text } from '../../schema/fields.ts';
import { sectionName } from '../gateway/names-schema.ts';
import { policyStatus, targetReferences } from '../gateway/policy-attachment.ts';
import { duration } from '../networking/route-parts-schema.ts';
import { endpointPolicyWarnings, validateEndpointPolicy } from './endpoint-policy-validation.ts';

const thresholds = { min: 1, max: 100 };

function payload(description: string) {
  return object(description, {
    text: text('As text, sent in UTF-8.', { min: 1, max: 4096 }),
    base64: bytes('As bytes, in base64.'),
  });
}

function healthCheck() {
  return object('How callers find out which endpoints are well. One of http, grpc and tcp.', {
    interval: duration('Time between two checks of an endpoint. At least 500ms, at most 1h. Default 10s.'),
    timeout: duration('Longest wait for an answer, connecting included. At least 10ms, at most 1m. Default 1s.'),
    healthyThreshold: integer(
      'Checks in a row that an endpoint which failed must pass. The very first check counts alone. Default 1.',
      thresholds,
    ),
    unhealthyThreshold: integer(
      'Checks in a row that an endpoint must fail. A server that says NOT_SERVING by gRPC has failed at once. Default 3.',
      thresholds,
    ),
    jitter: duration('Up to so much is added to each interval, at random. Default: a tenth of the interval.'),
    port: port(
      'Port of the target at which its endpoints are asked, in place of the one that traffic goes to: such as that of a server of its own for health.',
    ),
    http: object(
      'A request, whose status tells.',
      {
        path: text('Path, with a query or without.', { min: 1, max: 1024 }),
        host: text('Host (authority) of the request. Default: that of the target.', { min: 1, max: 255 }),
        method: choice('Method. Default GET.', ['GET', 'HEAD', 'OPTIONS', 'POST']),
        expectedStatuses: list(
          'Statuses of an endpoint that is well: numbers such as 204, or ranges such as "200-299". Default 200.',
          intOrString('A status or a range of them.'),
          { min: 1, max: 16 },
        ),
        cacheTime: duration(
          'The sidecars of the target give callers the answer of their application for so long, so that many callers ask it no more often. At most 1m. Default: each check reaches the application.',
        ),
      },
      ['path'],
    ),
    grpc: object('A call of grpc.health.v1.Health/Check.', {
      service: text('Service that is asked about. Default: the server as a whole.', { min: 1, max: 1024 }),
      authority: text('Authority of the call. Default: the host of the target.', { min: 1, max: 255 }),
    }),
    tcp: object('A connection, and what is said on it.', {
      send: payload('What is sent. Default nothing.'),
      receive: list(
        'What must come back, in this order, with anything between. Default nothing: a connection is enough.',
        payload('One piece.'),
        { min: 1, max: 8 },
      ),
    }),
  });
}

function loadBalancer() {
  return object('What no DestinationRule can say of how callers choose among the endpoints.', {
    boundedLoad: integer(
      'Where they choose by hash: most requests under way at one endpoint, in percent of the mean of all. What is more goes to others.',
      { min: 100, max: 100_000 },
    ),
    leastRequest: object('Where they choose by the fewest requests under way.', {
      choiceCount: integer('Endpoints that are compared, taken at random. Default 2.', { min: 2, max: 100 }),
      activeRequestBias: decimal(
        'With unequal weights: how much requests under way count against a weight. 0: not at all. Default 1.',
        { min: 0, max: 100 },
      ),
    }),
    panicThreshold: integer(
      'With fewer endpoints that are well than this share of all, in percent, health is not looked at any more. 0: it always is.',
      { min: 0, max: 100 },
    ),
  });
}

function endpointPolicySchema() {
  return object(
    'A policy of endpoints.',
    {
      spec: object(
        'Whose endpoints the policy is for, how callers check them, and how they choose among them.',
        {
          targetRefs: targetReferences({
            thing: 'target',
            all: 'The targets: Services and ServiceEntries of the namespace, or ports of them.',
            sectionName: sectionName('Port of the target, by its name. Default: every port.'),
          }),
          healthCheck: healthCheck(),
          loadBalancer: loadBalancer(),
        },
        ['targetRefs'],
      ),
      status: policyStatus({
        description: 'What became of the policy at each target.',
        ancestor: 'target',
        conditions: 'Statements: Accepted, Programmed, NotYetSupported.',
      }),
    },
    ['spec'],
  );
}

/** How callers check the endpoints of a service and choose among them, as far as no other kind has a field for it. */
export type EndpointPolicy = ObjectOf<typeof endpointPolicySchema>;
export type EndpointPolicySpec = EndpointPolicy['spec'];
export type EndpointHealthCheck = NonNullable<EndpointPolicySpec['healthCheck']>;

export const endpointPolicyKind = declareKind<EndpointPolicy>({
  group: 'weft.dev',
  versions: ['v1alpha1'],
  kind: 'EndpointPolicy',
  plural: 'endpointpolicies',
  singular: 'endpointpolicy',
  shortNames: ['epolicy'],
  categories: ['weft'],
  namespaced: true,
  hasStatus: true,
  description:
    'How callers check the endpoints of a service and choose among them, beyond what a DestinationRule says.',
  schema: endpointPolicySchema,
  validate: validateEndpointPolicy,
  warnings: endpointPolicyWarnings,
  columns: [
    {
      name: 'Targets',
      type: 'string',
      priority: 0,
      description: 'Whose endpoints it is for.',
      value: ({ spec }) =>
        commaList(
          spec.targetRefs?.map(
            ({ kind, name, sectionName: section }) => `${kind}/${name}${section === undefined ? '' : `:${section}`}`,
          ),
        ),
    },
    {
      name: 'Checks',
      type: 'string',
      priority: 0,
      description: 'By what the endpoints are checked.',
      value: ({ spec }) => ['http', 'grpc', 'tcp'].find((kind) => Object.hasOwn(spec.healthCheck ?? {}, kind)),
    },
    age,
  ],
});

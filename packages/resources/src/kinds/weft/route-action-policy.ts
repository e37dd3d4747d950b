import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { kibibytesPattern } from '../../format/byte-size.ts';
import { age } from '../../format/columns.ts';
import { decimal, flag, int32, object, text } from '../../schema/fields.ts';
import { policyStatus, targetReferences } from '../gateway/policy-attachment.ts';
import { retries } from '../networking/http-route-schema.ts';
import { duration } from '../networking/route-parts-schema.ts';
import { validateRouteActionPolicy } from './route-action-policy-validation.ts';

function percentage(description: string) {
  return object(
    description,
    { value: decimal('Percent, from 0 to 100; fractions are allowed.', { min: 0, max: 100 }) },
    ['value'],
  );
}

function fault() {
  return object('Failures made on purpose, to see how callers bear them.', {
    bandwidth: object(
      'Slow down the bodies of responses.',
      {
        limit: text('How much of a body is sent in a second: 64Ki is 64 KiB.', {
          pattern: kibibytesPattern,
          form: 'a whole number of KiB, MiB or GiB such as 64Ki',
        }),
        percentage: percentage('Share of the responses. Default all.'),
      },
      ['limit'],
    ),
    delay: object(
      'Hold requests up before they are sent on.',
      {
        fixedDelay: duration('How long each is held up.'),
        percentage: percentage('Share of the requests. Default all.'),
      },
      ['fixedDelay'],
    ),
    abort: object('Answer requests with an error. One of httpStatus and grpcStatus.', {
      httpStatus: int32('Status of the answer.'),
      grpcStatus: text('gRPC status of the answer, by its name, such as UNAVAILABLE.'),
      percentage: percentage('Share of the requests. Default all.'),
    }),
  });
}

function routeActionPolicySchema() {
  return object(
    'A policy of what routes do besides leading somewhere.',
    {
      spec: object(
        'Which routes the policy is for, and what they do. What a route says itself comes before it.',
        {
          targetRefs: targetReferences({
            thing: 'route',
            all: 'The routes: HTTPRoutes, GRPCRoutes, VirtualServices, or rules of them.',
            sectionName: text('Rule of the route, by its name. Default: every rule.', { min: 1, max: 253 }),
          }),
          hedging: object(
            'Further tries beside those that are under way.',
            {
              onPerTryTimeout: flag(
                'When the time of a try is over it goes on, and the next one is made beside it: the first good answer counts. It takes retries with a time for each try. Default false.',
              ),
            },
            ['onPerTryTimeout'],
          ),
          fault: fault(),
          retries: retries(),
        },
        ['targetRefs'],
      ),
      status: policyStatus({
        description: 'What became of the policy at each route that it is for.',
        ancestor: 'route',
        conditions: 'Statements: Accepted, Conflicted, PartiallyInvalid, NotYetSupported.',
      }),
    },
    ['spec'],
  );
}

/** What routes do that their own kinds have no field for: hedging, faults, retries. */
export type RouteActionPolicy = ObjectOf<typeof routeActionPolicySchema>;

export const routeActionPolicyKind = declareKind<RouteActionPolicy>({
  group: 'weft.dev',
  versions: ['v1alpha1'],
  kind: 'RouteActionPolicy',
  plural: 'routeactionpolicies',
  singular: 'routeactionpolicy',
  shortNames: ['rap'],
  categories: ['weft'],
  namespaced: true,
  hasStatus: true,
  description: 'What routes do that their own kinds have no field for: hedging, faults, retries.',
  schema: routeActionPolicySchema,
  validate: validateRouteActionPolicy,
  columns: [
    {
      name: 'Routes',
      type: 'string',
      priority: 0,
      description: 'The routes that it is for.',
      value: ({ spec }) =>
        spec.targetRefs
          ?.map(({ kind, name, sectionName }) => `${kind}/${name}${sectionName === undefined ? '' : `/${sectionName}`}`)
          .join(','),
    },
    age,
  ],
});

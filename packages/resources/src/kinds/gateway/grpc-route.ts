import { declareKind, type ObjectOf } from '../../declare-kind.ts';
import { age, commaList } from '../../format/columns.ts';
import { choice, list, object, text } from '../../schema/fields.ts';
import { validateGrpcRoute } from './grpc-route-validation.ts';
import { headerName, sectionName } from './names-schema.ts';
import { backendReferenceFields, backendWeight, gatewayGroup, localReference } from './references-schema.ts';
import {
  atomic,
  byName,
  headerMatchType,
  headerModifier,
  hostnames,
  parentRefs,
  requestMirror,
  routeStatus,
  sessionPersistence,
} from './route-parts-schema.ts';

function filter() {
  return object(
    'One step on requests or responses: the field that `type` names says what it does.',
    {
      type: choice('What the step does.', [
        'ResponseHeaderModifier',
        'RequestHeaderModifier',
        'RequestMirror',
        'ExtensionRef',
      ]),
      requestHeaderModifier: headerModifier('Edits of the metadata of the call.'),
      responseHeaderModifier: headerModifier('Edits of the metadata of the answer.'),
      requestMirror: requestMirror(),
      extensionRef: localReference('An object that describes a step of an implementation’s own.'),
    },
    ['type'],
  );
}

function match() {
  return object('Conditions that a call meets all of.', {
    method: object('The service and method that are called. Default: all.', {
      type: choice(
        'Whether names are compared as a whole or are regular expressions (RE2 syntax).',
        ['Exact', 'RegularExpression'],
        { default: 'Exact' },
      ),
      service: text('The service with its package, such as shop.v1.Cart. Default: all.', { max: 1024 }),
      method: text('The method. Default: all.', { max: 1024 }),
    }),
    headers: list(
      'Metadata that the call has; of two entries for one name the first counts.',
      object(
        'An entry of the metadata and its value.',
        {
          type: headerMatchType(),
          name: headerName('Name of the entry, in any case.'),
          value: text('What the value is compared with.', { min: 1, max: 4096 }),
        },
        ['name', 'value'],
      ),
      { max: 16 },
      byName,
    ),
  });
}

function rule(step: ReturnType<typeof filter>) {
  return object('A rule: what it matches, what it changes, and where calls go.', {
    name: sectionName('Name of the rule, unique in the route.'),
    matches: list(
      'Matches; one of them is enough, and without any the rule takes every call.',
      match(),
      { max: 64 },
      atomic,
    ),
    filters: list('Steps on calls and answers of the rule.', step, { max: 16 }, atomic),
    backendRefs: list(
      'Backends among which calls are shared out by weight.',
      object(
        'One backend, its share, and its own steps.',
        {
          ...backendReferenceFields(),
          weight: backendWeight(),
          filters: list('Steps on calls and answers of this backend only.', step, { max: 16 }, atomic),
        },
        ['name'],
      ),
      { max: 16 },
      atomic,
    ),
    sessionPersistence: sessionPersistence(),
  });
}

function grpcRouteSchema() {
  return object(
    'A gRPC route.',
    {
      spec: object('What calls the route takes, and where they go.', {
        ...parentRefs(),
        hostnames: hostnames(
          'Hosts that the route is for; a parent’s host must cover one of them. Default: those of the parent.',
        ),
        rules: list('Rules; the most specific match of all rules decides.', rule(filter()), { max: 16 }, atomic),
      }),
      status: routeStatus(),
    },
    ['spec'],
  );
}

/** How gRPC calls to Gateways, or to Services of the mesh, are routed. */
export type KubeGrpcRoute = ObjectOf<typeof grpcRouteSchema>;
export type KubeGrpcRouteRule = NonNullable<KubeGrpcRoute['spec']['rules']>[number];
export type KubeGrpcRouteMatch = NonNullable<KubeGrpcRouteRule['matches']>[number];
export type KubeGrpcRouteFilter = NonNullable<KubeGrpcRouteRule['filters']>[number];
export type KubeGrpcBackendRef = NonNullable<KubeGrpcRouteRule['backendRefs']>[number];

export const kubeGrpcRouteKind = declareKind<KubeGrpcRoute>({
  group: gatewayGroup,
  versions: ['v1'],
  kind: 'GRPCRoute',
  plural: 'grpcroutes',
  singular: 'grpcroute',
  shortNames: [],
  categories: ['gateway-api'],
  namespaced: true,
  hasStatus: true,
  description: 'How gRPC calls that arrive at a Gateway, or at a Service of the mesh, are routed.',
  schema: grpcRouteSchema,
  structuralDefaults: true,
  validate: validateGrpcRoute,
  columns: [
    {
      name: 'Hostnames',
      type: 'string',
      priority: 0,
      description: 'Hosts that the route is for.',
      value: ({ spec }) => commaList(spec.hostnames),
    },
    age,
  ],
});

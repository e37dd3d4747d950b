import { type OriginRef, originKey } from '@weft/ir';
import type { KubeParentRef } from '@weft/resources';
import type {
  BackendTlsPolicy,
  EndpointPolicy,
  GatewayClass,
  KubeGateway,
  KubeGrpcRoute,
  KubeHttpRoute,
  KubeTcpRoute,
  KubeTlsRoute,
  RouteActionPolicy,
} from '../kinds.ts';
import { originOf } from '../origin.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { gatewayGroup, type KubeRoute, parentKey } from '../state/route-index.ts';
import { attachmentOf } from '../to-ir/gateway-api/attachment.ts';
import { type RefProblem, resolveBackend } from '../to-ir/gateway-api/backend.ts';
import { backendClientCertificate } from '../to-ir/gateway-api/certificates.ts';
import { insecureFallbacks } from '../to-ir/gateway-api/client-validation.ts';
import {
  classParametersProblem,
  controllerName,
  isOurs,
  parametersProblem,
} from '../to-ir/gateway-api/gateway-class.ts';
import { rulesOf } from '../to-ir/gateway-api/http-rules.ts';
import { ownerKey, ownerName } from '../to-ir/gateway-api/listener-owner.ts';
import { parentGateway } from '../to-ir/gateway-api/listener-sets.ts';
import { gatewayListeners, isAttached, isOpen, isValid } from '../to-ir/gateway-api/listeners.ts';
import { supportedFeatures } from '../to-ir/gateway-api/supported-features.ts';
import { type AncestorStatus, backendTlsAncestors } from './backend-tls-status.ts';
import { endpointPolicyAncestors } from './endpoint-policy-status.ts';
import { gatewayAddresses, servedPorts } from './gateway-addresses.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';
import { attachedListenerSets, listenerSetStatus } from './listener-set-status.ts';
import { type ListenerStatus, listenerStatus } from './listener-status.ts';
import { routeActionPolicyAncestors } from './route-action-policy-status.ts';
import { notActedUpon } from './route-fields.ts';

/** Status in the shape that Gateway API gives it. `Programmed` says what translation knows; that proxies have applied it the writer adds. */
export type GatewayApiStatus = { readonly origin: OriginRef } & (
  | {
      readonly kind: 'class';
      readonly conditions: readonly GatewayCondition[];
      readonly supportedFeatures: readonly string[];
    }
  | {
      readonly kind: 'listener-set';
      readonly conditions: readonly GatewayCondition[];
      readonly listeners: readonly ListenerStatus[];
    }
  | {
      readonly kind: 'gateway';
      /** Where the gateway's proxies are reached. */
      readonly addresses: readonly string[];
      readonly conditions: readonly GatewayCondition[];
      readonly listeners: readonly ListenerStatus[];
      /** ListenerSets that are accepted; undefined: it takes none. */
      readonly attachedListenerSets: number | undefined;
    }
  | {
      readonly kind: 'route';
      readonly parents: readonly { readonly ref: KubeParentRef; readonly conditions: readonly GatewayCondition[] }[];
    }
  | { readonly kind: 'policy'; readonly ancestors: readonly AncestorStatus[] }
);

const routeKinds = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;

/** The status of every GatewayClass, Gateway, ListenerSet, route and policy that is ours to speak about, by `originKey`. The same object while nothing new is to be said. */
export function gatewayApiStatus(state: MeshState): ReadonlyMap<string, GatewayApiStatus> {
  const statuses = new Map<string, GatewayApiStatus>();
  const keep = (made: GatewayApiStatus): void => {
    const key = originKey(made.origin);
    statuses.set(
      key,
      state.memo.get(`gateway-api-status|${key}`, [JSON.stringify(made)], () => made),
    );
  };
  const add = <
    T extends GatewayClass | KubeGateway | KubeRoute | BackendTlsPolicy | EndpointPolicy | RouteActionPolicy,
  >(
    object: T,
    build: (object: T) => GatewayApiStatus | undefined,
  ): void => {
    const key = originKey(originOf(object));
    const made = state.reads.remember(`gateway-api-status|${key}`, [object], () => build(object));
    if (made !== undefined) {
      keep(made);
    }
  };
  for (const gatewayClass of state.objects('gateway.networking.k8s.io/GatewayClass')) {
    add(gatewayClass, classStatus);
  }
  for (const gateway of state.objects('gateway.networking.k8s.io/Gateway')) {
    add(gateway, (object) => gatewayStatus(state, object));
  }
  for (const set of state.objects('gateway.networking.k8s.io/ListenerSet')) {
    const status = listenerSetStatus(state, set);
    if (status !== undefined) {
      keep({ origin: originOf(set), kind: 'listener-set', ...status });
    }
  }
  for (const kind of routeKinds) {
    for (const route of state.objects(`gateway.networking.k8s.io/${kind}`)) {
      add(route as KubeRoute, (object) => routeStatus(state, object));
    }
  }
  for (const policy of state.objects('gateway.networking.k8s.io/BackendTLSPolicy')) {
    add(policy, (object) => ({
      origin: originOf(object),
      kind: 'policy',
      ancestors: backendTlsAncestors(state, object),
    }));
  }
  for (const policy of state.objects('weft.dev/EndpointPolicy')) {
    add(policy, (object) => ({
      origin: originOf(object),
      kind: 'policy',
      ancestors: endpointPolicyAncestors(state, object),
    }));
  }
  for (const policy of state.objects('weft.dev/RouteActionPolicy')) {
    add(policy, (object) => ({
      origin: originOf(object),
      kind: 'policy',
      ancestors: routeActionPolicyAncestors(state, object),
    }));
  }
  return statuses;
}

function classStatus(gatewayClass: GatewayClass): GatewayApiStatus | undefined {
  const problem = classParametersProblem(gatewayClass);
  return gatewayClass.spec.controllerName === controllerName
    ? {
        origin: originOf(gatewayClass),
        kind: 'class',
        conditions: [
          problem === undefined
            ? condition('Accepted', true, 'Accepted', 'Gateways of this class are served by Weft')
            : condition('Accepted', false, 'InvalidParameters', problem),
        ],
        supportedFeatures,
      }
    : undefined;
}

function gatewayStatus(state: MeshState, gateway: KubeGateway): GatewayApiStatus | undefined {
  if (!isOurs(state, gateway)) {
    return undefined;
  }
  const { accepted, byOwner } = gatewayListeners(state, gateway);
  const listeners = byOwner.get(ownerKey(gateway)) ?? [];
  const invalid = listeners.filter((listener) => !isValid(listener));
  const usable = listeners.filter(isOpen);
  const addresses = gatewayAddresses(state, gateway);
  const parameters = parametersProblem(state, gateway);
  const served = parameters === undefined ? servedPorts(state, gateway) : new Set<number>();
  const [elsewhere] = (gateway.spec.addresses ?? []).filter(
    ({ value = '' }) => value !== '' && !addresses.includes(value),
  );
  const names = invalid.map(({ listener }) => listener.name).join(', ');
  const programmed =
    parameters !== undefined || usable.length === 0
      ? condition('Programmed', false, 'Invalid', parameters ?? 'no listener can be opened')
      : addresses.length === 0
        ? condition(
            'Programmed',
            false,
            'AddressNotAssigned',
            `no proxy serves it: start one with weft gateway ${gateway.metadata.name} --namespace ${gateway.metadata.namespace ?? ''}`,
          )
        : elsewhere === undefined
          ? condition('Programmed', true, 'Programmed', 'the listeners that are valid are open')
          : condition(
              'Programmed',
              false,
              'AddressNotUsable',
              `no proxy that serves it listens at ${elsewhere.value ?? 'an address of its own'}: weft gateway ${gateway.metadata.name} --address says where one listens`,
            );
  return {
    origin: originOf(gateway),
    kind: 'gateway',
    addresses,
    conditions: [
      parameters !== undefined
        ? condition('Accepted', false, 'InvalidParameters', parameters)
        : invalid.length === 0
          ? condition('Accepted', true, 'Accepted', 'the Gateway is valid')
          : condition('Accepted', accepted, 'ListenersNotValid', `not valid: ${names}`),
      programmed,
      ...clientCertificateConditions(state, gateway),
    ],
    listeners: listeners.map((listener) => listenerStatus(listener, served)),
    attachedListenerSets: attachedListenerSets(gateway, byOwner),
  };
}

/** What `spec.tls` is besides what its listeners say: the certificate that is shown to backends, and clients that are let in unchecked. */
function clientCertificateConditions(state: MeshState, gateway: KubeGateway): readonly GatewayCondition[] {
  const shown = backendClientCertificate(state, gateway);
  const insecure = insecureFallbacks(gateway);
  return [
    ...(shown === undefined
      ? []
      : [
          'reason' in shown
            ? condition('ResolvedRefs', false, shown.reason, `backends with a BackendTLSPolicy: ${shown.message}`)
            : condition('ResolvedRefs', true, 'ResolvedRefs', 'all references are known'),
        ]),
    ...(insecure.length === 0
      ? []
      : [
          condition(
            'InsecureFrontendValidationMode',
            true,
            'ConfigurationChanged',
            `clients without a valid certificate are let in (AllowInsecureFallback): ${insecure.join(', ')}`,
          ),
        ]),
  ];
}

function routeStatus(state: MeshState, route: KubeRoute): GatewayApiStatus {
  const namespace = route.metadata.namespace ?? '';
  const problems = problemsOf(state, route);
  const resolved =
    problems[0] === undefined
      ? condition('ResolvedRefs', true, 'ResolvedRefs', 'all references are known')
      : condition('ResolvedRefs', false, problems[0].reason, problems.map(({ message }) => message).join('; '));
  const unsupported = notActedUpon(state, route);
  const notYet =
    unsupported.length === 0 ? [] : [condition('NotYetSupported', true, 'FieldsNotActedUpon', unsupported)];
  const parents = (route.spec.parentRefs ?? []).flatMap((ref) => {
    const accepted = acceptance(state, route, ref, namespace);
    return accepted === undefined ? [] : [{ ref, conditions: [accepted, resolved, ...notYet] }];
  });
  return { origin: originOf(route), kind: 'route', parents };
}

/** `Accepted` at one parent; undefined: the parent is not ours, or there is no such Gateway or ListenerSet. */
function acceptance(
  state: MeshState,
  route: KubeRoute,
  ref: KubeParentRef,
  namespace: string,
): GatewayCondition | undefined {
  const parent = parentKey(ref, namespace);
  const accepted = condition('Accepted', true, 'Accepted', 'the route is attached');
  if (parent?.startsWith('Service/') === true) {
    const [service] = state.services.ofObject(parent);
    if (service === undefined) {
      return condition('Accepted', false, 'NoMatchingParent', `there is no ${parent.replace('/', ' ')}`);
    }
    const hasPort = service.ports.some(
      ({ number, name }) =>
        (ref.port === undefined || ref.port === number) && (ref.sectionName === undefined || ref.sectionName === name),
    );
    return hasPort ? accepted : condition('Accepted', false, 'NoMatchingParent', `${service.host} has no such port`);
  }
  const key = parent?.slice(parent.indexOf('/') + 1) ?? '';
  const set =
    parent?.startsWith('ListenerSet/') === true
      ? state.object('gateway.networking.k8s.io/ListenerSet', key)
      : undefined;
  const named =
    parent?.startsWith('Gateway/') === true ? state.object('gateway.networking.k8s.io/Gateway', key) : undefined;
  const gateway = set === undefined ? named : parentGateway(state, set);
  if (gateway === undefined || !isOurs(state, gateway)) {
    return undefined;
  }
  const owner = set ?? gateway;
  if (set !== undefined && !isAttached(state, gateway, set)) {
    return condition('Accepted', false, 'NoMatchingParent', `${ownerName(set)} is not attached to its Gateway`);
  }
  const attachment = attachmentOf(state, owner, route, ref);
  return 'attached' in attachment ? accepted : condition('Accepted', false, attachment.refused, attachment.message);
}

function problemsOf(state: MeshState, route: KubeRoute): readonly RefProblem[] {
  // Which proxy asks does not matter for whether a reference resolves.
  const client = { namespace: route.metadata.namespace ?? '', labels: {} };
  if (route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute') {
    return rulesOf(state, client, route as KubeHttpRoute | KubeGrpcRoute, undefined).problems;
  }
  return (route as KubeTlsRoute | KubeTcpRoute).spec.rules.flatMap(({ backendRefs }) =>
    backendRefs.flatMap((ref) => resolveBackend(state, client, ref, route).problem ?? []),
  );
}

/** Group of the kinds that {@link ListenerStatus.supportedKinds} names. */
export const routeGroup = gatewayGroup;
/** What routes' statuses are signed with. */
export const gatewayControllerName = controllerName;

import { type OriginRef, originKey } from '@weft/ir';
import type { KubeParentRef } from '@weft/resources';
import {
  type GatewayClass,
  type KubeGateway,
  type KubeGrpcRoute,
  type KubeHttpRoute,
  type KubeTcpRoute,
  type KubeTlsRoute,
  keyOf,
  type ListenerSet,
} from '../kinds.ts';
import { originOf } from '../origin.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { type KubeRoute, parentKey } from '../state/route-index.ts';
import { labelsOf } from '../state/workload.ts';
import { attachmentOf } from '../to-ir/gateway-api/attachment.ts';
import { gatewayGroup, type RefProblem, resolveBackend } from '../to-ir/gateway-api/backend.ts';
import { supportedBackendFilters, supportedFilters } from '../to-ir/gateway-api/filters.ts';
import { controllerName, isOurs } from '../to-ir/gateway-api/gateway-class.ts';
import { rulesOf } from '../to-ir/gateway-api/http-rules.ts';
import {
  type EffectiveListener,
  effectiveListeners,
  gatewayNameLabel,
  isOpen,
} from '../to-ir/gateway-api/listeners.ts';
import { supportedFeatures } from '../to-ir/gateway-api/supported-features.ts';

/** A condition of Gateway API without what only the writer knows (`observedGeneration`, `lastTransitionTime`). */
export interface GatewayCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface ListenerStatus {
  readonly name: string;
  /** Kinds of Gateway API's own group. */
  readonly supportedKinds: readonly string[];
  readonly attachedRoutes: number;
  readonly conditions: readonly GatewayCondition[];
}

/** Status in the shape that Gateway API gives it. `Programmed` says what translation knows; that proxies have applied it the writer adds. */
export type GatewayApiStatus = { readonly origin: OriginRef } & (
  | {
      readonly kind: 'class';
      readonly conditions: readonly GatewayCondition[];
      readonly supportedFeatures: readonly string[];
    }
  | { readonly kind: 'listener-set'; readonly conditions: readonly GatewayCondition[] }
  | {
      readonly kind: 'gateway';
      /** Where the gateway's proxies are reached. */
      readonly addresses: readonly string[];
      readonly conditions: readonly GatewayCondition[];
      readonly listeners: readonly ListenerStatus[];
    }
  | {
      readonly kind: 'route';
      readonly parents: readonly { readonly ref: KubeParentRef; readonly conditions: readonly GatewayCondition[] }[];
    }
);

const routeKinds = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;

/** The status of every GatewayClass, Gateway and route that is ours to speak about, by `originKey`. The same object while nothing new is to be said. */
export function gatewayApiStatus(state: MeshState): ReadonlyMap<string, GatewayApiStatus> {
  const statuses = new Map<string, GatewayApiStatus>();
  const add = <T extends GatewayClass | KubeGateway | KubeRoute | ListenerSet>(
    object: T,
    build: (object: T) => GatewayApiStatus | undefined,
  ): void => {
    const key = originKey(originOf(object));
    const made = state.reads.remember(`gateway-api-status|${key}`, [object], () => build(object));
    if (made !== undefined) {
      statuses.set(
        key,
        state.memo.get(`gateway-api-status|${key}`, [JSON.stringify(made)], () => made),
      );
    }
  };
  for (const gatewayClass of state.objects('gateway.networking.k8s.io/GatewayClass')) {
    add(gatewayClass, classStatus);
  }
  for (const gateway of state.objects('gateway.networking.k8s.io/Gateway')) {
    add(gateway, (object) => gatewayStatus(state, object));
  }
  for (const set of state.objects('gateway.networking.k8s.io/ListenerSet')) {
    add(set, (object) => listenerSetStatus(state, object));
  }
  for (const kind of routeKinds) {
    for (const route of state.objects(`gateway.networking.k8s.io/${kind}`)) {
      add(route as KubeRoute, (object) => routeStatus(state, object));
    }
  }
  return statuses;
}

function condition(type: string, holds: boolean, reason: string, message: string): GatewayCondition {
  return { type, status: holds ? 'True' : 'False', reason, message };
}

function classStatus(gatewayClass: GatewayClass): GatewayApiStatus | undefined {
  return gatewayClass.spec.controllerName === controllerName
    ? {
        origin: originOf(gatewayClass),
        kind: 'class',
        conditions: [condition('Accepted', true, 'Accepted', 'Gateways of this class are served by Weft')],
        supportedFeatures,
      }
    : undefined;
}

/** Gateways of ours take no listeners of others yet, and a set without effect says so. */
function listenerSetStatus(state: MeshState, set: ListenerSet): GatewayApiStatus | undefined {
  const { group = gatewayGroup, kind = 'Gateway', name, namespace = set.metadata.namespace ?? '' } = set.spec.parentRef;
  const gateway =
    group === gatewayGroup && kind === 'Gateway'
      ? state.object('gateway.networking.k8s.io/Gateway', `${namespace}/${name}`)
      : undefined;
  if (gateway === undefined || !isOurs(state, gateway)) {
    return undefined;
  }
  const message = 'valid, but nothing acts on it yet: Weft adds no listeners of a ListenerSet to a Gateway';
  return {
    origin: originOf(set),
    kind: 'listener-set',
    conditions: ['Accepted', 'Programmed'].map((type) => condition(type, false, 'NotAllowed', message)),
  };
}

function gatewayStatus(state: MeshState, gateway: KubeGateway): GatewayApiStatus | undefined {
  if (!isOurs(state, gateway)) {
    return undefined;
  }
  const listeners = effectiveListeners(state, gateway);
  const invalid = listeners.filter((listener) => listener.problem !== undefined || !refsResolved(listener));
  const usable = listeners.filter(isOpen);
  const addresses = gatewayAddresses(state, gateway);
  const names = invalid.map(({ listener }) => listener.name).join(', ');
  const programmed =
    usable.length === 0
      ? condition('Programmed', false, 'Invalid', 'no listener can be opened')
      : addresses.length === 0
        ? condition(
            'Programmed',
            false,
            'AddressNotAssigned',
            `no proxy serves it: start one with weft gateway ${gateway.metadata.name} --namespace ${gateway.metadata.namespace ?? ''}`,
          )
        : condition('Programmed', true, 'Programmed', 'the listeners that are valid are open');
  return {
    origin: originOf(gateway),
    kind: 'gateway',
    addresses,
    conditions: [
      invalid.length === 0
        ? condition('Accepted', true, 'Accepted', 'the Gateway is valid')
        : condition('Accepted', usable.length > 0, 'ListenersNotValid', `not valid: ${names}`),
      programmed,
    ],
    listeners: listeners.map((listener) => listenerStatus(listener, addresses.length > 0)),
  };
}

const refusalReasons = { protocol: 'UnsupportedProtocol', 'client-certificates': 'UnsupportedValue' } as const;

function refsResolved({ invalidKinds, certificateProblems }: EffectiveListener): boolean {
  return invalidKinds.length === 0 && certificateProblems.length === 0;
}

function listenerStatus(effective: EffectiveListener, served: boolean): ListenerStatus {
  const { listener, problem, supportedKinds, invalidKinds, certificateProblems, routes } = effective;
  const [certificateProblem] = certificateProblems;
  const open = isOpen(effective);
  const accepted =
    problem === undefined
      ? condition('Accepted', true, 'Accepted', 'the listener is valid')
      : condition(
          'Accepted',
          false,
          problem.kind === 'conflict' ? problem.reason : refusalReasons[problem.kind],
          problem.message,
        );
  const conflicted =
    problem?.kind === 'conflict'
      ? condition('Conflicted', true, problem.reason, problem.message)
      : condition('Conflicted', false, 'NoConflicts', 'no other listener has its place');
  const resolved =
    certificateProblem !== undefined
      ? condition('ResolvedRefs', false, certificateProblem.reason, certificateProblem.message)
      : invalidKinds.length > 0
        ? condition(
            'ResolvedRefs',
            false,
            'InvalidRouteKinds',
            `routes of kind ${invalidKinds.join(', ')} cannot attach to protocol ${listener.protocol}`,
          )
        : condition('ResolvedRefs', true, 'ResolvedRefs', 'all references are known');
  return {
    name: listener.name,
    supportedKinds,
    attachedRoutes: routes.length,
    conditions: [
      accepted,
      conflicted,
      resolved,
      open && served
        ? condition('Programmed', true, 'Programmed', 'the listener is open')
        : condition(
            'Programmed',
            false,
            open ? 'Pending' : 'Invalid',
            open ? 'no proxy serves it' : 'it is not opened',
          ),
    ],
  };
}

/** The addresses of the proxies that serve a Gateway, sorted. */
function gatewayAddresses(state: MeshState, gateway: KubeGateway): readonly string[] {
  const addresses = state.list('weft.dev/Proxy').flatMap((proxy) => {
    const { role, gateway: place } = proxy.spec;
    const entry = state.workloadEntry(keyOf(proxy));
    const labels = entry === undefined ? {} : labelsOf(entry);
    return role === 'gateway' &&
      proxy.metadata.namespace === gateway.metadata.namespace &&
      labels[gatewayNameLabel] === gateway.metadata.name
      ? [place?.address ?? '127.0.0.1']
      : [];
  });
  return [...new Set(addresses)].sort();
}

function routeStatus(state: MeshState, route: KubeRoute): GatewayApiStatus {
  const namespace = route.metadata.namespace ?? '';
  const problems = problemsOf(state, route);
  const resolved =
    problems[0] === undefined
      ? condition('ResolvedRefs', true, 'ResolvedRefs', 'all references are known')
      : condition('ResolvedRefs', false, problems[0].reason, problems.map(({ message }) => message).join('; '));
  const unsupported = unsupportedFilters(route);
  const notYet =
    unsupported.length === 0
      ? []
      : [
          condition(
            'NotYetSupported',
            true,
            'FieldsNotActedUpon',
            `rules with these are answered 500: ${unsupported.join(', ')}`,
          ),
        ];
  const parents = (route.spec.parentRefs ?? []).flatMap((ref) => {
    const accepted = acceptance(state, route, ref, namespace);
    return accepted === undefined ? [] : [{ ref, conditions: [accepted, resolved, ...notYet] }];
  });
  return { origin: originOf(route), kind: 'route', parents };
}

/** `Accepted` at one parent; undefined: the parent is not ours, or there is no such Gateway. */
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
  const gateway =
    parent === undefined
      ? undefined
      : state.object('gateway.networking.k8s.io/Gateway', parent.slice('Gateway/'.length));
  if (gateway === undefined || !isOurs(state, gateway)) {
    return undefined;
  }
  const attachment = attachmentOf(state, gateway, route, ref);
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

/** Paths of filters that nothing acts upon. */
function unsupportedFilters(route: KubeRoute): readonly string[] {
  if (route.kind !== 'HTTPRoute' && route.kind !== 'GRPCRoute') {
    return [];
  }
  return ((route as KubeHttpRoute).spec.rules ?? []).flatMap((rule, index) => [
    ...(rule.filters ?? []).flatMap(({ type }, position) =>
      supportedFilters.has(type) ? [] : [`spec.rules[${index}].filters[${position}]`],
    ),
    ...(rule.backendRefs ?? []).flatMap(({ filters }, backend) =>
      (filters ?? []).flatMap(({ type }, position) =>
        supportedBackendFilters.has(type) ? [] : [`spec.rules[${index}].backendRefs[${backend}].filters[${position}]`],
      ),
    ),
  ]);
}

/** Group of the kinds that {@link ListenerStatus.supportedKinds} names. */
export const routeGroup = gatewayGroup;
/** What routes' statuses are signed with. */
export const gatewayControllerName = controllerName;

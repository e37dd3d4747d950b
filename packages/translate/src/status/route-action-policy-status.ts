import type { ForwardAction } from '@weft/ir';
import type { KubeHttpRouteRule } from '@weft/resources';
import { meshDefaults } from '../defaults.ts';
import {
  type HttpRouteSpec,
  type KubeGrpcRoute,
  type KubeHttpRoute,
  keyOf,
  type RouteActionPolicy,
  type VirtualService,
} from '../kinds.ts';
import type { MeshState } from '../state/mesh-state.ts';
import { policyOfRule, type RuleRef, routeKeyOf, sectionOwner, targetKey } from '../state/route-action-policies.ts';
import { gatewayGroup } from '../state/route-index.ts';
import { type HttpRule, httpRulesOf } from '../to-ir/delegation.ts';
import { timeoutsAndRetries } from '../to-ir/gateway-api/http-rules.ts';
import { asksForHedging } from '../to-ir/hedging.ts';
import { timeoutAndRetries } from '../to-ir/http-routes.ts';
import { refsOf } from '../to-ir/rule-source.ts';
import type { AncestorStatus } from './backend-tls-status.ts';
import { condition, type GatewayCondition } from './gateway-condition.ts';
import { doneWithout, ownedByOlder, targetRef } from './policy-targets.ts';
import { enginesOf } from './proxies.ts';

type PolicyTarget = RouteActionPolicy['spec']['targetRefs'][number];

/** A rule that a policy can be for. */
interface TargetRule {
  /** `name`, or `namespace/route#index` of a rule without one. */
  readonly name: string;
  readonly refs: readonly RuleRef[];
  /** Fields of the policy that the rule says itself. */
  readonly says: readonly string[];
  /** False: it answers by itself, and there is nothing to try. */
  readonly forwards: boolean;
  readonly tries: (policy: RouteActionPolicy) => Pick<ForwardAction, 'retry'>;
}

/** What became of a RouteActionPolicy at each route that it is for. */
export function routeActionPolicyAncestors(state: MeshState, policy: RouteActionPolicy): readonly AncestorStatus[] {
  const keyOfTarget = (target: PolicyTarget): string => targetKey(policy, target);
  return [...Map.groupBy(policy.spec.targetRefs, keyOfTarget)].map(([key, targets]) => ({
    ref: targetRef(policy, targets),
    conditions: conditionsOf(state, policy, key, targets),
  }));
}

function conditionsOf(
  state: MeshState,
  policy: RouteActionPolicy,
  route: string,
  targets: readonly PolicyTarget[],
): readonly GatewayCondition[] {
  const all = rulesOfRoute(state, route);
  const lost = targets.map((target) => lostTarget(state, policy, target, all)).find((each) => each !== undefined);
  const rules = (all ?? []).filter(({ refs }) => policyOfRule(state, refs) === policy);
  const own = rules.flatMap(({ name, says }) =>
    says.filter((field) => isSaid(policy, field)).map((field) => `${field} by rule ${name}`),
  );
  const untimed = asksForHedging(policy)
    ? rules.filter(({ forwards, tries }) => forwards && tries(policy).retry?.hedgeOnPerTryTimeout !== true)
    : [];
  const proxyless = notForProxyless(state, policy);
  return [
    lost ??
      (rules.length > 0
        ? condition('Accepted', true, 'Accepted', `in force for ${rules.map(({ name }) => name).join(', ')}`)
        : condition('Accepted', false, 'Conflicted', 'policies for its rules by their names have all of them')),
    ...(own.length === 0 ? [] : [condition('Conflicted', true, 'RouteComesFirst', `said already: ${own.join('; ')}`)]),
    ...(untimed.length === 0
      ? []
      : [
          condition(
            'PartiallyInvalid',
            true,
            'NoPerTryTimeout',
            `spec.hedging does nothing at ${untimed.map(({ name }) => name).join(', ')}: it takes retries with a time for each try that is shorter than the request's (spec.retries.perTryTimeout, or what the route has for it)`,
          ),
        ]),
    ...doneWithout(proxyless),
  ];
}

/** Why a policy is not in force for a target; undefined: it is, as far as that target goes. */
function lostTarget(
  state: MeshState,
  policy: RouteActionPolicy,
  target: PolicyTarget,
  rules: readonly TargetRule[] | undefined,
): GatewayCondition | undefined {
  const { kind, name, sectionName = '' } = target;
  const route = targetKey(policy, target);
  const called = `${kind} ${policy.metadata.namespace ?? ''}/${name}`;
  if (rules === undefined) {
    return condition('Accepted', false, 'TargetNotFound', `there is no ${called}`);
  }
  if (rules.length === 0) {
    return condition('Accepted', false, 'TargetNotFound', `${called} has no rules of HTTP that are in force`);
  }
  const isThere =
    sectionName === '' || rules.some(({ refs }) => refs.some((ref) => ref.route === route && ref.rule === sectionName));
  if (!isThere) {
    return condition('Accepted', false, 'TargetNotFound', `${called} has no rule ${sectionName}`);
  }
  const owner = sectionOwner(state, route, sectionName);
  return owner === undefined || owner === policy
    ? undefined
    : ownedByOlder(owner, sectionName === '' ? called : `${called}, rule ${sectionName}`);
}

function isSaid({ spec }: RouteActionPolicy, field: string): boolean {
  const { fault, retries } = spec;
  const fields: Readonly<Record<string, unknown>> = {
    'spec.fault.delay': fault?.delay,
    'spec.fault.abort': fault?.abort,
    'spec.retries': retries,
    'spec.retries.perTryTimeout': retries?.perTryTimeout,
  };
  return fields[field] !== undefined;
}

/** Fields that gRPC's libraries do nothing with, where there are workloads that have nothing else. */
function notForProxyless(state: MeshState, policy: RouteActionPolicy): readonly string[] {
  const { fault, retries } = policy.spec;
  if (!enginesOf(state).includes('grpc')) {
    return [];
  }
  return [
    ...(asksForHedging(policy) ? ['spec.hedging'] : []),
    ...(fault?.bandwidth === undefined ? [] : ['spec.fault.bandwidth']),
    ...(retries?.perTryTimeout === undefined ? [] : ['spec.retries.perTryTimeout']),
  ];
}

/** The rules of a route by its key; undefined: there is no such route. */
function rulesOfRoute(state: MeshState, route: string): readonly TargetRule[] | undefined {
  const [group, kind, ...rest] = route.split('/');
  const key = rest.join('/');
  if (group !== gatewayGroup) {
    return state.object('networking.istio.io/VirtualService', key) && rulesOfVirtualService(state, route);
  }
  const found =
    kind === 'GRPCRoute'
      ? state.object('gateway.networking.k8s.io/GRPCRoute', key)
      : state.object('gateway.networking.k8s.io/HTTPRoute', key);
  return found && rulesOfKubeRoute(state, found);
}

function rulesOfKubeRoute(state: MeshState, route: KubeHttpRoute | KubeGrpcRoute): readonly TargetRule[] {
  // A rule of gRPC has less: neither timeouts nor retries.
  const rules: readonly KubeHttpRouteRule[] = (route as KubeHttpRoute).spec.rules ?? [];
  const defaults = meshDefaults[state.settings.defaults];
  return rules.map((rule, index) => ({
    name: rule.name ?? `${keyOf(route)}#${index}`,
    refs: [{ route: routeKeyOf(route), rule: rule.name ?? '' }],
    says: saidByKubeRule(rule),
    forwards: (rule.filters ?? []).every(({ requestRedirect }) => requestRedirect === undefined),
    tries: (policy) => timeoutsAndRetries(rule, { defaults, policy }),
  }));
}

function saidByKubeRule({ retry, timeouts }: KubeHttpRouteRule): readonly string[] {
  return retry !== undefined
    ? ['spec.retries']
    : timeouts?.backendRequest === undefined
      ? []
      : ['spec.retries.perTryTimeout'];
}

/** Of a VirtualService without hosts: what those that delegate to it make of its rules. */
function rulesOfVirtualService(state: MeshState, route: string): readonly TargetRule[] {
  const defaults = meshDefaults[state.settings.defaults];
  return (rulesByVirtualService(state).get(route) ?? []).map(({ rule, label, source }) => ({
    name: rule.name ?? label,
    refs: refsOf(source),
    says: saidBy(rule),
    forwards: (rule.route ?? []).length > 0,
    tries: (policy) => timeoutAndRetries(rule, { defaults, policy }),
  }));
}

function saidBy({ fault, retries }: HttpRouteSpec): readonly string[] {
  return [
    ...(fault?.delay === undefined ? [] : ['spec.fault.delay']),
    ...(fault?.abort === undefined ? [] : ['spec.fault.abort']),
    ...(retries === undefined ? [] : ['spec.retries']),
  ];
}

/** The rules of HTTP that come of each VirtualService, by its key for policies. */
function rulesByVirtualService(state: MeshState): ReadonlyMap<string, readonly HttpRule[]> {
  return state.reads.remember('rules-by-virtual-service', [], () => {
    const found = new Map<string, HttpRule[]>();
    for (const root of state.list('networking.istio.io/VirtualService').filter(hasHosts)) {
      for (const rule of httpRulesOf(state, root).rules) {
        for (const route of new Set(refsOf(rule.source).map((ref) => ref.route))) {
          const rules = found.get(route) ?? [];
          found.set(route, rules);
          rules.push(rule);
        }
      }
    }
    return found;
  });
}

function hasHosts({ spec }: VirtualService): boolean {
  return (spec?.hosts ?? []).length > 0;
}

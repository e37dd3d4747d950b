import type { KubeObject } from '@weft/resources';
import { keyOf, kindNameOf, type RouteActionPolicy } from '../kinds.ts';
import type { MeshState } from './mesh-state.ts';

/** A rule as policies call it. */
export interface RuleRef {
  /** Of {@link routeKeyOf}. */
  readonly route: string;
  /** Name of the rule; empty: it has none. */
  readonly rule: string;
}

/** `gateway.networking.k8s.io/HTTPRoute/shop/search`: what an HTTPRoute, GRPCRoute or VirtualService is called by policies for it. */
export function routeKeyOf(route: KubeObject): string {
  return `${kindNameOf(route)}/${keyOf(route)}`;
}

/** The key of the route that a policy refers to: it is of the policy's own namespace. */
export function targetKey(
  { metadata }: RouteActionPolicy,
  { group, kind, name }: RouteActionPolicy['spec']['targetRefs'][number],
): string {
  return `${group}/${kind}/${metadata.namespace ?? ''}/${name}`;
}

/** The routes that a policy is for, or rules of which it is for, each once. */
export function routesOfPolicy(policy: RouteActionPolicy): readonly string[] {
  return [...new Set(policy.spec.targetRefs.map((target) => targetKey(policy, target)))];
}

/** The policy that has a route as a whole (`sectionName` empty) or its rules of one name: of several the oldest. */
export function sectionOwner(state: MeshState, route: string, sectionName: string): RouteActionPolicy | undefined {
  return state.routeActionPolicies
    .exact(route)
    .find((policy) =>
      policy.spec.targetRefs.some(
        (target) => targetKey(policy, target) === route && (target.sectionName ?? '') === sectionName,
      ),
    );
}

/** The policy by which a rule goes: one for the rule by its name comes before one for the whole route. @param refs the first that has one decides. */
export function policyOfRule(state: MeshState, refs: readonly RuleRef[]): RouteActionPolicy | undefined {
  for (const { route, rule } of refs) {
    const found = (rule === '' ? undefined : sectionOwner(state, route, rule)) ?? sectionOwner(state, route, '');
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

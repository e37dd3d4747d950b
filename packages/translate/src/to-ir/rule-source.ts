import type { HttpRoute } from '@weft/ir';
import type { HttpRouteSpec, KubeGrpcRoute, KubeHttpRoute, RouteActionPolicy, VirtualService } from '../kinds.ts';
import { type RuleRef, routeKeyOf } from '../state/route-action-policies.ts';

/** Where a rule stands. */
export interface RuleSource {
  readonly object: VirtualService | KubeHttpRoute | KubeGrpcRoute;
  /** `spec.http[3]`, `spec.rules[0]` */
  readonly path: string;
  /** As it is written there. */
  readonly rule: object;
  /** The rule that delegates to it, from which it takes what it leaves out; undefined: none does. */
  readonly delegatedBy: RuleSource | undefined;
}

/** What a route was made of. */
export interface RouteSource extends RuleSource {
  /** The condition of the rule, `match[1]`; undefined: the rule has none, or it is put together of two rules. */
  readonly match: string | undefined;
  /** Of what the rule leaves open; undefined: none is for it. */
  readonly policy: RouteActionPolicy | undefined;
}

/** What policies call a rule: that which is delegated to comes before the one that delegates. */
export function refsOf(source: RuleSource | undefined): readonly RuleRef[] {
  return source === undefined
    ? []
    : [
        { route: routeKeyOf(source.object), rule: (source.rule as Pick<HttpRouteSpec, 'name'>).name ?? '' },
        ...refsOf(source.delegatedBy),
      ];
}

/** Beside the IR, not in it: a rule that moves to another place in its list changes nothing of what proxies do. */
const sources = new WeakMap<HttpRoute, RouteSource>();

/** The same route, of which {@link sourceOf} tells from now on. */
export function withSource(route: HttpRoute, source: RouteSource): HttpRoute {
  sources.set(route, source);
  return route;
}

/** undefined: no rule is behind the route, it is what a service has without one. */
export function sourceOf(route: HttpRoute): RouteSource | undefined {
  return sources.get(route);
}

/** A rule of a VirtualService. */
export function virtualServiceRule(
  object: VirtualService,
  index: number,
  rule: HttpRouteSpec,
  delegatedBy?: RuleSource,
): RuleSource {
  return { object, path: `spec.http[${index}]`, rule, delegatedBy };
}

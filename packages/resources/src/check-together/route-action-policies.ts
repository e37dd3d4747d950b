import { parseDurationMs } from '../format/duration.ts';
import type { KubeGrpcRoute } from '../kinds/gateway/grpc-route.ts';
import type { KubeHttpRoute } from '../kinds/gateway/http-route.ts';
import type { VirtualService } from '../kinds/networking/virtual-service.ts';
import type { RouteActionPolicy } from '../kinds/weft/route-action-policy.ts';
import type { KubeObject } from '../object.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

type Spec = RouteActionPolicy['spec'];
type Route = KubeHttpRoute | KubeGrpcRoute | VirtualService;

/** A rule that a policy can be for. */
interface Rule {
  readonly name: string;
  readonly path: string;
  /** The time of each try when `spec` is the policy; undefined: that is not seen here, as another VirtualService has a say. */
  readonly perTryTimeout: (spec: Spec) => string | undefined;
}

/** Policies for routes, or rules of routes, that are in none of the files, and hedging where tries have no time of their own. */
export function checkRouteActionPolicies(inventory: Inventory, findings: Findings): void {
  for (const policy of inventory.list<RouteActionPolicy>('weft.dev/RouteActionPolicy')) {
    const { spec } = policy;
    const namespace = inventory.namespaceOf(policy);
    const place = findings.of(policy).at('spec');
    for (const [index, { group, kind, name, sectionName = '' }] of spec.targetRefs.entries()) {
      const here = place.at('targetRefs', index);
      const route = inventory.find<Route>(`${group}/${kind}`, `${namespace}/${name}`);
      if (route === undefined) {
        if (inventory.tellsOf(`${group}/${kind}`)) {
          const message = `${kind} ${namespace}/${name} is in none of these files`;
          here.at('name').notFound(name, message, 'A policy is for routes of its own namespace: check both names.');
        }
        continue;
      }
      const all = rulesOf(route);
      const rules = all.filter((rule) => sectionName === '' || rule.name === sectionName);
      if (rules.length === 0 && sectionName !== '') {
        const names = [...new Set(all.map((rule) => rule.name))].filter((one) => one !== '');
        here
          .at('sectionName')
          .notFound(
            sectionName,
            `${inventory.nameOf(route)} has no rule of this name`,
            names.length === 0 ? 'Give the rule a name.' : `Use one of: ${names.join(', ')}.`,
          );
      }
      for (const rule of spec.hedging?.onPerTryTimeout === true ? rules : []) {
        if (parseDurationMs(rule.perTryTimeout(spec) ?? '1s') === 0) {
          place
            .at('hedging')
            .conflict(
              `does nothing at ${rule.path} of ${inventory.nameOf(route)}: its tries have no time of their own`,
              `Add retries.perTryTimeout here${kind === 'HTTPRoute' ? ', or timeouts.backendRequest there' : ''}.`,
            );
        }
      }
    }
  }
}

function rulesOf(route: Route): readonly Rule[] {
  if (isKind<VirtualService>(route, 'VirtualService')) {
    const isDelegate = (route.spec?.hosts ?? []).length === 0;
    return (route.spec?.http ?? []).map(({ name = '', retries, delegate }, index) => ({
      name,
      path: `spec.http[${index}]`,
      perTryTimeout: (spec) =>
        isDelegate || delegate !== undefined ? undefined : ((retries ?? spec.retries)?.perTryTimeout ?? '0'),
    }));
  }
  if (isKind<KubeHttpRoute>(route, 'HTTPRoute')) {
    return (route.spec.rules ?? []).map(({ name = '', timeouts, retry }, index) => ({
      name,
      path: `spec.rules[${index}]`,
      perTryTimeout: ({ retries }) =>
        timeouts?.backendRequest ?? (retry === undefined ? retries?.perTryTimeout : undefined) ?? '0',
    }));
  }
  return ((route as KubeGrpcRoute).spec.rules ?? []).map(({ name = '' }, index) => ({
    name,
    path: `spec.rules[${index}]`,
    perTryTimeout: ({ retries }) => retries?.perTryTimeout ?? '0',
  }));
}

function isKind<K extends KubeObject>(object: KubeObject, kind: string): object is K {
  return object.kind === kind;
}

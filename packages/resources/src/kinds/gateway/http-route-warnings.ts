import { isIpAddress } from '../../format/address.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { KubeHttpRoute, KubeHttpRouteMatch, KubeHttpRouteRule } from './http-route.ts';

/** A text that is the same for matches that hold for the same requests, whatever the order of their conditions. */
export function conditionOf({ path, headers, queryParams, method }: KubeHttpRouteMatch): string {
  const conditions = (list: KubeHttpRouteMatch['queryParams'], lower: boolean): string[] =>
    (list ?? [])
      .map(({ type = 'Exact', name, value }) => JSON.stringify([type, lower ? name.toLowerCase() : name, value]))
      .sort();
  return JSON.stringify([
    path?.type ?? 'PathPrefix',
    path?.value ?? '/',
    method,
    conditions(headers, true),
    conditions(queryParams, false),
  ]);
}

function nameOf({ name }: KubeHttpRouteRule, index: number): string {
  return name ?? `spec.rules[${index}]`;
}

/** Rules whose requests can only be answered with an error. */
function warnOfBackends(place: Place, { backendRefs = [], filters = [] }: KubeHttpRouteRule): void {
  if (filters.some(({ type }) => type === 'RequestRedirect' || type === 'ExtensionRef')) {
    return;
  }
  if (backendRefs.length === 0) {
    place.at('backendRefs').required('requests of the rule have nowhere to go: they get a 500', 'Add a backend.');
  } else if (backendRefs.every(({ weight = 1 }) => weight === 0)) {
    place.at('backendRefs').conflict('every weight is 0: requests of the rule get a 500', 'Give a backend a weight.');
  }
}

/** Matches that an earlier rule takes, rules that lead nowhere, hosts that no client names. */
export function warnOfHttpRoute({ spec }: KubeHttpRoute): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  for (const [index, host] of (spec.hostnames ?? []).entries()) {
    if (isIpAddress(host)) {
      place.at('hostnames', index).forbidden('an address is no host name', 'Leave it out: it is matched without.');
    }
  }
  const seen = new Map<string, string>();
  for (const [index, rule] of (spec.rules ?? []).entries()) {
    const here = place.at('rules', index);
    warnOfBackends(here, rule);
    for (const [at, match] of (rule.matches ?? []).entries()) {
      const condition = conditionOf(match);
      const earlier = seen.get(condition);
      if (earlier !== undefined) {
        here.at('matches', at).conflict(`${earlier} has the same match and comes first`, 'Remove one of the two.');
      }
      seen.set(condition, earlier ?? nameOf(rule, index));
    }
  }
  return root.violations;
}

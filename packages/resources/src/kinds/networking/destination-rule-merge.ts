import { isDeepStrictEqual } from 'node:util';
import type { DestinationRule } from './destination-rule.ts';

/** Namespaces that see a rule, `*` for all, the own one by its name. */
function audience(rule: DestinationRule, namespace: string): ReadonlySet<string> {
  const { exportTo = [] } = rule.spec ?? {};
  return new Set(exportTo.length === 0 ? ['*'] : exportTo.map((entry) => (entry === '.' ? namespace : entry)));
}

/**
 * Whether two DestinationRules of one namespace and host are put together where a client goes by the first. As in Istio all that see the
 * first must see the other, by the same entries of `exportTo`. A rule without a selector stands behind one that chooses its callers; of two
 * selectors, both must be the same.
 */
export function mergesInto(first: DestinationRule, other: DestinationRule, namespace: string): boolean {
  const [selector, otherSelector] = [first, other].map(({ spec }) => spec?.workloadSelector);
  const seen = audience(other, namespace);
  return (
    [...audience(first, namespace)].every((entry) => seen.has(entry)) &&
    (otherSelector === undefined ||
      (selector !== undefined && isDeepStrictEqual(selector.matchLabels ?? {}, otherSelector.matchLabels ?? {})))
  );
}

/** Whether some namespace sees both of two DestinationRules of one namespace. */
export function seenTogether(a: DestinationRule, b: DestinationRule, namespace: string): boolean {
  const [seen, other] = [audience(a, namespace), audience(b, namespace)];
  return seen.has('*') || other.has('*') || [...seen].some((entry) => other.has(entry));
}

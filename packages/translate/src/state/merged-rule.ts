import { mergesInto, type Subset } from '@weft/resources';
import { type DestinationRule, keyOf, type TrafficPolicySpec } from '../kinds.ts';
import { exportedTo, selects } from '../match.ts';
import type { MemoTable } from './memo-table.ts';

/** A part of a merged rule and where it stands. */
interface Part<T> {
  readonly rule: DestinationRule;
  readonly value: T;
}

/** What the DestinationRules of one namespace say about one host to one client. The same object until one of them changes. */
export interface MergedRule {
  /** The first, and those of the others that have a part in it, in their order. */
  readonly rules: readonly [DestinationRule, ...DestinationRule[]];
  /** Of the first rule that has one. */
  readonly trafficPolicy: Part<TrafficPolicySpec> | undefined;
  /** By name, each of the first rule that declares it; with its place in the list of that rule. */
  readonly subsets: ReadonlyMap<string, Part<Subset> & { readonly index: number }>;
}

/** Whose view it is. */
export interface RuleClient {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The rules of `namespace` that a client goes by, in the order in which they count: those that choose it by its labels before those for all, the
 * older before the younger. The first decides which others are put together with it.
 * @param list the DestinationRules for one host, the oldest first.
 */
export function rulesFor(
  list: readonly DestinationRule[],
  namespace: string,
  client: RuleClient,
): readonly DestinationRule[] {
  if (list.length === 0) {
    return list;
  }
  const seen = list.filter(
    (rule) => rule.metadata.namespace === namespace && exportedTo(rule.spec?.exportTo, namespace, client.namespace),
  );
  const chosen = seen.filter(
    ({ spec }) => spec?.workloadSelector !== undefined && selectsClient(spec, namespace, client),
  );
  const [first, ...others] = [...chosen, ...seen.filter(({ spec }) => spec?.workloadSelector === undefined)];
  return first === undefined ? [] : [first, ...others.filter((rule) => mergesInto(first, rule, namespace))];
}

/** A selector chooses among the workloads of the rule's own namespace. */
function selectsClient(
  { workloadSelector }: NonNullable<DestinationRule['spec']>,
  namespace: string,
  client: RuleClient,
): boolean {
  return namespace === client.namespace && selects(workloadSelector?.matchLabels, client.labels);
}

/** @param rules as of {@link rulesFor}. undefined: there are none. */
export function mergeRules(memo: MemoTable, rules: readonly DestinationRule[]): MergedRule | undefined {
  const [first, ...others] = rules;
  return first === undefined
    ? undefined
    : memo.get(`merged-rule|${rules.map(keyOf).join(',')}`, [first, ...others] as const, merge);
}

function merge(rules: MergedRule['rules']): MergedRule {
  const [first, ...others] = rules;
  const subsets = new Map<string, Part<Subset> & { readonly index: number }>();
  for (const rule of rules) {
    for (const [index, value] of (rule.spec?.subsets ?? []).entries()) {
      if (!subsets.has(value.name)) {
        subsets.set(value.name, { rule, value, index });
      }
    }
  }
  const [trafficPolicy] = rules.flatMap((rule): readonly Part<TrafficPolicySpec>[] =>
    rule.spec?.trafficPolicy === undefined ? [] : [{ rule, value: rule.spec.trafficPolicy }],
  );
  const owners = new Set([trafficPolicy, ...subsets.values()].map((part) => part?.rule));
  return { rules: [first, ...others.filter((rule) => owners.has(rule))], trafficPolicy, subsets };
}

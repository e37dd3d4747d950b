import { isDeepStrictEqual } from 'node:util';
import type { DestinationRule } from '../kinds/networking/destination-rule.ts';
import { mergesInto, seenTogether } from '../kinds/networking/destination-rule-merge.ts';
import type { Findings } from './finding.ts';
import type { Inventory } from './inventory.ts';

/** DestinationRules of one namespace for one host, which are put together: what only one of them can have, and those that are kept apart. */
export function checkDestinationRules(inventory: Inventory, findings: Findings): void {
  const known = new Map<string, DestinationRule[]>();
  for (const object of inventory.list<DestinationRule>('networking.istio.io/DestinationRule')) {
    if (object.spec === undefined) {
      continue;
    }
    const namespace = inventory.namespaceOf(object);
    const key = `${namespace} ${inventory.canonicalHost(object.spec.host, namespace)}`;
    const others = known.get(key) ?? [];
    known.set(key, [...others, object]);
    // One that chooses its callers is apart from those for all, and comes first for them.
    const rivals = others.filter(
      (other) =>
        inventory.keyOf(other) !== inventory.keyOf(object) &&
        isDeepStrictEqual(other.spec?.workloadSelector?.matchLabels, object.spec?.workloadSelector?.matchLabels),
    );
    const apart = rivals.find(
      (other) =>
        !mergesInto(other, object, namespace) &&
        !mergesInto(object, other, namespace) &&
        seenTogether(other, object, namespace),
    );
    if (apart !== undefined) {
      findings
        .of(object)
        .at('spec', 'exportTo')
        .conflict(
          `${inventory.nameOf(apart)} is for ${object.spec.host}, too, but for others: where both are seen, only the older of the two is in force`,
          'Give both the same exportTo, so that they are merged.',
        );
    }
    checkParts(
      inventory,
      object,
      rivals.filter((other) => mergesInto(other, object, namespace) || mergesInto(object, other, namespace)),
      findings,
    );
  }
}

function checkParts(
  inventory: Inventory,
  object: DestinationRule,
  others: readonly DestinationRule[],
  findings: Findings,
): void {
  const { host = '', trafficPolicy, subsets = [] } = object.spec ?? {};
  const place = findings.of(object).at('spec');
  const withPolicy = others.find(({ spec }) => spec?.trafficPolicy !== undefined);
  if (trafficPolicy !== undefined && withPolicy !== undefined) {
    place
      .at('trafficPolicy')
      .conflict(
        `${inventory.nameOf(withPolicy)} has one for ${host}, too: only that of the older of the two is in force`,
        'Have one of them in one of the rules.',
      );
  }
  for (const [index, { name }] of subsets.entries()) {
    const declares = others.find(({ spec }) => spec?.subsets?.some((subset) => subset.name === name));
    if (declares !== undefined) {
      place
        .at('subsets', index, 'name')
        .conflict(
          `${inventory.nameOf(declares)} declares subset ${name} of ${host}, too: only that of the older of the two is in force`,
          'Give one of them another name, or remove it.',
        );
    }
  }
}

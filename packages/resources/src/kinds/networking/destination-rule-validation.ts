import { checkHostPatternOrAddress } from '../../format/hosts.ts';
import { checkLabels, checkSelectorLabels } from '../../format/labels.ts';
import { Place } from '../../place.ts';
import type { Violation } from '../../violation.ts';
import type { DestinationRule } from './destination-rule.ts';
import { checkExportTo } from './istio-checks.ts';
import { checkSubsetName } from './route-validation.ts';
import { checkTrafficPolicy } from './traffic-policy-validation.ts';

export function validateDestinationRule({ spec }: DestinationRule): Violation[] {
  const root = Place.root();
  const place = root.at('spec');
  if (spec === undefined) {
    place.at('host').required('the host is missing', 'Name a service.');
    return root.violations;
  }
  if (spec.host === '') {
    place.at('host').required('the host is empty', 'Name a service.');
  } else {
    checkHostPatternOrAddress(place.at('host'), spec.host);
  }
  if (spec.trafficPolicy !== undefined) {
    checkTrafficPolicy(place.at('trafficPolicy'), spec.trafficPolicy);
  }
  const names = new Set<string>();
  for (const [index, subset] of (spec.subsets ?? []).entries()) {
    const here = place.at('subsets', index);
    checkSubsetName(here.at('name'), subset.name);
    if (names.has(subset.name)) {
      here.at('name').duplicate(subset.name, 'Give each subset a name of its own.');
    }
    names.add(subset.name);
    checkLabels(here.at('labels'), subset.labels);
    if (subset.trafficPolicy !== undefined) {
      checkTrafficPolicy(here.at('trafficPolicy'), subset.trafficPolicy);
    }
  }
  checkExportTo(place.at('exportTo'), spec.exportTo);
  checkSelectorLabels(place.at('workloadSelector', 'matchLabels'), spec.workloadSelector?.matchLabels);
  return root.violations;
}

import { checkLabels, isLabelValue, isQualifiedName } from '../../format/labels.ts';
import type { Place } from '../../place.ts';

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?:
    | readonly {
        readonly key: string;
        readonly operator: string;
        readonly values?: readonly string[] | undefined;
      }[]
    | undefined;
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** A label selector (`meta.v1.LabelSelector`), which a CRD's schema does not check. */
export function checkSelector(place: Place, selector: Selector | undefined): void {
  checkLabels(place.at('matchLabels'), selector?.matchLabels);
  for (const [index, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const here = place.at('matchExpressions', index);
    if (!isQualifiedName(key)) {
      here.at('key').invalid(key, 'not a valid label key', 'Use `name` or `prefix/name`.');
    }
    if (!operators.includes(operator)) {
      here.at('operator').unsupported(operator, operators);
      continue;
    }
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues && values.length === 0) {
      here.at('values').required(`operator ${operator} compares with values`, 'Add at least one.');
    }
    if (!takesValues && values.length > 0) {
      here.at('values').forbidden(`operator ${operator} compares with nothing`, 'Remove the values.');
    }
    for (const [at, value] of values.entries()) {
      if (!isLabelValue(value)) {
        here.at('values', at).invalid(value, 'not a valid label value', 'Use at most 63 letters, digits, -, _ and .');
      }
    }
  }
}

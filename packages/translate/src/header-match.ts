import type { HeaderMatch, StringMatch } from '@weft/ir';
import { matchesWhole } from '@weft/resources';

/** Whether a condition on a header holds. @param value undefined: the request has no such header. */
export function headerMatches({ match, invert }: HeaderMatch, value: string | undefined): boolean {
  if (match.kind === 'present') {
    return (value !== undefined) !== invert;
  }
  // An inverted condition on a value takes an absent header for an empty one.
  return value === undefined ? invert && !textMatches(match, '') : textMatches(match, value) !== invert;
}

export function textMatches(match: StringMatch, text: string): boolean {
  switch (match.kind) {
    case 'exact':
      return text === match.value;
    case 'prefix':
      return text.startsWith(match.value);
    case 'regex':
      return matchesWhole(match.value, text);
  }
}

import type { HeaderMatch, HttpMatch, PathMatch, QueryMatch, StringMatch } from '@weft/ir';
import type { HttpMatchSpec, StringMatchSpec } from '../kinds.ts';

/** The conditions of one entry of `match`; undefined = every request. */
export function httpMatch(spec: HttpMatchSpec | undefined): HttpMatch {
  return {
    path: pathMatch(spec?.uri, spec?.ignoreUriCase === true),
    headers: [
      ...pseudoHeader(':scheme', spec?.scheme),
      ...pseudoHeader(':method', spec?.method),
      ...pseudoHeader(':authority', spec?.authority),
      ...headerMatches(spec?.headers, false),
      ...headerMatches(spec?.withoutHeaders, true),
    ],
    query: sorted(spec?.queryParams).map(
      ([name, match]): QueryMatch => ({ name, match: stringMatch(match) ?? { kind: 'present' } }),
    ),
  };
}

function pathMatch(spec: StringMatchSpec | undefined, ignoreCase: boolean): PathMatch {
  const match = stringMatch(spec);
  if (match === undefined) {
    return { kind: 'prefix', value: '/', ignoreCase: false };
  }
  return match.kind === 'regex' ? match : { ...match, ignoreCase };
}

function pseudoHeader(name: string, spec: StringMatchSpec | undefined): readonly HeaderMatch[] {
  const match = stringMatch(spec);
  return match === undefined ? [] : [{ name, match, invert: false }];
}

function headerMatches(
  specs: Readonly<Record<string, StringMatchSpec>> | undefined,
  invert: boolean,
): readonly HeaderMatch[] {
  return sorted(specs).map(([name, spec]) => ({
    name: name.toLowerCase(),
    match: headerMatch(spec),
    invert,
  }));
}

/** Conditions that every value meets ask whether the header is there at all. */
function headerMatch(spec: StringMatchSpec): HeaderMatch['match'] {
  const match = stringMatch(spec);
  const anything =
    match === undefined ||
    (match.kind === 'prefix' && match.value === '') ||
    (match.kind === 'regex' && (match.value === '.*' || match.value === '*'));
  return anything ? { kind: 'present' } : match;
}

/** undefined: nothing is asked of the value. */
export function stringMatch(spec: StringMatchSpec | undefined): StringMatch | undefined {
  if (spec?.exact !== undefined) {
    return { kind: 'exact', value: spec.exact };
  }
  if (spec?.prefix !== undefined) {
    return { kind: 'prefix', value: spec.prefix };
  }
  return spec?.regex === undefined ? undefined : { kind: 'regex', value: spec.regex };
}

function sorted<T>(map: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] {
  return Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

import type { HeaderMatch, QueryParameterMatch, StringMatch } from '../config.ts';
import type { HeaderMatcher, QueryParameterMatcher, StringMatcher } from '../wire/matcher-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { regexFromXds } from './regex.ts';

/** `envoy.type.matcher.v3.StringMatcher` */
export function stringMatchFromXds(
  matcher: Decoded<typeof StringMatcher>,
  problems: Problems,
): StringMatch | undefined {
  const ignoreCase = matcher.ignore_case;
  if (matcher.exact !== undefined) {
    return { kind: 'exact', value: matcher.exact, ignoreCase };
  }
  for (const kind of ['prefix', 'suffix', 'contains'] as const) {
    const value = matcher[kind];
    if (value === '') {
      problems.add('must not be empty', kind);
    }
    if (value !== undefined) {
      return { kind, value, ignoreCase };
    }
  }
  if (matcher.safe_regex !== undefined) {
    const { regex: pattern } = matcher.safe_regex;
    const regex = problems.within('safe_regex', () => regexFromXds(pattern, problems));
    return regex === undefined ? undefined : { kind: 'regex', regex };
  }
  problems.add('one of exact, prefix, suffix, contains, safe_regex is required');
  return undefined;
}

/** `envoy.config.route.v3.HeaderMatcher`; without a specifier it asks for presence. */
export function headerMatchFromXds(
  matcher: Decoded<typeof HeaderMatcher>,
  problems: Problems,
): HeaderMatch | undefined {
  if (matcher.name === '') {
    problems.add('required', 'name');
  }
  const match = headerSpecifier(matcher, problems);
  return match === undefined
    ? undefined
    : {
        name: matcher.name.toLowerCase(),
        invert: matcher.invert_match,
        treatMissingAsEmpty: matcher.treat_missing_header_as_empty,
        match,
      };
}

function headerSpecifier(matcher: Decoded<typeof HeaderMatcher>, problems: Problems): HeaderMatch['match'] | undefined {
  const { string_match: text, range_match: range, safe_regex_match: pattern } = matcher;
  if (text !== undefined) {
    return problems.within('string_match', () => stringMatchFromXds(text, problems));
  }
  if (range !== undefined) {
    return { kind: 'range', start: range.start, end: range.end };
  }
  if (pattern !== undefined) {
    const regex = problems.within('safe_regex_match', () => regexFromXds(pattern.regex, problems));
    return regex === undefined ? undefined : { kind: 'regex', regex };
  }
  for (const kind of ['exact', 'prefix', 'suffix', 'contains'] as const) {
    const value = matcher[`${kind}_match`];
    if (value !== undefined) {
      return { kind, value, ignoreCase: false };
    }
  }
  return { kind: 'present', present: matcher.present_match ?? true };
}

/** `envoy.config.route.v3.QueryParameterMatcher` */
export function queryParameterMatchFromXds(
  matcher: Decoded<typeof QueryParameterMatcher>,
  problems: Problems,
): QueryParameterMatch | undefined {
  if (matcher.name === '') {
    problems.add('required', 'name');
  }
  const { string_match: text } = matcher;
  if (text === undefined) {
    return { name: matcher.name, match: { kind: 'present', present: matcher.present_match ?? true } };
  }
  const match = problems.within('string_match', () => stringMatchFromXds(text, problems));
  return match === undefined ? undefined : { name: matcher.name, match };
}

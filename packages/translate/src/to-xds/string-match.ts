import type { HeaderMatch, QueryMatch, StringMatch } from '@weft/ir';
import { HeaderMatcher, QueryParameterMatcher } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { RegexMatcher } from '@weft/xds-types/envoy/type/matcher/v3/regex.ts';
import { StringMatcher } from '@weft/xds-types/envoy/type/matcher/v3/string.ts';
import { create } from './message.ts';

export function regex(source: string): RegexMatcher {
  return create(RegexMatcher, { regex: source });
}

export function stringMatcher(match: StringMatch): StringMatcher {
  return create(StringMatcher, {
    matchPattern:
      match.kind === 'regex'
        ? { $case: 'safeRegex', value: regex(match.value) }
        : { $case: match.kind, value: match.value },
  });
}

export function headerMatcher({ name, match, invert }: HeaderMatch): HeaderMatcher {
  return create(HeaderMatcher, {
    name,
    invertMatch: invert,
    ...(match.kind === 'present'
      ? { headerMatchSpecifier: { $case: 'presentMatch' as const, value: true } }
      : {
          headerMatchSpecifier: { $case: 'stringMatch' as const, value: stringMatcher(match) },
          // Without this a header that is absent meets no condition on its value, not even an inverted one.
          treatMissingHeaderAsEmpty: invert,
        }),
  });
}

export function queryMatcher({ name, match }: QueryMatch): QueryParameterMatcher {
  return create(QueryParameterMatcher, {
    name,
    queryParameterMatchSpecifier:
      match.kind === 'present'
        ? { $case: 'presentMatch', value: true }
        : { $case: 'stringMatch', value: stringMatcher(match) },
  });
}

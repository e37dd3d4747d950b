/** String, header and query parameter matchers. */

import { bool, int64, message, nested, optional, string, uint32Value } from './schema.ts';

export const RegexMatcherGoogleRE2 = message('envoy.type.matcher.v3.RegexMatcher.GoogleRE2', {
  max_program_size: uint32Value(1),
});

export const RegexMatcher = message('envoy.type.matcher.v3.RegexMatcher', {
  google_re2: nested(1, RegexMatcherGoogleRE2),
  regex: string(2),
});

export const RegexMatchAndSubstitute = message('envoy.type.matcher.v3.RegexMatchAndSubstitute', {
  pattern: nested(1, RegexMatcher),
  substitution: string(2),
});

export const StringMatcher = message(
  'envoy.type.matcher.v3.StringMatcher',
  {
    exact: optional(string(1)),
    prefix: optional(string(2)),
    suffix: optional(string(3)),
    safe_regex: nested(5, RegexMatcher),
    ignore_case: bool(6),
    contains: optional(string(7)),
  },
  '8:custom',
  [['exact', 'prefix', 'suffix', 'safe_regex', 'contains']],
);

export const Int64Range = message('envoy.type.v3.Int64Range', { start: int64(1), end: int64(2) });

export const HeaderMatcher = message(
  'envoy.config.route.v3.HeaderMatcher',
  {
    name: string(1),
    exact_match: optional(string(4)),
    range_match: nested(6, Int64Range),
    present_match: optional(bool(7)),
    invert_match: bool(8),
    prefix_match: optional(string(9)),
    suffix_match: optional(string(10)),
    safe_regex_match: nested(11, RegexMatcher),
    contains_match: optional(string(12)),
    string_match: nested(13, StringMatcher),
    treat_missing_header_as_empty: bool(14),
  },
  '',
  [
    [
      'exact_match',
      'range_match',
      'present_match',
      'prefix_match',
      'suffix_match',
      'safe_regex_match',
      'contains_match',
      'string_match',
    ],
  ],
);

export const QueryParameterMatcher = message(
  'envoy.config.route.v3.QueryParameterMatcher',
  { name: string(1), string_match: nested(5, StringMatcher), present_match: optional(bool(6)) },
  '',
  [['string_match', 'present_match']],
);

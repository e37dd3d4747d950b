import type { ResponseMatch } from '../outlier-detection.ts';
import type { MatchPredicateValue } from '../wire/match-predicate-schema.ts';
import type { Problems } from '../wire/problems.ts';
import { present } from './present.ts';
import { headerMatchFromXds } from './string-match.ts';

/** `envoy.config.common.matcher.v3.MatchPredicate`, of the heads of responses. */
export function responseMatchFromXds(predicate: MatchPredicateValue, problems: Problems): ResponseMatch {
  const { http_response_headers_match: fields, not_match: inner } = predicate;
  for (const [field, kind] of [
    ['or_match', 'some'],
    ['and_match', 'every'],
  ] as const) {
    const set = predicate[field];
    if (set !== undefined) {
      return problems.within(field, () => {
        if (set.rules.length < 2) {
          problems.add('at least two are required', 'rules');
        }
        return { kind, of: problems.each('rules', set.rules, (rule) => responseMatchFromXds(rule, problems)) };
      });
    }
  }
  if (inner !== undefined) {
    return { kind: 'not', match: problems.within('not_match', () => responseMatchFromXds(inner, problems)) };
  }
  if (fields !== undefined) {
    const headers = problems.within('http_response_headers_match', () =>
      present(problems.each('headers', fields.headers, (matcher) => headerMatchFromXds(matcher, problems))),
    );
    return { kind: 'headers', headers };
  }
  if (predicate.any_match !== true) {
    problems.add('one of or_match, and_match, not_match, any_match, http_response_headers_match is required');
  }
  return { kind: 'any' };
}

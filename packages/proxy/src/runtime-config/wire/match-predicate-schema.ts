/** What is said of whole messages, put together from smaller predicates. */

import { HeaderMatcher } from './matcher-schema.ts';
import {
  bool,
  type Decoded,
  type Field,
  type Message,
  message,
  nested,
  nestedLater,
  optional,
  repeated,
} from './schema.ts';

export const HttpHeadersMatch = message('envoy.config.common.matcher.v3.HttpHeadersMatch', {
  headers: repeated(nested(1, HeaderMatcher)),
});

/** Decoded. */
export interface MatchPredicateValue {
  readonly or_match: MatchSetValue | undefined;
  readonly and_match: MatchSetValue | undefined;
  readonly not_match: MatchPredicateValue | undefined;
  readonly any_match: boolean | undefined;
  readonly http_response_headers_match: Decoded<typeof HttpHeadersMatch> | undefined;
}

export interface MatchSetValue {
  readonly rules: readonly MatchPredicateValue[];
}

export const MatchSet = message('envoy.config.common.matcher.v3.MatchPredicate.MatchSet', {
  rules: nestedLater<readonly MatchPredicateValue[]>(1, () => MatchPredicate, 'repeated'),
});

export const MatchPredicate: Message<{
  readonly [K in keyof MatchPredicateValue]: Field<MatchPredicateValue[K]>;
}> = message(
  'envoy.config.common.matcher.v3.MatchPredicate',
  {
    or_match: nested(1, MatchSet),
    and_match: nested(2, MatchSet),
    not_match: nestedLater<MatchPredicateValue | undefined>(3, () => MatchPredicate, 'single'),
    any_match: optional(bool(4)),
    http_response_headers_match: nested(7, HttpHeadersMatch),
  },
  '5:http_request_headers_match 6:http_request_trailers_match 8:http_response_trailers_match 9:http_request_generic_body_match 10:http_response_generic_body_match',
  [['or_match', 'and_match', 'not_match', 'any_match', 'http_response_headers_match']],
);

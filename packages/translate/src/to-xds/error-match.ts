import {
  HttpHeadersMatch,
  MatchPredicate,
  MatchPredicate_MatchSet,
} from '@weft/xds-types/envoy/config/common/matcher/v3/matcher.ts';
import { HeaderMatcher } from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { HttpProtocolOptions_OutlierDetection } from '@weft/xds-types/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import { StringMatcher } from '@weft/xds-types/envoy/type/matcher/v3/string.ts';
import { create } from './message.ts';

/** The responses that outlier detection takes for errors; undefined: 5xx. */
export function errorMatch(statuses: readonly number[] | undefined): HttpProtocolOptions_OutlierDetection | undefined {
  if (statuses === undefined) {
    return undefined;
  }
  const rules = [...new Set(statuses)].map(hasStatus);
  const [only] = rules;
  // A set of alternatives has at least two.
  const errorMatcher =
    rules.length === 1
      ? only
      : create(MatchPredicate, {
          rule: { $case: 'orMatch', value: create(MatchPredicate_MatchSet, { rules }) },
        });
  return create(HttpProtocolOptions_OutlierDetection, { errorMatcher });
}

function hasStatus(status: number): MatchPredicate {
  const exact = create(StringMatcher, { matchPattern: { $case: 'exact', value: String(status) } });
  const header = create(HeaderMatcher, {
    name: ':status',
    headerMatchSpecifier: { $case: 'stringMatch', value: exact },
  });
  return create(MatchPredicate, {
    rule: { $case: 'httpResponseHeadersMatch', value: create(HttpHeadersMatch, { headers: [header] }) },
  });
}

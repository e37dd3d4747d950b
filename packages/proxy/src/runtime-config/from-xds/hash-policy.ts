import type { HashPolicy } from '../load-balancing.ts';
import type { RouteActionHashPolicy } from '../wire/hash-policy-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import { cookieFromXds } from './cookie.ts';
import { present } from './present.ts';
import { regexRewriteFromXds } from './regex-rewrite.ts';

/** `envoy.config.route.v3.RouteAction.hash_policy` */
export function hashPoliciesFromXds(
  policies: readonly Decoded<typeof RouteActionHashPolicy>[],
  problems: Problems,
): readonly HashPolicy[] {
  return present(problems.each('hash_policy', policies, (policy) => hashPolicyFromXds(policy, problems)));
}

function hashPolicyFromXds(policy: Decoded<typeof RouteActionHashPolicy>, problems: Problems): HashPolicy | undefined {
  const { terminal, header, cookie, connection_properties: connection, query_parameter: query } = policy;
  if (header !== undefined) {
    if (header.header_name === '') {
      problems.add('required', 'header.header_name');
    }
    const rewrite = problems.within('header', () =>
      regexRewriteFromXds(header.regex_rewrite, 'regex_rewrite', problems),
    );
    return { kind: 'header', name: header.header_name.toLowerCase(), rewrite, terminal };
  }
  if (cookie !== undefined) {
    return { kind: 'cookie', cookie: problems.within('cookie', () => cookieFromXds(cookie, problems)), terminal };
  }
  if (query !== undefined) {
    if (query.name === '') {
      problems.add('required', 'query_parameter.name');
    }
    return { kind: 'query-parameter', name: query.name, terminal };
  }
  if (connection === undefined) {
    problems.add('one of header, cookie, connection_properties, query_parameter is required');
    return undefined;
  }
  // Without `source_ip` it says nothing, as in Envoy.
  return connection.source_ip ? { kind: 'source-ip', terminal } : undefined;
}

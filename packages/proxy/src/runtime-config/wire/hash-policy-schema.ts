/** How a request is hashed. */
import { RegexMatchAndSubstitute } from './matcher-schema.ts';
import { bool, duration, message, nested, repeated, string } from './schema.ts';

export const HashPolicyHeader = message('envoy.config.route.v3.RouteAction.HashPolicy.Header', {
  header_name: string(1),
  regex_rewrite: nested(2, RegexMatchAndSubstitute),
});

export const HashPolicyCookieAttribute = message('envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute', {
  name: string(1),
  value: string(2),
});

export const HashPolicyCookie = message('envoy.config.route.v3.RouteAction.HashPolicy.Cookie', {
  name: string(1),
  ttl: duration(2),
  path: string(3),
  attributes: repeated(nested(4, HashPolicyCookieAttribute)),
});

export const HashPolicyConnectionProperties = message(
  'envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties',
  { source_ip: bool(1) },
);

export const HashPolicyQueryParameter = message('envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter', {
  name: string(1),
});

export const RouteActionHashPolicy = message(
  'envoy.config.route.v3.RouteAction.HashPolicy',
  {
    header: nested(1, HashPolicyHeader),
    cookie: nested(2, HashPolicyCookie),
    connection_properties: nested(3, HashPolicyConnectionProperties),
    terminal: bool(4),
    query_parameter: nested(5, HashPolicyQueryParameter),
  },
  '6:filter_state',
  [['header', 'cookie', 'connection_properties', 'query_parameter']],
);

/** Session persistence: the filter and where it keeps the endpoint of a session. */
import { any, bool, duration, message, nested, repeated, string } from './schema.ts';

export const CookieAttribute = message('envoy.type.http.v3.CookieAttribute', { name: string(1), value: string(2) });

export const Cookie = message('envoy.type.http.v3.Cookie', {
  name: string(1),
  ttl: duration(2),
  path: string(3),
  attributes: repeated(nested(4, CookieAttribute)),
});

export const CookieBasedSessionState = message(
  'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState',
  { cookie: nested(1, Cookie) },
);

export const HeaderBasedSessionState = message(
  'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState',
  { name: string(1) },
);

export const SessionStateExtension = message('envoy.config.core.v3.TypedExtensionConfig', {
  name: string(1),
  typed_config: any(2, [CookieBasedSessionState, HeaderBasedSessionState]),
});

export const StatefulSession = message(
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSession',
  { session_state: nested(1, SessionStateExtension), strict: bool(2) },
  '3:stat_prefix 4:status_on_strict_destination_not_found',
);

export const StatefulSessionPerRoute = message(
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
  { disabled: bool(1), stateful_session: nested(2, StatefulSession) },
);

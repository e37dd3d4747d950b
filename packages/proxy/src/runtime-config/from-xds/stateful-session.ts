import type { SessionConfig } from '../load-balancing.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded } from '../wire/schema.ts';
import type { StatefulSession } from '../wire/stateful-session-schema.ts';
import { cookieFromXds } from './cookie.ts';

/** `envoy.extensions.filters.http.stateful_session.v3.StatefulSession`; undefined: sessions are kept nowhere, and the filter does nothing. */
export function sessionFromXds(filter: Decoded<typeof StatefulSession>, problems: Problems): SessionConfig | undefined {
  const { session_state: state, strict } = filter;
  if (state === undefined) {
    return undefined;
  }
  return problems.within('session_state', () => {
    const config = state.typed_config;
    if (config === undefined) {
      problems.add('required', 'typed_config');
      return undefined;
    }
    return problems.within('typed_config', (): SessionConfig | undefined => {
      if (config.type === 'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState') {
        if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(config.value.name)) {
          problems.add('is no name of a header', 'name');
        }
        return { kind: 'header', name: config.value.name.toLowerCase(), strict };
      }
      const { cookie } = config.value;
      if (cookie === undefined) {
        problems.add('required', 'cookie');
        return undefined;
      }
      return { kind: 'cookie', cookie: problems.within('cookie', () => cookieFromXds(cookie, problems)), strict };
    });
  });
}

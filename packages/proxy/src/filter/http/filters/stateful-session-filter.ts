import type { RequestHead, ResponseHead } from '@weft/http-codec';
import type { Endpoint } from '../../../endpoint/endpoint.ts';
import type { SessionConfig } from '../../../runtime-config/load-balancing.ts';
import { cookieValue, setCookieValue } from '../cookies.ts';
import { FilterStatus, type FilterStatusCode } from '../filter-status.ts';
import type { HttpStream } from '../http-stream.ts';
import type { HttpFilter } from './http-filter.ts';
import { isEnabled, routeFilterConfig } from './route-filter-config.ts';
import { decodeAddress, decodeSession, encodeAddress, encodeSession } from './session-state.ts';

/**
 * `envoy.filters.http.stateful_session`: a session's requests go to the endpoint that the first one was sent to, as long as it is there. The endpoint's
 * address travels with the client, in a cookie or in a field.
 */
export class StatefulSessionFilter implements HttpFilter {
  readonly #name: string;
  readonly #disabled: boolean;
  readonly #own: SessionConfig | undefined;

  constructor(name: string, disabled: boolean, own: SessionConfig | undefined) {
    this.#name = name;
    this.#disabled = disabled;
    this.#own = own;
  }

  readonly onRequest = (stream: HttpStream): FilterStatusCode => {
    const session = this.#sessionOf(stream);
    if (session !== undefined && concerns(session, stream.info.path)) {
      const { endpointChoice } = stream;
      endpointChoice.isSession = true;
      endpointChoice.sessionAddress = addressFrom(session, stream.head, stream.manager.context.clock.now());
      endpointChoice.overrideAddress = endpointChoice.sessionAddress;
      endpointChoice.isOverrideStrict = session.strict;
    }
    return FilterStatus.continue;
  };

  readonly onResponse = (stream: HttpStream, head: ResponseHead): void => {
    const { endpointChoice, info } = stream;
    // Our own answers tell of an endpoint too when one was chosen, as in Envoy.
    const endpoint = info.endpoint as Endpoint | undefined;
    if (!endpointChoice.isSession || endpoint === undefined || endpoint.address === endpointChoice.sessionAddress) {
      return;
    }
    const session = this.#sessionOf(stream);
    if (session?.kind === 'header') {
      head.set(session.name, encodeAddress(endpoint.address));
    } else if (session !== undefined) {
      const { ttlSec = 0 } = session.cookie;
      const expiresSec = ttlSec === 0 ? 0 : Math.floor(stream.manager.context.clock.now() / 1000) + ttlSec;
      head.add('set-cookie', setCookieValue(session.cookie, encodeSession(endpoint.address, expiresSec)));
    }
  };

  #sessionOf(stream: HttpStream): SessionConfig | undefined {
    const config = routeFilterConfig(stream, this.#name);
    if (!isEnabled(this.#disabled, config)) {
      return undefined;
    }
    return config?.kind === 'stateful-session' ? config.session : this.#own;
  }
}

/** A cookie is sent for its path only. */
function concerns(session: SessionConfig, path: string): boolean {
  const prefix = session.kind === 'cookie' ? session.cookie.path : '';
  if (prefix === '' || prefix === '/') {
    return true;
  }
  if (!path.startsWith(prefix)) {
    return false;
  }
  const next = path.charAt(prefix.length);
  return prefix.endsWith('/') || next === '' || next === '/' || next === '?' || next === '#';
}

/** Empty when the request has none that counts. */
function addressFrom(session: SessionConfig, head: RequestHead, nowMs: number): string {
  if (session.kind === 'cookie') {
    return decodeSession(cookieValue(head, session.cookie.name), nowMs / 1000);
  }
  return decodeAddress(head.getFirst(session.name) ?? '');
}

import type { CorsPolicy, Fault, HttpRoute, Millionths, SessionPersistence } from '@weft/ir';
import { type Any, packAny } from '@weft/xds-types';
import { RuntimeFractionalPercent } from '@weft/xds-types/envoy/config/core/v3/base.ts';
import { TypedExtensionConfig } from '@weft/xds-types/envoy/config/core/v3/extension.ts';
import {
  FaultDelay,
  FaultRateLimit,
  FaultRateLimit_FixedLimit,
} from '@weft/xds-types/envoy/extensions/filters/common/fault/v3/fault.ts';
import { CorsPolicy as CorsMessage } from '@weft/xds-types/envoy/extensions/filters/http/cors/v3/cors.ts';
import { FaultAbort, HTTPFault } from '@weft/xds-types/envoy/extensions/filters/http/fault/v3/fault.ts';
import {
  StatefulSession,
  StatefulSessionPerRoute,
} from '@weft/xds-types/envoy/extensions/filters/http/stateful_session/v3/stateful_session.ts';
import { CookieBasedSessionState } from '@weft/xds-types/envoy/extensions/http/stateful_session/cookie/v3/cookie.ts';
import { HeaderBasedSessionState } from '@weft/xds-types/envoy/extensions/http/stateful_session/header/v3/header.ts';
import { Cookie } from '@weft/xds-types/envoy/type/http/v3/cookie.ts';
import { FractionalPercent, FractionalPercent_DenominatorType } from '@weft/xds-types/envoy/type/v3/percent.ts';
import { duration } from './core.ts';
import { create } from './message.ts';
import { stringMatcher } from './string-match.ts';

/** Names of HTTP filters: routes refer to filters by them. */
export const filterNames = {
  cors: 'envoy.filters.http.cors',
  fault: 'envoy.filters.http.fault',
  session: 'envoy.filters.http.stateful_session',
} as const;

/** What a route says to filters of its listener (`typed_per_filter_config`). */
export function perFilterConfig({ fault, cors, action }: HttpRoute): { [name: string]: Any } {
  const session = action.kind === 'forward' ? action.session : undefined;
  return {
    ...(cors === undefined
      ? {}
      : {
          [filterNames.cors]: packAny(
            'envoy.extensions.filters.http.cors.v3.CorsPolicy',
            CorsMessage,
            corsMessage(cors),
          ),
        }),
    ...(fault === undefined ? {} : { [filterNames.fault]: faultConfig(fault) }),
    ...(session === undefined
      ? {}
      : {
          [filterNames.session]: packAny(
            'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
            StatefulSessionPerRoute,
            create(StatefulSessionPerRoute, {
              override: {
                $case: 'statefulSession',
                value: create(StatefulSession, { sessionState: sessionState(session) }),
              },
            }),
          ),
        }),
  };
}

/** What the fault filter does on one route. */
export function faultConfig(fault: Fault): Any {
  return packAny('envoy.extensions.filters.http.fault.v3.HTTPFault', HTTPFault, faultMessage(fault));
}

function fraction(share: Millionths): FractionalPercent {
  return create(FractionalPercent, { numerator: share, denominator: FractionalPercent_DenominatorType.MILLION });
}

/** A share that nothing changes while the proxy runs. */
export function runtimeFraction(share: Millionths): RuntimeFractionalPercent {
  return create(RuntimeFractionalPercent, { defaultValue: fraction(share) });
}

function corsMessage(cors: CorsPolicy): CorsMessage {
  return create(CorsMessage, {
    allowOriginStringMatch: cors.origins.map(stringMatcher),
    allowMethods: cors.methods.join(','),
    allowHeaders: cors.headers.join(','),
    exposeHeaders: cors.exposed.join(','),
    maxAge: cors.maxAgeSec === undefined ? '' : String(cors.maxAgeSec),
    allowCredentials: cors.credentials,
    filterEnabled: runtimeFraction(1_000_000),
    forwardNotMatchingPreflights: cors.forwardUnmatchedPreflights,
  });
}

function faultMessage({ delay, abort, bandwidth }: Fault): HTTPFault {
  return create(HTTPFault, {
    delay:
      delay === undefined
        ? undefined
        : create(FaultDelay, {
            faultDelaySecifier: { $case: 'fixedDelay', value: duration(delay.ms) },
            percentage: fraction(delay.share),
          }),
    abort:
      abort === undefined
        ? undefined
        : create(FaultAbort, {
            errorType:
              abort.kind === 'http'
                ? { $case: 'httpStatus', value: abort.status }
                : { $case: 'grpcStatus', value: abort.code },
            percentage: fraction(abort.share),
          }),
    responseRateLimit:
      bandwidth === undefined
        ? undefined
        : create(FaultRateLimit, {
            limitType: {
              $case: 'fixedLimit',
              value: create(FaultRateLimit_FixedLimit, { limitKbps: BigInt(bandwidth.kibPerSecond) }),
            },
            percentage: fraction(bandwidth.share),
          }),
  });
}

function sessionState(session: SessionPersistence): TypedExtensionConfig {
  const name = `envoy.http.stateful_session.${session.kind}`;
  const typedConfig =
    session.kind === 'cookie'
      ? packAny(
          'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState',
          CookieBasedSessionState,
          create(CookieBasedSessionState, {
            cookie: create(Cookie, { name: session.name, path: session.path, ttl: duration(session.ttlMs) }),
          }),
        )
      : packAny(
          'envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState',
          HeaderBasedSessionState,
          create(HeaderBasedSessionState, { name: session.name }),
        );
  return create(TypedExtensionConfig, { name, typedConfig });
}

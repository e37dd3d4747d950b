import type { HealthAnswer } from '@weft/ir';
import { packAny } from '@weft/xds-types';
import { HealthCheck } from '@weft/xds-types/envoy/extensions/filters/http/health_check/v3/health_check.ts';
import { HttpFilter } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { duration } from './core.ts';
import { create } from './message.ts';
import { headerMatcher } from './string-match.ts';

/** By this the checks of proxies are told from requests for the same path: both engines say it. */
const checkUserAgent = 'Envoy/HC';

/** The filter by which an inbound listener answers health checks with what the application said last. */
export function healthAnswerFilter({ method, path, host, cacheMs }: HealthAnswer, index: number): HttpFilter {
  const fields = { ':method': method, ':path': path, ':authority': host, 'user-agent': checkUserAgent };
  const config = create(HealthCheck, {
    passThroughMode: true,
    cacheTime: duration(cacheMs),
    headers: Object.entries(fields).map(([name, value]) =>
      headerMatcher({ name, match: { kind: 'exact', value }, invert: false }),
    ),
  });
  return create(HttpFilter, {
    name: `envoy.filters.http.health_check${index === 0 ? '' : `.${index}`}`,
    configType: {
      $case: 'typedConfig',
      value: packAny('envoy.extensions.filters.http.health_check.v3.HealthCheck', HealthCheck, config),
    },
  });
}

import type { RequestHead, ResponseHead } from '@weft/http-codec';
import { corsPreflight } from '../../../local-reply.ts';
import { matchesString } from '../../../route/string-match.ts';
import type { CorsPolicy, RouteFilterConfig } from '../../../runtime-config/config.ts';
import { FilterStatus, type FilterStatusCode } from '../filter-status.ts';
import type { HttpStream } from '../http-stream.ts';
import type { HttpFilter } from './http-filter.ts';
import { allRouteFilterConfigs, isEnabled, routeFilterConfig } from './route-filter-config.ts';

/** `envoy.filters.http.cors`: answers preflights, and tells browsers which origins may read an answer. Routes have the policies. */
export class CorsFilter implements HttpFilter {
  readonly #name: string;
  readonly #disabled: boolean;

  constructor(name: string, disabled: boolean) {
    this.#name = name;
    this.#disabled = disabled;
  }

  readonly onRequest = (stream: HttpStream): FilterStatusCode => {
    const { head } = stream;
    const origin = head.get('origin');
    if (origin === undefined || origin === '') {
      return FilterStatus.continue;
    }
    const policy = this.#policyOf(stream);
    if (policy === undefined) {
      return FilterStatus.continue;
    }
    const enabled = drawn(stream, policy.enabledFraction);
    if (!enabled && !drawn(stream, policy.shadowFraction)) {
      return FilterStatus.continue;
    }
    const requestedMethod = head.method === 'OPTIONS' ? head.get('access-control-request-method') : undefined;
    const isPreflight = requestedMethod !== undefined && requestedMethod !== '';
    const { cors } = stream.manager.counters;
    // A matcher that takes `*` stands for every origin, as in Envoy.
    if (!policy.allowOrigins.some((match) => matchesString(match, origin) || matchesString(match, '*'))) {
      cors.originInvalid += 1;
      if (enabled && isPreflight && policy.forwardNotMatchingPreflights === false) {
        // Without an origin that is allowed it says nothing to a browser, but Envoy says it.
        const credentials = policy.allowCredentials === true ? ['access-control-allow-credentials', 'true'] : [];
        stream.reply(corsPreflight([...credentials, ...preflightHeaders(policy, head, requestedMethod)]));
        return FilterStatus.replied;
      }
      return FilterStatus.continue;
    }
    cors.originValid += 1;
    if (!enabled) {
      return FilterStatus.continue;
    }
    stream.filters.corsOrigin = origin;
    if (!isPreflight) {
      return FilterStatus.continue;
    }
    stream.reply(corsPreflight(preflightHeaders(policy, head, requestedMethod)));
    return FilterStatus.replied;
  };

  readonly onResponse = (stream: HttpStream, head: ResponseHead): void => {
    const origin = stream.filters.corsOrigin;
    const policy = origin === '' ? undefined : this.#policyOf(stream);
    if (policy === undefined) {
      return;
    }
    head.set('access-control-allow-origin', origin);
    if (policy.allowCredentials === true) {
      head.set('access-control-allow-credentials', 'true');
    }
    if (policy.exposeHeaders !== '') {
      head.set('access-control-expose-headers', policy.exposeHeaders);
    }
  };

  #policyOf(stream: HttpStream): CorsPolicy | undefined {
    if (stream.route?.forward === undefined) {
      // Direct responses and redirects have no policy, as in Envoy.
      return undefined;
    }
    const config = routeFilterConfig(stream, this.#name);
    return isEnabled(this.#disabled, config) ? joined(allRouteFilterConfigs(stream, this.#name)) : undefined;
  }
}

/** What the most specific policy does not say is as the next one has it. */
function joined(configs: readonly RouteFilterConfig[]): CorsPolicy | undefined {
  let policy: CorsPolicy | undefined;
  for (const config of configs) {
    if (config.kind === 'cors') {
      const { policy: next } = config;
      policy =
        policy === undefined
          ? next
          : {
              ...policy,
              allowOrigins: policy.allowOrigins.length > 0 ? policy.allowOrigins : next.allowOrigins,
              allowMethods: policy.allowMethods || next.allowMethods,
              allowHeaders: policy.allowHeaders || next.allowHeaders,
              exposeHeaders: policy.exposeHeaders || next.exposeHeaders,
              maxAge: policy.maxAge || next.maxAge,
              allowCredentials: policy.allowCredentials ?? next.allowCredentials,
              allowPrivateNetworkAccess: policy.allowPrivateNetworkAccess ?? next.allowPrivateNetworkAccess,
              forwardNotMatchingPreflights: policy.forwardNotMatchingPreflights ?? next.forwardNotMatchingPreflights,
            };
    }
  }
  return policy;
}

function drawn(stream: HttpStream, fraction: number): boolean {
  return fraction >= 1_000_000 || (fraction > 0 && stream.random() * 1_000_000 < fraction);
}

/** Besides what every answer to this origin says. A star is answered with what was asked for, which works with credentials too. */
function preflightHeaders(policy: CorsPolicy, head: RequestHead, requestedMethod: string): string[] {
  const headers: string[] = [];
  if (policy.allowMethods !== '') {
    headers.push('access-control-allow-methods', policy.allowMethods === '*' ? requestedMethod : policy.allowMethods);
  }
  if (policy.allowHeaders !== '') {
    const asked = head.get('access-control-request-headers') ?? '';
    headers.push('access-control-allow-headers', policy.allowHeaders === '*' ? asked : policy.allowHeaders);
  }
  if (policy.maxAge !== '') {
    headers.push('access-control-max-age', policy.maxAge);
  }
  if (policy.allowPrivateNetworkAccess === true && head.get('access-control-request-private-network') === 'true') {
    headers.push('access-control-allow-private-network', 'true');
  }
  return headers;
}

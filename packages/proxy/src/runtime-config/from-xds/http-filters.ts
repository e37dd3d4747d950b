import type {
  CorsPolicy,
  FaultConfig,
  HeaderMutation,
  HeaderMutations,
  HttpFilterConfig,
  RouteFilterConfig,
  RouteFilterConfigs,
} from '../config.ts';
import type { HttpConnectionManager } from '../wire/http-connection-manager-schema.ts';
import type {
  CorsPolicy as CorsPolicySchema,
  HeaderMutation as HeaderMutationSchema,
  HeaderMutations as HeaderMutationsSchema,
  HttpFault,
  RouteFilterConfig as RouteFilterConfigSchema,
  routeFilterTypes,
} from '../wire/http-filter-schema.ts';
import type { Problems } from '../wire/problems.ts';
import type { Decoded, DecodedAny } from '../wire/schema.ts';
import { fractionPerMillion } from './fraction.ts';
import { checkHeaderName, headerAdditionFromXds } from './header-edits.ts';
import { healthCheckFilterFromXds } from './health-check-filter.ts';
import { present } from './present.ts';
import { sessionFromXds } from './stateful-session.ts';
import { headerMatchFromXds, stringMatchFromXds } from './string-match.ts';

type Filter = Decoded<typeof HttpConnectionManager>['http_filters'][number];

const ROUTER = 'envoy.extensions.filters.http.router.v3.Router';

/** `http_filters`: the router is last, and names are unique because routes configure filters by them. */
export function httpFiltersFromXds(filters: readonly Filter[], problems: Problems): HttpFilterConfig[] {
  const names = new Set<string>();
  const converted = problems.each('http_filters', filters, (filter, index) => {
    const { typed_config: config, name, disabled } = filter;
    if (config === undefined) {
      problems.add('required', 'typed_config');
      return undefined;
    }
    const isLast = index === filters.length - 1;
    const isRouter = config.type === ROUTER;
    if (isRouter !== isLast) {
      problems.add(isRouter ? 'the router must be the last filter' : 'the last filter must be the router');
    }
    if (name !== '' && names.has(name)) {
      problems.add(`the name ${JSON.stringify(name)} is there twice`, 'name');
    }
    names.add(name);
    if (disabled && !switchable.has(config.type)) {
      problems.add('this filter cannot be disabled', 'disabled');
    }
    return problems.within('typed_config', () => httpFilterFromXds(filter, problems));
  });
  if (filters.length === 0) {
    problems.add('the router is required', 'http_filters');
  }
  return present(converted);
}

/** Filters that a route can turn on and off. */
const switchable = new Set([
  'envoy.extensions.filters.http.fault.v3.HTTPFault',
  'envoy.extensions.filters.http.cors.v3.Cors',
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
  'envoy.extensions.filters.http.stateful_session.v3.StatefulSession',
]);

function httpFilterFromXds({ name, disabled, typed_config: config }: Filter, problems: Problems): HttpFilterConfig {
  switch (config?.type) {
    case 'envoy.extensions.filters.http.on_demand.v3.OnDemand':
      return { kind: 'on-demand', name, disabled };
    case 'envoy.extensions.filters.http.grpc_web.v3.GrpcWeb':
      return { kind: 'grpc-web', name, disabled };
    case 'envoy.extensions.filters.http.cors.v3.Cors':
      return { kind: 'cors', name, disabled };
    case 'envoy.extensions.filters.http.fault.v3.HTTPFault':
      return { kind: 'fault', name, disabled, fault: faultFromXds(config.value, problems) };
    case 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation':
      return {
        kind: 'header-mutation',
        name,
        disabled,
        mutations: mutationsFromXds(config.value.mutations, problems),
        mostSpecificWins: config.value.most_specific_header_mutations_wins,
      };
    case 'envoy.extensions.filters.http.health_check.v3.HealthCheck':
      return { kind: 'health-check', name, disabled, healthCheck: healthCheckFilterFromXds(config.value, problems) };
    case 'envoy.extensions.filters.http.stateful_session.v3.StatefulSession':
      return { kind: 'stateful-session', name, disabled, session: sessionFromXds(config.value, problems) };
    default:
      return { kind: 'router', name, disabled };
  }
}

type Entry = DecodedAny<(typeof routeFilterTypes)[number]>;

/** One value for "nothing", so that most routes share it. */
const noFilterConfigs: RouteFilterConfigs = new Map();

/** `typed_per_filter_config` of a route configuration, virtual host, route or weighted cluster. */
export function routeFilterConfigsFromXds(configs: ReadonlyMap<string, Entry>, problems: Problems): RouteFilterConfigs {
  if (configs.size === 0) {
    return noFilterConfigs;
  }
  const converted = new Map<string, RouteFilterConfig>();
  problems.within('typed_per_filter_config', () => {
    for (const [name, entry] of configs) {
      problems.within(name, () => converted.set(name, entryFromXds(entry, problems)));
    }
  });
  return converted;
}

function entryFromXds(entry: Entry, problems: Problems): RouteFilterConfig {
  return entry.type === 'envoy.config.route.v3.FilterConfig'
    ? wrappedFromXds(entry.value, problems)
    : configFromXds(entry, problems);
}

function wrappedFromXds(
  { config, disabled }: Decoded<typeof RouteFilterConfigSchema>,
  problems: Problems,
): RouteFilterConfig {
  if (disabled) {
    return { kind: 'disabled' };
  }
  return config === undefined ? { kind: 'enabled' } : problems.within('config', () => configFromXds(config, problems));
}

function configFromXds(
  entry: Exclude<Entry, { readonly type: 'envoy.config.route.v3.FilterConfig' }>,
  problems: Problems,
): RouteFilterConfig {
  switch (entry.type) {
    case 'envoy.extensions.filters.http.fault.v3.HTTPFault':
      return { kind: 'fault', fault: faultFromXds(entry.value, problems) };
    case 'envoy.extensions.filters.http.cors.v3.CorsPolicy':
      return { kind: 'cors', policy: corsFromXds(entry.value, problems) };
    case 'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute': {
      const { disabled, stateful_session: session } = entry.value;
      return disabled || session === undefined
        ? { kind: 'disabled' }
        : {
            kind: 'stateful-session',
            session: problems.within('stateful_session', () => sessionFromXds(session, problems)),
          };
    }
    default:
      return { kind: 'header-mutation', mutations: mutationsFromXds(entry.value.mutations, problems) };
  }
}

// ---------------------------------------------------------------------------------------------- fault

/** An absent percentage is 0 of 100, as the zero value of its message. */
const share = (percentage: Parameters<typeof fractionPerMillion>[0] | undefined): number =>
  percentage === undefined ? 0 : fractionPerMillion(percentage);

function faultFromXds(fault: Decoded<typeof HttpFault>, problems: Problems): FaultConfig {
  return {
    delay: problems.within('delay', () => delayFromXds(fault.delay, problems)),
    abort: problems.within('abort', () => abortFromXds(fault.abort, problems)),
    responseRateLimit: problems.within('response_rate_limit', () =>
      rateLimitFromXds(fault.response_rate_limit, problems),
    ),
    upstreamCluster: fault.upstream_cluster,
    headers: present(problems.each('headers', fault.headers, (matcher) => headerMatchFromXds(matcher, problems))),
    downstreamNodes: new Set(fault.downstream_nodes),
    maxActiveFaults: fault.max_active_faults,
  };
}

function delayFromXds(delay: Decoded<typeof HttpFault>['delay'], problems: Problems): FaultConfig['delay'] {
  if (delay === undefined) {
    return undefined;
  }
  const fraction = share(delay.percentage);
  if (delay.header_delay !== undefined) {
    return { kind: 'header', fraction };
  }
  if (delay.fixed_delay === undefined || delay.fixed_delay <= 0) {
    problems.add('a fixed_delay above 0 or header_delay is required');
    return undefined;
  }
  return { kind: 'fixed', ms: delay.fixed_delay, fraction };
}

function abortFromXds(abort: Decoded<typeof HttpFault>['abort'], problems: Problems): FaultConfig['abort'] {
  if (abort === undefined) {
    return undefined;
  }
  const fraction = share(abort.percentage);
  if (abort.header_abort !== undefined) {
    return { kind: 'header', fraction };
  }
  if (abort.grpc_status !== undefined) {
    return { kind: 'grpc', status: abort.grpc_status, fraction };
  }
  const { http_status: status } = abort;
  if (status === undefined || status < 200 || status > 599) {
    problems.add('an http_status from 200 to 599, grpc_status or header_abort is required');
    return undefined;
  }
  return { kind: 'http', status, fraction };
}

function rateLimitFromXds(
  limit: Decoded<typeof HttpFault>['response_rate_limit'],
  problems: Problems,
): FaultConfig['responseRateLimit'] {
  if (limit === undefined) {
    return undefined;
  }
  const fraction = share(limit.percentage);
  if (limit.header_limit !== undefined) {
    return { kind: 'header', fraction };
  }
  const kibPerSecond = Number(limit.fixed_limit?.limit_kbps ?? 0n);
  if (kibPerSecond < 1) {
    problems.add('a fixed_limit of at least 1 or header_limit is required');
    return undefined;
  }
  return { kind: 'fixed', kibPerSecond, fraction };
}

// ---------------------------------------------------------------------------------------------- CORS

function corsFromXds(policy: Decoded<typeof CorsPolicySchema>, problems: Problems): CorsPolicy {
  for (const field of ['allow_methods', 'allow_headers', 'expose_headers', 'max_age'] as const) {
    if (/[\0\r\n]/.test(policy[field])) {
      problems.add('holds a line break', field);
    }
  }
  const fraction = (field: 'filter_enabled' | 'shadow_enabled', absent: number): number => {
    const given = policy[field];
    if (given === undefined) {
      return absent;
    }
    if (given.default_value === undefined) {
      problems.add('required', `${field}.default_value`);
      return absent;
    }
    return fractionPerMillion(given.default_value);
  };
  return {
    allowOrigins: present(
      problems.each('allow_origin_string_match', policy.allow_origin_string_match, (matcher) =>
        stringMatchFromXds(matcher, problems),
      ),
    ),
    allowMethods: policy.allow_methods,
    allowHeaders: policy.allow_headers,
    exposeHeaders: policy.expose_headers,
    maxAge: policy.max_age,
    allowCredentials: policy.allow_credentials,
    allowPrivateNetworkAccess: policy.allow_private_network_access,
    forwardNotMatchingPreflights: policy.forward_not_matching_preflights,
    enabledFraction: fraction('filter_enabled', 1_000_000),
    shadowFraction: fraction('shadow_enabled', 0),
  };
}

// ---------------------------------------------------------------------------------------------- header mutation

function mutationsFromXds(
  mutations: Decoded<typeof HeaderMutationsSchema> | undefined,
  problems: Problems,
): HeaderMutations {
  const list = (field: 'request_mutations' | 'response_mutations'): HeaderMutation[] =>
    mutationListFromXds(field, mutations?.[field] ?? [], problems);
  return problems.within('mutations', () => ({
    request: list('request_mutations'),
    response: list('response_mutations'),
  }));
}

/** `envoy.config.common.mutation_rules.v3.HeaderMutation`, a list in `field`. */
export function mutationListFromXds(
  field: string,
  mutations: readonly Decoded<typeof HeaderMutationSchema>[],
  problems: Problems,
): HeaderMutation[] {
  return problems.each(field, mutations, ({ remove, append }): HeaderMutation => {
    if (append !== undefined) {
      return { kind: 'add', addition: problems.within('append', () => headerAdditionFromXds(append, problems)) };
    }
    if (remove === undefined) {
      problems.add('one of remove, append is required');
    } else {
      checkHeaderName(remove, 'remove', problems);
    }
    return { kind: 'remove', name: (remove ?? '').toLowerCase() };
  });
}

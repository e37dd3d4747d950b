import type {
  DirectResponseAction,
  ForwardAction,
  HashPolicy,
  HeaderChanges,
  HeaderEdits,
  HttpMatch,
  HttpRoute,
  RedirectAction,
  RetryPolicy,
} from '@weft/ir';
import { packAny } from '@weft/xds-types';
import {
  DataSource,
  HeaderValue,
  HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
} from '@weft/xds-types/envoy/config/core/v3/base.ts';
import {
  DirectResponseAction as DirectResponseMessage,
  HedgePolicy,
  RedirectAction_RedirectResponseCode,
  RedirectAction as RedirectMessage,
  RetryPolicy as RetryMessage,
  RetryPolicy_RetryBackOff,
  RetryPolicy_RetryHostPredicate,
  RetryPolicy_RetryPriority,
  Route,
  RouteAction,
  RouteAction_ClusterNotFoundResponseCode,
  RouteAction_HashPolicy,
  RouteAction_HashPolicy_ConnectionProperties,
  RouteAction_HashPolicy_Cookie,
  RouteAction_HashPolicy_CookieAttribute,
  RouteAction_HashPolicy_Header,
  RouteAction_HashPolicy_QueryParameter,
  RouteAction_MaxStreamDuration,
  RouteAction_RequestMirrorPolicy,
  RouteMatch,
  WeightedCluster,
  WeightedCluster_ClusterWeight,
} from '@weft/xds-types/envoy/config/route/v3/route_components.ts';
import { PreviousHostsPredicate } from '@weft/xds-types/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.ts';
import { PreviousPrioritiesConfig } from '@weft/xds-types/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.ts';
import { RegexMatchAndSubstitute } from '@weft/xds-types/envoy/type/matcher/v3/regex.ts';
import { duration } from './core.ts';
import { create, perObject } from './message.ts';
import { perFilterConfig, runtimeFraction } from './route-filters.ts';
import { headerMatcher, queryMatcher, regex } from './string-match.ts';

/** How often a retry looks for another endpoint before it takes one that was tried; Istio's value. */
const hostSelectionAttempts = 5n;

/** One route; the same message for the same IR. */
export const routeMessage: (route: HttpRoute) => Route = perObject((route) =>
  create(Route, {
    name: route.name,
    match: routeMatch(route.match),
    action: routeAction(route),
    statPrefix: route.statPrefix ?? '',
    typedPerFilterConfig: perFilterConfig(route),
    ...headerEditFields(route.headers),
  }),
);

const pathCases = { exact: 'path', prefix: 'prefix', segments: 'pathSeparatedPrefix' } as const;

function routeMatch(match: HttpMatch): RouteMatch {
  const { path } = match;
  return create(RouteMatch, {
    pathSpecifier:
      path.kind === 'regex'
        ? { $case: 'safeRegex', value: regex(path.value) }
        : { $case: pathCases[path.kind], value: path.value },
    caseSensitive: path.kind !== 'regex' && path.ignoreCase ? false : undefined,
    headers: match.headers.map(headerMatcher),
    queryParameters: match.query.map(queryMatcher),
  });
}

function routeAction({ action }: HttpRoute): Route['action'] {
  switch (action.kind) {
    case 'forward':
      return { $case: 'route', value: forward(action) };
    case 'redirect':
      return { $case: 'redirect', value: redirect(action) };
    case 'direct-response':
      return { $case: 'directResponse', value: directResponse(action) };
  }
}

function forward(action: ForwardAction): RouteAction {
  const { destinations, pathRewrite } = action;
  const [only] = destinations;
  const plain =
    destinations.length === 1 && only !== undefined && isEmpty(only.headers) && only.hostRewrite === undefined;
  return create(RouteAction, {
    clusterSpecifier: plain
      ? { $case: 'cluster', value: only.cluster }
      : {
          $case: 'weightedClusters',
          value: create(WeightedCluster, {
            clusters: destinations.map(({ cluster, weight, headers, hostRewrite }) =>
              create(WeightedCluster_ClusterWeight, {
                name: cluster,
                weight,
                ...headerEditFields(headers),
                hostRewriteSpecifier:
                  hostRewrite === undefined ? undefined : { $case: 'hostRewriteLiteral', value: hostRewrite },
              }),
            ),
          }),
        },
    prefixRewrite: pathRewrite?.kind === 'matched' ? pathRewrite.value : '',
    regexRewrite: regexRewrite(pathRewrite),
    hostRewriteSpecifier:
      action.hostRewrite === undefined ? undefined : { $case: 'hostRewriteLiteral', value: action.hostRewrite },
    // 0 is "none"; leaving it out would mean Envoy's 15 s.
    timeout: duration(action.timeoutMs),
    // What a gRPC client gives itself counts, up to the route's timeout. Two fields for it, as Envoy passes over `timeout` where the newer one is there.
    ...(action.timeoutMs === 0
      ? { maxStreamDuration: create(RouteAction_MaxStreamDuration, { grpcTimeoutHeaderMax: duration(0) }) }
      : { maxGrpcTimeout: duration(action.timeoutMs) }),
    idleTimeout: action.idleTimeoutMs === undefined ? undefined : duration(action.idleTimeoutMs),
    retryPolicy: action.retry === undefined ? undefined : retryMessage(action.retry),
    hedgePolicy:
      action.retry?.hedgeOnPerTryTimeout === true ? create(HedgePolicy, { hedgeOnPerTryTimeout: true }) : undefined,
    clusterNotFoundResponseCode: notFoundCodes[action.unresolvedStatus],
    requestMirrorPolicies: action.mirrors
      .filter(({ resolved }) => resolved)
      .map(({ cluster, share }) =>
        create(RouteAction_RequestMirrorPolicy, { cluster, runtimeFraction: runtimeFraction(share) }),
      ),
    hashPolicy: action.hashes.map(hashPolicy),
  });
}

const notFoundCodes = {
  500: RouteAction_ClusterNotFoundResponseCode.INTERNAL_SERVER_ERROR,
  503: RouteAction_ClusterNotFoundResponseCode.SERVICE_UNAVAILABLE,
} as const;

function regexRewrite(rewrite: ForwardAction['pathRewrite']): RegexMatchAndSubstitute | undefined {
  switch (rewrite?.kind) {
    case 'regex':
      return create(RegexMatchAndSubstitute, {
        pattern: regex(rewrite.pattern),
        substitution: rewrite.substitution,
      });
    case 'whole':
      // A backslash would be taken for the number of a group.
      return create(RegexMatchAndSubstitute, {
        pattern: regex('^.*$'),
        substitution: rewrite.value.replaceAll('\\', '\\\\'),
      });
    default:
      return undefined;
  }
}

export function hashPolicy(hash: HashPolicy): RouteAction_HashPolicy {
  return create(RouteAction_HashPolicy, { policySpecifier: hashSpecifier(hash) });
}

function hashSpecifier(hash: HashPolicy): RouteAction_HashPolicy['policySpecifier'] {
  switch (hash.kind) {
    case 'header':
      return { $case: 'header', value: create(RouteAction_HashPolicy_Header, { headerName: hash.name }) };
    case 'cookie':
      return {
        $case: 'cookie',
        value: create(RouteAction_HashPolicy_Cookie, {
          name: hash.name,
          path: hash.path,
          ttl: hash.ttlMs === undefined ? undefined : duration(hash.ttlMs),
          attributes: hash.attributes.map((attribute) => create(RouteAction_HashPolicy_CookieAttribute, attribute)),
        }),
      };
    case 'query':
      return { $case: 'queryParameter', value: create(RouteAction_HashPolicy_QueryParameter, { name: hash.name }) };
    case 'source-ip':
      return {
        $case: 'connectionProperties',
        value: create(RouteAction_HashPolicy_ConnectionProperties, { sourceIp: true }),
      };
  }
}

const previousHosts = create(RetryPolicy_RetryHostPredicate, {
  name: 'envoy.retry_host_predicates.previous_hosts',
  configType: {
    $case: 'typedConfig',
    value: packAny(
      'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
      PreviousHostsPredicate,
      create(PreviousHostsPredicate, {}),
    ),
  },
});

/** Istio's: the first retry may go anywhere, those behind it leave what the two before went to. */
const previousPriorities = create(RetryPolicy_RetryPriority, {
  name: 'envoy.retry_priorities.previous_priorities',
  configType: {
    $case: 'typedConfig',
    value: packAny(
      'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
      PreviousPrioritiesConfig,
      create(PreviousPrioritiesConfig, { updateFrequency: 2 }),
    ),
  },
});

/** The same message for the same IR. */
export const retryMessage: (retry: RetryPolicy) => RetryMessage = perObject((retry) =>
  create(RetryMessage, {
    retryOn: retry.on.join(','),
    numRetries: retry.attempts,
    perTryTimeout: retry.perTryTimeoutMs === 0 ? undefined : duration(retry.perTryTimeoutMs),
    retryBackOff:
      retry.backOffBaseMs === undefined
        ? undefined
        : create(RetryPolicy_RetryBackOff, { baseInterval: duration(retry.backOffBaseMs) }),
    ...(retry.avoidPreviousEndpoints === false
      ? {}
      : { retryHostPredicate: [previousHosts], hostSelectionRetryMaxAttempts: hostSelectionAttempts }),
    retryPriority: retry.avoidPreviousPriorities === true ? previousPriorities : undefined,
    retriableStatusCodes: [...retry.statusCodes],
  }),
);

const redirectCodes = {
  301: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  302: RedirectAction_RedirectResponseCode.FOUND,
  303: RedirectAction_RedirectResponseCode.SEE_OTHER,
  307: RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT,
  308: RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT,
} as const;

function redirect(action: RedirectAction): RedirectMessage {
  const { path, scheme } = action;
  return create(RedirectMessage, {
    schemeRewriteSpecifier: scheme === undefined ? undefined : { $case: 'schemeRedirect', value: scheme },
    hostRedirect: action.authority ?? '',
    portRedirect: action.port ?? 0,
    pathRewriteSpecifier: redirectPath(path),
    responseCode: redirectCodes[action.status],
  });
}

function redirectPath(path: RedirectAction['path']): RedirectMessage['pathRewriteSpecifier'] {
  switch (path?.kind) {
    case 'path':
      return { $case: 'pathRedirect', value: path.value };
    case 'prefix':
      return { $case: 'prefixRewrite', value: path.value };
    case 'regex':
      return {
        $case: 'regexRewrite',
        value: create(RegexMatchAndSubstitute, {
          pattern: regex(path.pattern),
          substitution: path.substitution,
        }),
      };
    default:
      return undefined;
  }
}

function directResponse(action: DirectResponseAction): DirectResponseMessage {
  return create(DirectResponseMessage, {
    status: action.status,
    body:
      action.body.length === 0
        ? undefined
        : create(DataSource, { specifier: { $case: 'inlineBytes', value: action.body } }),
  });
}

type HeaderEditFields = Pick<
  Route,
  'requestHeadersToAdd' | 'requestHeadersToRemove' | 'responseHeadersToAdd' | 'responseHeadersToRemove'
>;

function headerEditFields(edits: HeaderEdits): Partial<HeaderEditFields> {
  return isEmpty(edits)
    ? {}
    : {
        requestHeadersToAdd: additions(edits.request),
        requestHeadersToRemove: [...edits.request.remove],
        responseHeadersToAdd: additions(edits.response),
        responseHeadersToRemove: [...edits.response.remove],
      };
}

function additions(changes: HeaderChanges): HeaderValueOption[] {
  const { APPEND_IF_EXISTS_OR_ADD, OVERWRITE_IF_EXISTS_OR_ADD } = HeaderValueOption_HeaderAppendAction;
  const option = (name: string, value: string, appendAction: HeaderValueOption_HeaderAppendAction): HeaderValueOption =>
    create(HeaderValueOption, { header: create(HeaderValue, { key: name, value }), appendAction });
  return [
    ...changes.set.map(({ name, value }) => option(name, value, OVERWRITE_IF_EXISTS_OR_ADD)),
    ...changes.add.map(({ name, value }) => option(name, value, APPEND_IF_EXISTS_OR_ADD)),
  ];
}

function isEmpty({ request, response }: HeaderEdits): boolean {
  return [request, response].every(
    ({ set, add, remove }) => set.length === 0 && add.length === 0 && remove.length === 0,
  );
}

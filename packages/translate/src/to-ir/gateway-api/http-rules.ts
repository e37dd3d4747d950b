import {
  type Destination,
  type ForwardAction,
  type HeaderMatch,
  type HttpAction,
  type HttpMatch,
  type HttpRoute,
  type Mirror,
  noHeaderEdits,
  type OriginRef,
  type OutboundCluster,
  type PathMatch,
  plainForward,
  type QueryMatch,
  type RetryPolicy,
} from '@weft/ir';
import {
  type KubeGrpcRouteMatch,
  type KubeGrpcRouteRule,
  type KubeHttpRouteFilter,
  type KubeHttpRouteMatch,
  type KubeHttpRouteRule,
  parseDurationMs,
} from '@weft/resources';
import { type MeshDefaults, meshDefaults } from '../../defaults.ts';
import { type KubeGrpcRoute, type KubeHttpRoute, keyOf, type RouteActionPolicy } from '../../kinds.ts';
import { originOf } from '../../origin.ts';
import type { Client, MeshState } from '../../state/mesh-state.ts';
import { policyOfRule, routeKeyOf } from '../../state/route-action-policies.ts';
import { hashesOf, hashText } from '../destination.ts';
import { faultOf } from '../fault.ts';
import { withHedging } from '../hedging.ts';
import { backOff, retryPolicy } from '../retry.ts';
import { type RuleSource, withSource } from '../rule-source.ts';
import { type Backend, type RefProblem, resolveBackend } from './backend.ts';
import {
  corsPolicyOf,
  filtersOf,
  headerEditsOf,
  isSupportedForBackend,
  mirrorShare,
  onlyBackend,
  supportedFilters,
} from './filters.ts';
import { pathPrefix, pathRewrite, redirectPath } from './path.ts';
import { sessionOf } from './session.ts';

/** The routes that an HTTPRoute or GRPCRoute comes to, in its own order, and what they lead to. */
export interface RouteRules {
  readonly routes: readonly HttpRoute[];
  readonly clusters: readonly OutboundCluster[];
  readonly problems: readonly RefProblem[];
  readonly origins: readonly OriginRef[];
}

/**
 * @param client whose proxy sends the requests.
 * @param port that requests come to, for redirects that keep it; undefined: they keep that of the request.
 */
export function rulesOf(
  state: MeshState,
  client: Client,
  route: KubeHttpRoute | KubeGrpcRoute,
  port: number | undefined,
): RouteRules {
  const rules =
    route.kind === 'GRPCRoute'
      ? ((route as KubeGrpcRoute).spec.rules ?? [])
      : ((route as KubeHttpRoute).spec.rules ?? []);
  const backends = rules.map((rule) =>
    (rule.backendRefs ?? []).map((ref) => resolveBackend(state, client, ref, route)),
  );
  const mirrored = rules.map((rule) =>
    filtersOf(rule).flatMap(({ requestMirror }) =>
      requestMirror === undefined ? [] : [resolveBackend(state, client, requestMirror.backendRef, route)],
    ),
  );
  const policies = rules.map(({ name = '' }) => policyOfRule(state, [{ route: routeKeyOf(route), rule: name }]));
  const all = [...backends.flat(), ...mirrored.flat()];
  // All that the result takes from its backends: names, why they do not resolve, hashes, and what it comes from.
  const text = all
    .map(({ target, problem }) => `${target.clusterName}${target.cluster === undefined ? `!${problem?.message}` : ''}`)
    .concat(hashText(all.map(({ target }) => target)))
    .join(',');
  const made = state.memo.get(
    `gateway-api-rules|${route.kind}/${keyOf(route)}|${port ?? ''}|${text}`,
    [
      route,
      port,
      text,
      meshDefaults[state.settings.defaults],
      ...policies,
      ...all.flatMap(({ origins }) => origins),
    ] as const,
    ([, , , defaults]) => ({
      routes: rules.flatMap((rule, index) =>
        routesOfRule(rule, {
          name: rule.name ?? `${keyOf(route)}#${index}`,
          backends: backends[index] ?? [],
          mirrored: mirrored[index] ?? [],
          port,
          grpc: route.kind === 'GRPCRoute',
          defaults,
          source: { object: route, path: `spec.rules[${index}]`, rule, delegatedBy: undefined },
          policy: policies[index],
        }),
      ),
      problems: all.flatMap(({ problem }) => problem ?? []),
      origins: [
        originOf(route),
        ...[...new Set(policies)].flatMap((policy) => (policy === undefined ? [] : [originOf(policy)])),
        ...all.flatMap(({ origins }) => origins),
      ],
    }),
  );
  return { ...made, clusters: all.flatMap(({ target }) => target.cluster ?? []) };
}

interface RuleContext {
  readonly name: string;
  readonly backends: readonly Backend[];
  readonly mirrored: readonly Backend[];
  readonly port: number | undefined;
  readonly grpc: boolean;
  readonly defaults: MeshDefaults;
  readonly source: RuleSource;
  readonly policy: RouteActionPolicy | undefined;
}

type RouteRule = KubeHttpRouteRule | KubeGrpcRouteRule;

function routesOfRule(rule: RouteRule, context: RuleContext): readonly HttpRoute[] {
  const matches: readonly HttpMatch[] = context.grpc
    ? grpcMatches((rule as KubeGrpcRouteRule).matches)
    : httpMatches((rule as KubeHttpRouteRule).matches);
  const filters = filtersOf(rule);
  const cors = filters.find((filter) => filter.cors !== undefined)?.cors;
  const isWritten = (rule.matches ?? []).length > 0;
  return matches.map((match, index) => {
    const route: HttpRoute = {
      name: context.name,
      match,
      action: actionOf(rule, filters, match.path, context),
      headers: headerEditsOf(filters),
      fault: faultOf(undefined, context.policy),
      cors: cors === undefined ? undefined : corsPolicyOf(cors),
    };
    const written = isWritten ? `matches[${index}]` : undefined;
    return withSource(route, { ...context.source, match: written, policy: context.policy });
  });
}

function httpMatches(matches: readonly KubeHttpRouteMatch[] | undefined): readonly HttpMatch[] {
  return (matches === undefined || matches.length === 0 ? [undefined] : matches).map((match) => ({
    path: httpPath(match?.path),
    headers: [
      ...(match?.method === undefined ? [] : [methodIs(match.method)]),
      ...distinct(match?.headers, (name) => name.toLowerCase()).map(headerMatch),
    ],
    query: distinct(match?.queryParams, (name) => name).map(
      ({ name, type, value }): QueryMatch => ({
        name,
        match: { kind: type === 'RegularExpression' ? 'regex' : 'exact', value },
      }),
    ),
  }));
}

function httpPath(path: KubeHttpRouteMatch['path']): PathMatch {
  const value = path?.value ?? '/';
  switch (path?.type) {
    case 'Exact':
      return { kind: 'exact', value, ignoreCase: false };
    case 'RegularExpression':
      return { kind: 'regex', value };
    default:
      return pathPrefix(value);
  }
}

function methodIs(method: string): HeaderMatch {
  return { name: ':method', match: { kind: 'exact', value: method }, invert: false };
}

function headerMatch({
  name,
  type,
  value,
}: {
  readonly name: string;
  readonly type?: string | undefined;
  readonly value: string;
}): HeaderMatch {
  return {
    name: name.toLowerCase(),
    match: { kind: type === 'RegularExpression' ? 'regex' : 'exact', value },
    invert: false,
  };
}

/** Of several conditions on one name the first counts. */
function distinct<T extends { readonly name: string }>(
  entries: readonly T[] | undefined,
  key: (name: string) => string,
): readonly T[] {
  const seen = new Set<string>();
  return (entries ?? []).filter(({ name }) => !seen.has(key(name)) && seen.add(key(name)));
}

function grpcMatches(matches: readonly KubeGrpcRouteMatch[] | undefined): readonly HttpMatch[] {
  return (matches === undefined || matches.length === 0 ? [undefined] : matches).map((match) => ({
    path: grpcPath(match?.method),
    headers: distinct(match?.headers, (name) => name.toLowerCase()).map(headerMatch),
    query: [],
  }));
}

function grpcPath(method: KubeGrpcRouteMatch['method']): PathMatch {
  if (method?.service === undefined && method?.method === undefined) {
    return { kind: 'prefix', value: '/', ignoreCase: false };
  }
  if (method.type === 'RegularExpression') {
    return { kind: 'regex', value: `/${method.service ?? '[^/]+'}/${method.method ?? '[^/]+'}` };
  }
  if (method.service === undefined) {
    return { kind: 'regex', value: `/[^/]+/${(method.method ?? '').replaceAll('.', '[.]')}` };
  }
  return method.method === undefined
    ? { kind: 'prefix', value: `/${method.service}/`, ignoreCase: false }
    : { kind: 'exact', value: `/${method.service}/${method.method}`, ignoreCase: false };
}

/** What cannot be done as it is asked for is answered 500: Gateway API's status for it. */
const notPossible: HttpAction = { kind: 'direct-response', status: 500, body: new Uint8Array() };

function actionOf(
  rule: RouteRule,
  filters: readonly KubeHttpRouteFilter[],
  path: PathMatch,
  context: RuleContext,
): HttpAction {
  if (filters.some(({ type }) => !supportedFilters.has(type))) {
    return notPossible;
  }
  const redirect = filters.find((filter) => filter.requestRedirect !== undefined)?.requestRedirect;
  if (redirect !== undefined) {
    return {
      kind: 'redirect',
      status: redirect.statusCode ?? 302,
      scheme: redirect.scheme,
      authority: redirect.hostname,
      port: redirect.port ?? redirectPort(redirect.scheme, context.port),
      path: redirectPath(redirect.path, path),
    };
  }
  const destinations = destinationsOf(rule, context.backends);
  if (destinations.length === 0) {
    return notPossible;
  }
  const rewrite = filters.find((filter) => filter.urlRewrite !== undefined)?.urlRewrite;
  return {
    ...plainForward,
    destinations,
    pathRewrite: pathRewrite(rewrite?.path, path),
    hostRewrite: rewrite?.hostname,
    unresolvedStatus: 500,
    mirrors: mirrorsOf(filters, context.mirrored),
    hashes: hashesOf(context.backends.map(({ target }) => target)),
    session: sessionOf(rule.sessionPersistence),
    idleTimeoutMs: context.defaults.streamIdleTimeoutMs,
    ...timeoutsAndRetries(rule as KubeHttpRouteRule, context),
  };
}

const wellKnownPorts: readonly number[] = [80, 443];

/**
 * A new scheme brings its own port, and without one the listener's stays. Both are left unsaid where they are the scheme's, which is
 * what a client expects to see.
 */
function redirectPort(scheme: string | undefined, port: number | undefined): number | undefined {
  if (port === undefined || wellKnownPorts.includes(port)) {
    return undefined;
  }
  return scheme === undefined ? port : scheme === 'https' ? 443 : 80;
}

function destinationsOf(rule: RouteRule, backends: readonly Backend[]): readonly Destination[] {
  return (rule.backendRefs ?? []).flatMap((ref, index) => {
    const backend = backends[index];
    const weight = ref.weight ?? 1;
    const filters: readonly KubeHttpRouteFilter[] = ref.filters ?? [];
    if (backend === undefined || weight === 0) {
      return [];
    }
    const possible = filters.every((filter) => isSupportedForBackend(rule, filter));
    const hostRewrite =
      onlyBackend(rule) === ref ? undefined : filters.find(({ urlRewrite }) => urlRewrite)?.urlRewrite?.hostname;
    const { clusterName, cluster } = backend.target;
    return [
      {
        // Of a backend whose steps cannot be taken nothing may be reached, so it gets a name that no cluster has.
        cluster: possible ? clusterName : `${clusterName}|unsupported`,
        weight,
        resolved: possible && cluster !== undefined,
        headers: filters.length === 0 ? noHeaderEdits : headerEditsOf(filters),
        ...(hostRewrite === undefined ? {} : { hostRewrite }),
      },
    ];
  });
}

function mirrorsOf(filters: readonly KubeHttpRouteFilter[], mirrored: readonly Backend[]): readonly Mirror[] {
  const asked = filters.flatMap(({ requestMirror }) => requestMirror ?? []);
  return asked.flatMap((mirror, index) => {
    const target = mirrored[index]?.target;
    const share = mirrorShare(mirror);
    return target === undefined || share === 0
      ? []
      : [{ cluster: target.clusterName, resolved: target.cluster !== undefined, share }];
  });
}

/** How long a rule waits, and how often it tries; a rule of gRPC says nothing of either. */
export function timeoutsAndRetries(
  { timeouts, retry }: Pick<KubeHttpRouteRule, 'timeouts' | 'retry'>,
  { defaults, policy }: Pick<RuleContext, 'defaults' | 'policy'>,
): Pick<ForwardAction, 'timeoutMs' | 'retry'> {
  const timeoutMs =
    timeouts?.request === undefined ? defaults.requestTimeoutMs : (parseDurationMs(timeouts.request) ?? 0);
  const perTryTimeoutMs =
    timeouts?.backendRequest === undefined ? undefined : (parseDurationMs(timeouts.backendRequest) ?? 0);
  const tries = retryOf(retry, perTryTimeoutMs, defaults, policy);
  // The only try is the whole request.
  const wholeMs = (tries === undefined && perTryTimeoutMs) || timeoutMs;
  return { timeoutMs: wholeMs, retry: withHedging(tries, wholeMs, policy) };
}

function retryOf(
  retry: KubeHttpRouteRule['retry'],
  perTryTimeoutMs: number | undefined,
  defaults: MeshDefaults,
  policy: RouteActionPolicy | undefined,
): RetryPolicy | undefined {
  if (retry === undefined) {
    const tries = retryPolicy(policy?.spec.retries, defaults.retry);
    return tries && (perTryTimeoutMs === undefined ? tries : { ...tries, perTryTimeoutMs });
  }
  const { attempts = 1, codes: statusCodes = [] } = retry;
  if (attempts === 0) {
    return undefined;
  }
  return {
    attempts,
    perTryTimeoutMs: perTryTimeoutMs ?? 0,
    ...backOff(retry.backoff),
    on: [
      'connect-failure',
      'refused-stream',
      'reset-before-request',
      ...(statusCodes.length > 0 ? ['retriable-status-codes'] : []),
    ],
    statusCodes,
  };
}
